// Live records of this machine's kernel. As root, in the first network and pid namespace.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "base/clock.h"
#include "base/files.h"
#include "base/spawn.h"
#include "base/strings.h"
#include "insight/live/audit_control.h"
#include "insight/live/live_audit.h"
#include "insight/live/live_evidence.h"
#include "insight/live/proc_events.h"
#include "subject.h"

namespace portcullis::insight {
namespace {

constexpr int kBurst = 5000;
constexpr std::chrono::seconds kPatience{20};

const Subject burst("burst", [] {
  FilterOneCall(SYS_getppid, SECCOMP_RET_LOG);
  for (int i = 0; i < kBurst; ++i) ::syscall(SYS_getppid);
  return 0;
});

// Moves itself into a cgroup, and makes children that end at once.
const Subject brief("brief", [] {
  std::ofstream(std::string(::getenv("CGROUP")) + "/cgroup.procs") << ::getpid() << std::flush;
  // As a runtime does: the workload is another program.
  if (::getenv("AGAIN") == nullptr) {
    ::setenv("AGAIN", "1", 1);
    ::execl("/proc/self/exe", "brief", nullptr);
  }
  FilterOneCall(SYS_getppid, SECCOMP_RET_LOG);
  for (int i = 0; i < 200; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::syscall(SYS_getppid);
      ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
  }
  return 0;
});

const Subject killed("killed", [] {
  FilterOneCall(SYS_getppid, SECCOMP_RET_KILL_PROCESS);
  ::syscall(SYS_getppid);
  return 0;
});

base::CommandResult RunSubject(const std::string& name, const std::vector<std::string>& more = {}) {
  auto done = base::RunCommand({.spawn = {.argv = {SubjectPath()}, .env = SubjectEnvironment(name, more)}});
  EXPECT_TRUE(done) << done.error().message;
  return done ? *done : base::CommandResult{};
}

TEST(LiveAuditTest, BurstsAreWholeWhereTheKernelsLogKeepsFew) {
  auto audit = LiveAudit::Open(AuditSource::kMulticast);
  ASSERT_TRUE(audit) << audit.error().message;
  auto log = LiveAudit::Open(AuditSource::kKernelLog);
  ASSERT_TRUE(log) << log.error().message;
  EXPECT_EQ(RunSubject("burst").exit_code, 0);
  int seen = 0;
  int logged = 0;
  const auto count = [](int& into) {
    return [&into](const AuditRecord& record) {
      if (record.number == SYS_getppid && DecodeAuditString(record.exe) == SubjectPath()) ++into;
    };
  };
  const auto end = base::Now() + kPatience;
  while (seen < kBurst && base::Now() < end) ASSERT_TRUE(audit->Receive(std::chrono::milliseconds(200), count(seen)));
  ASSERT_TRUE(log->Receive(std::chrono::milliseconds(0), count(logged)));
  EXPECT_EQ(seen, kBurst);
  EXPECT_TRUE(audit->Losses().empty()) << audit->Losses()[0].why << ' ' << audit->Losses()[0].count;
  EXPECT_LT(logged, kBurst / 10);
  RecordProperty("kernel_log", logged);
  std::printf("multicast %d of %d, kernel log %d\n", seen, kBurst, logged);
}

TEST(LiveAuditTest, WhatIsNotReadInTimeIsToldAsLost) {
  auto audit = LiveAudit::Open(AuditSource::kMulticast);
  ASSERT_TRUE(audit) << audit.error().message;
  int little = 4096;
  ASSERT_EQ(::setsockopt(audit->fd(), SOL_SOCKET, SO_RCVBUF, &little, sizeof(little)), 0);
  EXPECT_EQ(RunSubject("burst").exit_code, 0);
  // What comes afterwards shows the gap.
  EXPECT_EQ(RunSubject("killed").exit_code, 128 + SIGSYS);
  uint64_t seen = 0;
  bool kill_seen = false;
  const auto end = base::Now() + kPatience;
  while (!kill_seen && base::Now() < end) {
    ASSERT_TRUE(audit->Receive(std::chrono::milliseconds(200), [&](const AuditRecord& record) {
      if (DecodeAuditString(record.exe) != SubjectPath()) return;
      ++seen;
      kill_seen |= ResultOfCode(record.code) == CallResult::kKillProcess;
    }));
    if (kill_seen) break;
    EXPECT_EQ(RunSubject("killed").exit_code, 128 + SIGSYS);
  }
  EXPECT_TRUE(kill_seen);
  EXPECT_LT(seen, static_cast<uint64_t>(kBurst));
  const auto losses = audit->Losses();
  ASSERT_FALSE(losses.empty());
  EXPECT_GE(losses[0].count + seen, static_cast<uint64_t>(kBurst)) << losses[0].why;
}

TEST(LiveAuditTest, AMarkTellsThatAllHasCome) {
  auto audit = LiveAudit::Open(AuditSource::kMulticast);
  ASSERT_TRUE(audit) << audit.error().message;
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(RunSubject("burst").exit_code, 0);
    int seen = 0;
    const auto received = audit->ReceiveAllSoFar([&seen](const AuditRecord& record) {
      EXPECT_FALSE(IsAuditMark(record));
      if (record.number == SYS_getppid && DecodeAuditString(record.exe) == SubjectPath()) ++seen;
    });
    ASSERT_TRUE(received) << received.error().message;
    EXPECT_EQ(seen, kBurst);
  }
}

TEST(LiveEvidenceTest, ProcessesThatEndAtOnceHaveTheirContainer) {
  const std::string id = base::RandomHex(32);
  const std::string parent = "/sys/fs/cgroup/unified/portcullis-test-" + base::RandomHex(4);
  const std::string pod_uid = "11111111-2222-3333-4444-555555555555";
  const std::string pod = parent + "/pod" + pod_uid;
  const std::string cgroup = pod + "/" + id;
  const std::string root = base::Exists("/sys/fs/cgroup/unified") ? "" : "/sys/fs/cgroup";
  ASSERT_TRUE(root.empty()) << "this test is for hybrid cgroups; on unified ones, give it the other root";
  ASSERT_TRUE(base::MakeDirs(cgroup));
  // A runtime that answers at the third time.
  int asked = 0;
  auto live = LiveEvidence::Open({.describe = [&asked](const Workload& known) -> std::optional<Workload> {
                                    if (++asked < 3) return std::nullopt;
                                    Workload out = known;
                                    out.pod_namespace = "default";
                                    out.pod = "web";
                                    return out;
                                  },
                                  .ask_again = std::chrono::nanoseconds(0)});
  ASSERT_TRUE(live) << live.error().message;
  EXPECT_EQ(live->why_not_followed(), "");
  auto child = base::Spawn({.argv = {SubjectPath()}, .env = SubjectEnvironment("brief", {"CGROUP=" + cgroup})});
  ASSERT_TRUE(child);
  const auto end = base::Now() + kPatience;
  while (live->records() < 200 && base::Now() < end) ASSERT_TRUE(live->Step(std::chrono::milliseconds(200)));
  EXPECT_EQ(base::Wait(*child, kPatience).value_or(-1), 0);
  ASSERT_TRUE(live->TakeAllSoFar());
  EXPECT_EQ(asked, 3);
  const Evidence evidence = live->Snapshot();
  uint64_t found = 0;
  for (const auto& [call, facts] : evidence.calls()) {
    if (call.number != SYS_getppid || call.executable != SubjectPath()) continue;
    const Workload& workload = evidence.workloads()[call.workload];
    EXPECT_EQ(workload.container_id, id);
    EXPECT_EQ(workload.pod_uid, pod_uid);
    EXPECT_EQ(workload.pod, "web");
    EXPECT_EQ(call.result, CallResult::kLogged);
    found += facts.count;
  }
  EXPECT_EQ(found, 200u);
  for (const Loss& loss : evidence.completeness.losses)
    ADD_FAILURE() << loss.where << ' ' << loss.count << ' ' << loss.why;
  // A container that has come and gone before anybody looked is not taken for the host.
  auto late = LiveEvidence::Open({});
  ASSERT_TRUE(late);
  EXPECT_EQ(RunSubject("brief", {"CGROUP=" + cgroup}).exit_code, 0);
  const auto late_end = base::Now() + kPatience;
  while (late->records() < 200 && base::Now() < late_end) ASSERT_TRUE(late->Step(std::chrono::milliseconds(200)));
  const Evidence unknown = late->Snapshot();
  for (const auto& [call, facts] : unknown.calls()) {
    if (call.executable == SubjectPath()) {
      EXPECT_EQ(unknown.workloads()[call.workload], Workload{});
    }
  }
  ASSERT_EQ(unknown.completeness.losses.size(), 1u);
  EXPECT_EQ(unknown.completeness.losses[0].where, "attribution");
  for (const std::string& folder : {cgroup, pod, parent}) EXPECT_EQ(::rmdir(folder.c_str()), 0) << folder;
}

TEST(ProcEventsTest, ForkExecExit) {
  auto events = ProcEvents::Open();
  ASSERT_TRUE(events) << events.error().message;
  auto child = base::Spawn({.argv = {"true"}});
  ASSERT_TRUE(child);
  const auto pid = static_cast<uint32_t>(child->pid);
  ASSERT_TRUE(base::Wait(*child, kPatience));
  std::vector<ProcEvent::Kind> seen;
  ASSERT_TRUE(events->Read([&](const ProcEvent& event) {
    if (event.pid == pid) seen.push_back(event.kind);
    if (event.pid == pid && event.kind == ProcEvent::Kind::kFork) {
      EXPECT_EQ(event.parent, static_cast<uint32_t>(::getpid()));
    }
  }));
  using Kind = ProcEvent::Kind;
  EXPECT_THAT(seen, testing::ElementsAre(Kind::kFork, Kind::kExec, Kind::kExit));
}

TEST(AuditControl, TellsTheKernelsRules) {
  const auto status = ReadAuditStatus();
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_GT(status->backlog_limit, 0u);
  // A rule for a user that nobody is, so that the records of others on this machine stay.
  const std::vector<std::string> rule{"exclude,never", "-F", "msgtype=SECCOMP", "-F", "uid=3999999999"};
  const auto change = [&rule](const char* what) {
    std::vector<std::string> argv{"auditctl", what};
    argv.insert(argv.end(), rule.begin(), rule.end());
    const auto done = base::RunCommand({.spawn = {.argv = argv}});
    return done && done->exit_code == 0;
  };
  const auto has = [] {
    const auto rules = ReadExcludeRules();
    EXPECT_TRUE(rules) << rules.error().message;
    return rules && std::ranges::any_of(*rules, [](const ExcludeRule& one) {
             return one.text == "-a never,exclude -F msgtype=SECCOMP -F uid=3999999999" && !one.hides_all;
           });
  };
  EXPECT_FALSE(has());
  ASSERT_TRUE(change("-a"));
  EXPECT_TRUE(has());
  ASSERT_TRUE(change("-d"));
  EXPECT_FALSE(has());
}

}  // namespace
}  // namespace portcullis::insight
