// What the recorder cannot tell on some kernels, from the audit records: with those parts of the kernel program
// switched off, the recording of a command is the same. As root, in the first network and pid namespace.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "insight/recorder/audit_witness.h"
#include "insight/recorder/command.h"
#include "insight/recorder/ebpf_recorder.h"
#include "subject.h"

namespace portcullis::insight {
namespace {

using testing::UnorderedElementsAre;

const Subject kills_process("kills-process", [] {
  FilterOneCall(SYS_socket, SECCOMP_RET_KILL_PROCESS);
  ::syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0);
  return 0;
});

const Subject kills_a_thread("kills-a-thread", [] {
  FilterOneCall(SYS_getppid, SECCOMP_RET_KILL_THREAD);
  for (int i = 0; i < 3; ++i) {
    std::thread([] { ::syscall(SYS_getppid); }).detach();
  }
  // Whoever is killed cannot be waited for.
  for (;;) {
    char line[64] = {};
    FILE* status = ::fopen("/proc/self/status", "re");
    int threads = 0;
    while (::fgets(line, sizeof(line), status) != nullptr) (void)::sscanf(line, "Threads: %d", &threads);
    ::fclose(status);
    if (threads == 1) ::_exit(0);
    ::sched_yield();
  }
  return 0;
});

// Children that are killed, and end at once.
const Subject kills_children("kills-children", [] {
  for (int i = 0; i < 50; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      FilterOneCall(SYS_getppid, SECCOMP_RET_KILL_PROCESS);
      ::syscall(SYS_getppid);
      ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
  }
  return 0;
});

const Subject logs("logs", [] {
  ::syscall(SYS_getppid);
  FilterOneCall(SYS_getppid, SECCOMP_RET_LOG);
  for (int i = 0; i < 20; ++i) ::syscall(SYS_getppid);
  FilterOneCall(SYS_socket, SECCOMP_RET_LOG);
  for (int i = 0; i < 3; ++i) ::syscall(SYS_socket, AF_UNIX, SOCK_DGRAM, 0);
  return 0;
});

struct Recording {
  Evidence evidence;
  int status = 0;
};

Recording Record(const std::string& subject, const RecorderOptions& options) {
  Recording out;
  auto recorder = EbpfRecorder::Open(options);
  if (!recorder) {
    ADD_FAILURE() << recorder.error().message;
    return out;
  }
  AuditWitness witness(**recorder);
  const auto workload = (*recorder)->Add({.command = subject}, {});
  auto command = Command::Prepare({"env", "PORTCULLIS_SUBJECT=" + subject, SubjectPath()});
  if (!workload || !command || !(*recorder)->FollowProcess(*workload, command->pidfd()) || !command->Start()) {
    ADD_FAILURE() << subject;
    return out;
  }
  int status = 0;
  EXPECT_EQ(::waitpid(command->pid(), &status, 0), command->pid());
  out.status = ShellStatus(status);
  auto evidence = (*recorder)->Collect();
  EXPECT_TRUE(evidence);
  if (evidence) out.evidence = std::move(*evidence);
  witness.Testify(out.evidence);
  return out;
}

// "killProcess 1" of all calls of a number by the subject.
std::vector<std::string> ResultsOf(const Evidence& evidence, uint32_t number) {
  std::vector<std::string> out;
  for (const auto& [call, facts] : evidence.calls()) {
    if (call.number != number || call.executable != SubjectPath()) continue;
    std::string one = fmt::format("{} {}", NameOf(call.result), facts.count);
    for (const CallArgument& argument : call.arguments) one += fmt::format(" {}={}", argument.index, argument.value);
    out.push_back(std::move(one));
  }
  return out;
}

constexpr RecorderOptions kBlind{.tell_kills = false, .tell_logged = false};

TEST(RecorderTest, KillsAreToldWhetherTheKernelProgramSeesThemOrNot) {
  for (const RecorderOptions& options : {RecorderOptions{}, kBlind}) {
    SCOPED_TRACE(options.tell_kills ? "seen" : "from audit records");
    const Recording process = Record("kills-process", options);
    EXPECT_EQ(process.status, 128 + SIGSYS);
    EXPECT_THAT(ResultsOf(process.evidence, SYS_socket), UnorderedElementsAre("killProcess 1 0=2 2=0"));
    const Recording thread = Record("kills-a-thread", options);
    EXPECT_EQ(thread.status, 0);
    EXPECT_THAT(ResultsOf(thread.evidence, SYS_getppid), UnorderedElementsAre("killThread 3"));
    const Recording children = Record("kills-children", options);
    EXPECT_THAT(ResultsOf(children.evidence, SYS_getppid), UnorderedElementsAre("killProcess 50"));
    for (const Recording* one : {&process, &thread, &children}) {
      EXPECT_TRUE(one->evidence.IsComplete());
      EXPECT_FALSE(one->evidence.completeness.unseen.contains(std::string(unseen::kKills)));
    }
  }
}

TEST(RecorderTest, LoggedCallsAreToldWhetherTheKernelProgramSeesThemOrNot) {
  for (const RecorderOptions& options : {RecorderOptions{}, kBlind}) {
    const Recording one = Record("logs", options);
    EXPECT_EQ(one.status, 0);
    EXPECT_THAT(ResultsOf(one.evidence, SYS_getppid), UnorderedElementsAre("allowed 1", "logged 20"));
    EXPECT_THAT(ResultsOf(one.evidence, SYS_socket), UnorderedElementsAre("logged 3 0=1 2=0"));
    EXPECT_TRUE(one.evidence.IsComplete());
    EXPECT_FALSE(one.evidence.completeness.unseen.contains(std::string(unseen::kOnlyLogged)));
  }
}

TEST(RecorderTest, WithoutTheRecordsItSaysWhatCouldNotBeSeen) {
  // In another network namespace no audit records arrive.
  std::thread([] {
    ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
    const Recording one = Record("kills-children", kBlind);
    const auto& unseen = one.evidence.completeness.unseen;
    for (const std::string_view what : {unseen::kKills, unseen::kOnlyLogged}) {
      EXPECT_TRUE(std::ranges::any_of(unseen, [&](const std::string& word) {
        return word.starts_with(std::string(what) + ": live audit records: ");
      })) << what;
    }
  }).join();
}

}  // namespace
}  // namespace portcullis::insight
