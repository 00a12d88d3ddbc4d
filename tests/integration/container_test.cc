// Real containers: conmon with runc, and crun where it is installed. Needs root.
//
// The root filesystem is Debian's busybox-static: PORTCULLIS_TEST_BUSYBOX names the program, else /bin/busybox.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/files.h"
#include "base/spawn.h"
#include "base/strings.h"
#include "host/proc/process.h"
#include "runtime/container/exit_watcher.h"
#include "runtime/container/host_facts.h"
#include "runtime/container/log_file.h"
#include "runtime/container/oci_runtime.h"

namespace portcullis::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string Busybox() {
  const char* given = std::getenv("PORTCULLIS_TEST_BUSYBOX");
  return given != nullptr ? given : "/bin/busybox";
}

// Waits for something that another process does.
bool Eventually(const std::function<bool()>& holds, milliseconds limit = seconds(10)) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return true;
}

// Exits as the watcher reports them.
class Exits {
 public:
  bool Add(const ContainerExitEvent& exit) {
    const std::lock_guard lock(mutex_);
    exits_[exit.id] = exit;
    changed_.notify_all();
    return true;
  }
  std::optional<ContainerExitEvent> Await(const std::string& id) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, seconds(20), [&] { return exits_.contains(id); })) return std::nullopt;
    return exits_[id];
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, ContainerExitEvent> exits_;
};

class Recorder : public ContainerObserver {
 public:
  void OnCreated(const ContainerCreatedEvent& event) override { created.push_back(event); }
  void OnExec(const ContainerExecEvent& event) override { execs.push_back(event); }
  std::vector<ContainerCreatedEvent> created;
  std::vector<ContainerExecEvent> execs;
};

class ContainerTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    if (::access(Busybox().c_str(), X_OK) != 0) GTEST_SKIP() << "no busybox-static: set PORTCULLIS_TEST_BUSYBOX";
    if (FindProgram(GetParam()).empty() || FindProgram("conmon").empty())
      GTEST_SKIP() << GetParam() << " or conmon is not installed";
    auto cgroups = Cgroups::Detect();
    ASSERT_TRUE(cgroups) << cgroups.error().message;
    cgroups_.emplace(*cgroups);

    const std::string name = base::RandomHex(4);
    scratch_ = ::testing::TempDir() + "/portcullis-" + name;
    cgroup_parent_ = "/portcullis-test-" + name;
    rootfs_ = scratch_ + "/rootfs";
    for (const char* folder : {"/bin", "/proc", "/dev", "/sys", "/tmp", "/etc"})
      ASSERT_TRUE(base::MakeDirs(rootfs_ + folder));
    const auto program = base::ReadFile(Busybox());
    ASSERT_TRUE(program);
    ASSERT_TRUE(base::WriteFileAtomic(rootfs_ + "/bin/busybox", *program, 0755));
    for (const char* applet : {"sh", "sleep", "cat", "grep", "setsid", "tty", "id"}) {
      ASSERT_EQ(::symlink("busybox", (rootfs_ + "/bin/" + applet).c_str()), 0);
    }
    recorder_ = std::make_shared<Recorder>();
    observers_.Add(recorder_);
    UseDeadline(seconds(60));
    auto watcher =
        ExitWatcher::Start(runtime_->ExitDir(), [this](const ContainerExitEvent& exit) { return exits_.Add(exit); });
    ASSERT_TRUE(watcher) << watcher.error().message;
    watcher_ = std::move(*watcher);
  }

  void TearDown() override {
    if (!runtime_) return;
    watcher_.reset();
    for (const ContainerHandle& handle : handles_) {
      const auto deleted = runtime_->Delete(handle, true);
      EXPECT_TRUE(deleted) << deleted.error().message;
      ExpectNothingLeft(handle);
    }
    const auto destroyed = cgroups_->Destroy(cgroup_parent_);
    EXPECT_TRUE(destroyed) << destroyed.error().message;
    EXPECT_TRUE(base::RemoveTree(scratch_));
  }

  // Debian's crun refuses a hybrid layout; our helper runs it there.
  std::string ProgramPath() {
    const auto program = ChooseOciRuntime(GetParam(), cgroups_->layout(), FindProgram);
    EXPECT_TRUE(program) << program.error().message;
    return program ? program->path : "";
  }

  void UseDeadline(milliseconds deadline) {
    OciRuntimeOptions options;
    options.program = {GetParam(), ProgramPath()};
    options.conmon_path = FindProgram("conmon");
    options.state_dir = scratch_ + "/run";
    options.deadline = deadline;
    runtime_ = std::make_unique<OciRuntime>(options, *cgroups_, &observers_);
    const auto prepared = runtime_->Prepare();
    ASSERT_TRUE(prepared) << prepared.error().message;
  }

  oci::ContainerSpecInput Input(std::vector<std::string> command) {
    oci::ContainerSpecInput input;
    input.rootfs = rootfs_;
    input.command = std::move(command);
    input.modes = {oci::NamespaceMode::kNode, oci::NamespaceMode::kContainer, oci::NamespaceMode::kNode};
    const auto facts = ReadHostFacts(*cgroups_);
    EXPECT_TRUE(facts);
    input.host = *facts;
    input.capabilities.daemon = facts->capabilities;
    return input;
  }

  // A new bundle for the input; the container is deleted when the test ends.
  ContainerHandle Bundle(oci::ContainerSpecInput input) {
    ContainerHandle handle{base::RandomHex(32), "", cgroup_parent_};
    handle.bundle = scratch_ + "/bundles/" + handle.id;
    input.cgroups_path = handle.Cgroup();
    const auto built = oci::BuildContainerSpec(input);
    EXPECT_TRUE(built) << built.error().message;
    spec_ = built->spec;
    EXPECT_TRUE(base::MakeDirs(handle.bundle));
    EXPECT_TRUE(base::WriteFileAtomic(handle.bundle + "/config.json", oci::ToJson(spec_).dump()));
    handles_.push_back(handle);
    return handle;
  }

  std::string LogPath(const ContainerHandle& handle) { return handle.bundle + "/0.log"; }

  Result<CreatedContainer> Create(const ContainerHandle& handle, bool tty = false) {
    CreateOptions options;
    options.name = "test";
    options.log_path = LogPath(handle);
    options.tty = tty;
    return runtime_->Create(handle, options);
  }

  ContainerHandle RunContainer(oci::ContainerSpecInput input, bool tty = false) {
    const Filter filter = input.seccomp ? Filter::kWanted : Filter::kNone;
    const ContainerHandle handle = Bundle(std::move(input));
    const auto created = Create(handle, tty);
    EXPECT_TRUE(created) << created.error().message;
    if (!created) return handle;
    created_ = *created;
    const auto started = runtime_->Start(handle, filter);
    EXPECT_TRUE(started) << started.error().message;
    return handle;
  }

  // "stdout:hello" a line.
  std::vector<std::string> LogLines(const ContainerHandle& handle) {
    std::vector<std::string> out;
    const auto text = base::ReadFile(LogPath(handle));
    if (!text) return out;
    for (const std::string& line : base::Split(*text, '\n')) {
      if (const auto parsed = ParseCriLogLine(line)) {
        out.push_back((parsed->stream == LogStream::kStdout ? "stdout:" : "stderr:") +
                      std::string(base::Trim(parsed->content)));
      }
    }
    return out;
  }

  Result<ExecResult> Exec(const ContainerHandle& handle, std::vector<std::string> command,
                          milliseconds timeout = seconds(30)) {
    ExecOptions options;
    options.process = oci::BuildExecProcess(spec_, command, false);
    options.timeout = timeout;
    return runtime_->ExecSync(handle, options);
  }

  void ExpectNothingLeft(const ContainerHandle& handle) {
    for (const std::string& cgroup : {handle.Cgroup(), handle.ConmonCgroup()}) {
      EXPECT_THAT(cgroups_->Processes(cgroup), IsEmpty());
      for (const char* controller : {"memory", "pids", "systemd", "cpuset"}) {
        const std::string directory = cgroups_->DirectoryOf(controller, cgroup);
        EXPECT_TRUE(directory.empty() || !base::Exists(directory)) << directory;
      }
    }
    const std::string state = runtime_->options().state_dir;
    EXPECT_FALSE(base::Exists(state + "/oci/" + handle.id));
    EXPECT_FALSE(base::Exists(state + "/attach/" + handle.id));
    EXPECT_FALSE(base::Exists(state + "/exits/" + handle.id));
    const auto execs = base::ListDir(state + "/exec");
    ASSERT_TRUE(execs);
    EXPECT_THAT(*execs, IsEmpty());
  }

  std::optional<Cgroups> cgroups_;
  std::string scratch_;
  std::string cgroup_parent_;
  std::string rootfs_;
  std::shared_ptr<Recorder> recorder_;
  ObserverList observers_;
  std::unique_ptr<OciRuntime> runtime_;
  Exits exits_;
  std::unique_ptr<ExitWatcher> watcher_;
  std::vector<ContainerHandle> handles_;
  oci::Spec spec_;
  CreatedContainer created_;
};

seccomp::ResolvedProfile AllowBut(const std::string& name, uint32_t error) {
  seccomp::ResolvedProfile profile;
  profile.default_action = seccomp::Action::kAllow;
  profile.syscalls = {{{name}, seccomp::Action::kErrno, error, {}}};
  return profile;
}

// Two rules that libseccomp 2.5.4 to 2.6.1 never finish compiling.
seccomp::ResolvedProfile HangingProfile() {
  using seccomp::CompareOp;
  seccomp::ResolvedProfile profile;
  profile.default_action = seccomp::Action::kErrno;
  profile.default_errno_ret = 1;
  profile.syscalls = {
      {{"socket"}, seccomp::Action::kAllow, {}, {{0, 40, 0, CompareOp::kLessEqual}, {1, 3, 0, CompareOp::kLess}}},
      {{"socket"}, seccomp::Action::kAllow, {}, {{0, 40, 0, CompareOp::kLessEqual}, {1, 38, 0, CompareOp::kNotEqual}}},
  };
  return profile;
}

TEST_P(ContainerTest, RunsToItsEndAndTellsCodeAndLog) {
  const ContainerHandle handle = RunContainer(Input({"/bin/sh", "-c", "echo hello; echo oops >&2; exit 7"}));
  const auto exit = exits_.Await(handle.id);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->exit_code, 7);
  EXPECT_GT(exit->finished_at_unix_nanos, 1'600'000'000'000'000'000);
  EXPECT_TRUE(Eventually([&] { return LogLines(handle).size() == 2; }));
  EXPECT_THAT(LogLines(handle), ::testing::UnorderedElementsAre("stdout:hello", "stderr:oops"));
  const auto state = runtime_->State(handle);
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_EQ(state->status, ContainerStatus::kStopped);
  EXPECT_TRUE(runtime_->Kill(handle, SIGTERM)) << "a stopped container is killed already";
  ASSERT_EQ(recorder_->created.size(), 1u);
  EXPECT_EQ(recorder_->created[0].pid, created_.pid);
  EXPECT_NE(recorder_->created[0].cgroup_id, 0u);
  ASSERT_TRUE(runtime_->Delete(handle));
  ExpectNothingLeft(handle);
  EXPECT_EQ(runtime_->State(handle).error().code, Code::kNotFound);
  EXPECT_TRUE(runtime_->Delete(handle)) << "a second time is harmless";
}

TEST_P(ContainerTest, StateListStatsAndKill) {
  const ContainerHandle handle = RunContainer(Input({"/bin/sleep", "1000"}));
  const auto state = runtime_->State(handle);
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_EQ(state->status, ContainerStatus::kRunning);
  EXPECT_EQ(state->pid, created_.pid);
  const auto ids = runtime_->List();
  ASSERT_TRUE(ids);
  EXPECT_THAT(*ids, Contains(handle.id));
  const auto stats = cgroups_->Stats(handle.Cgroup());
  ASSERT_TRUE(stats) << stats.error().message;
  EXPECT_EQ(stats->pids, 1u);
  EXPECT_GT(stats->cpu_usage_nanos, 0u);
  EXPECT_GT(stats->memory_usage_bytes, 0u);
  EXPECT_FALSE(runtime_->Delete(handle)) << "running, and no force";
  oci::Resources limits;
  limits.memory_limit = 64 << 20;
  const auto updated = runtime_->Update(handle, limits);
  ASSERT_TRUE(updated) << updated.error().message;
  EXPECT_EQ(cgroups_->Stats(handle.Cgroup())->memory_limit_bytes, 64u << 20);
  ASSERT_TRUE(runtime_->Kill(handle, SIGKILL));
  const auto exit = exits_.Await(handle.id);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->exit_code, 137);
}

TEST_P(ContainerTest, ConmonIsInItsOwnCgroupAndNoChildOfOurs) {
  const ContainerHandle handle = RunContainer(Input({"/bin/sleep", "1000"}));
  ASSERT_GT(created_.conmon_pid, 0);
  EXPECT_THAT(cgroups_->Processes(handle.ConmonCgroup()), ::testing::ElementsAre(created_.conmon_pid));
  EXPECT_THAT(cgroups_->Processes(handle.Cgroup()), ::testing::ElementsAre(created_.pid));
  const auto conmon = host::ReadStat(created_.conmon_pid);
  ASSERT_TRUE(conmon);
  EXPECT_NE(conmon->parent, ::getpid());
}

TEST_P(ContainerTest, OutlivesTheProcessThatStartedIt) {
  watcher_.reset();
  const ContainerHandle handle =
      Bundle(Input({"/bin/sh", "-c", "while [ ! -e /tmp/go ]; do sleep 0.05; done; echo still here; exit 33"}));
  const pid_t daemon = ::fork();
  ASSERT_GE(daemon, 0);
  if (daemon == 0) {
    const bool ok = Create(handle).has_value() && runtime_->Start(handle, Filter::kNone).has_value();
    ::kill(::getpid(), ok ? SIGKILL : SIGABRT);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(daemon, &status, 0), daemon);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  const auto state = runtime_->State(handle);
  ASSERT_TRUE(state);
  EXPECT_EQ(state->status, ContainerStatus::kRunning);
  ASSERT_TRUE(base::WriteFileAtomic(rootfs_ + "/tmp/go", ""));
  ASSERT_TRUE(Eventually([&] { return base::Exists(runtime_->ExitDir() + "/" + handle.id); }));
  // The next start learns of an exit that came while nobody watched.
  auto watcher =
      ExitWatcher::Start(runtime_->ExitDir(), [this](const ContainerExitEvent& exit) { return exits_.Add(exit); });
  ASSERT_TRUE(watcher);
  const auto exit = exits_.Await(handle.id);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->exit_code, 33);
  EXPECT_TRUE(Eventually([&] { return !LogLines(handle).empty(); }));
  EXPECT_THAT(LogLines(handle), Contains("stdout:still here"));
}

TEST_P(ContainerTest, ExecKeepsStreamsApartAndTellsTheCode) {
  const ContainerHandle handle = RunContainer(Input({"/bin/sleep", "1000"}));
  const auto done = Exec(handle, {"/bin/sh", "-c", "echo out; echo err >&2; printf '\\nlast'; exit 9"});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->exit_code, 9);
  EXPECT_EQ(done->out, "out\n\nlast");
  EXPECT_EQ(done->err, "err\n");
  EXPECT_FALSE(done->timed_out);
  ASSERT_EQ(recorder_->execs.size(), 1u);
  EXPECT_EQ(recorder_->execs[0].command[0], "/bin/sh");
  EXPECT_FALSE(base::Exists(runtime_->ExitDir() + "/" + handle.id)) << "an exec's exit is not the container's";
  EXPECT_TRUE(base::Exists(runtime_->AttachSocket(handle.id)));

  const auto missing = Exec(handle, {"/bin/absent"});
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("/bin/absent"));
  EXPECT_THAT(missing.error().message, HasSubstr("o such file"));
  EXPECT_THAT(missing.error().message, Not(HasSubstr("level=error")));
}

TEST_P(ContainerTest, ExecWithMuchOutputIsBounded) {
  const ContainerHandle handle = RunContainer(Input({"/bin/sleep", "1000"}));
  const auto done =
      Exec(handle,
           {"/bin/sh", "-c", "busybox yes 0123456789012345678901234567890123456789 | busybox head -c 40000000; exit 3"},
           seconds(120));
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->exit_code, 3);
  EXPECT_GT(done->out.size(), 1u << 20);
  EXPECT_LE(done->out.size(), kMaxExecOutput);
}

TEST_P(ContainerTest, ExecTimeoutKillsAllThatTheCommandStarted) {
  const ContainerHandle handle = RunContainer(Input({"/bin/sleep", "1000"}));
  const auto done =
      Exec(handle, {"/bin/sh", "-c", "setsid sh -c 'sleep 1001 & sleep 1002' & echo started; sleep 1003"}, seconds(2));
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_TRUE(done->timed_out);
  EXPECT_EQ(done->exit_code, -1);
  EXPECT_EQ(done->out, "started\n");
  EXPECT_THAT(cgroups_->Processes(handle.Cgroup()), ::testing::ElementsAre(created_.pid));
  EXPECT_THAT(cgroups_->Processes(handle.ConmonCgroup()), ::testing::ElementsAre(created_.conmon_pid));
  EXPECT_EQ(runtime_->State(handle)->status, ContainerStatus::kRunning);
}

TEST_P(ContainerTest, WhatAnExecLeavesInTheBackgroundLivesOn) {
  const ContainerHandle handle = RunContainer(Input({"/bin/sleep", "1000"}));
  const auto done = Exec(handle, {"/bin/sh", "-c", "sleep 1001 </dev/null >/dev/null 2>&1 &"});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->exit_code, 0);
  EXPECT_EQ(cgroups_->Processes(handle.Cgroup()).size(), 2u);
  const auto entries = base::ListDir(cgroups_->DirectoryOf("pids", handle.Cgroup()));
  ASSERT_TRUE(entries);
  for (const std::string& entry : *entries) EXPECT_FALSE(entry.starts_with("exec-")) << entry;
}

TEST_P(ContainerTest, FailedCreateSaysWhyAndLeavesNothing) {
  const ContainerHandle handle = Bundle(Input({"/bin/absent"}));
  auto created = Create(handle);
  // crun looks for the program at create or at start, by version.
  if (created) {
    const auto started = runtime_->Start(handle, Filter::kNone);
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().message, HasSubstr("/bin/absent"));
    return;
  }
  EXPECT_THAT(created.error().message, ::testing::StartsWith("container create failed: "));
  EXPECT_THAT(created.error().message, HasSubstr("/bin/absent"));
  EXPECT_THAT(created.error().message, Not(HasSubstr("level=error")));
  ExpectNothingLeft(handle);
}

TEST_P(ContainerTest, HangingProfileMeetsTheDeadline) {
  UseDeadline(seconds(3));
  oci::ContainerSpecInput input = Input({"/bin/sleep", "1000"});
  input.seccomp = HangingProfile();
  const ContainerHandle handle = Bundle(input);
  const auto created = Create(handle);
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, Code::kDeadlineExceeded) << created.error().message;
  EXPECT_THAT(created.error().message, HasSubstr("did not finish within 3000 ms"));
  ExpectNothingLeft(handle);
}

TEST_P(ContainerTest, HangingProfileMeetsTheDeadlineWhenItIsCompiledLate) {
  UseDeadline(seconds(3));
  oci::ContainerSpecInput input = Input({"/bin/sleep", "1000"});
  input.seccomp = HangingProfile();
  input.no_new_privileges = true;
  const ContainerHandle handle = Bundle(input);
  const auto created = Create(handle);
  const Result<void> started =
      created ? runtime_->Start(handle, Filter::kWanted) : Result<void>(Failure(created.error()));
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::kDeadlineExceeded) << started.error().message;
  ExpectNothingLeft(handle);
}

TEST_P(ContainerTest, TheKernelConfirmsTheFilter) {
  for (const bool no_new_privileges : {false, true}) {
    oci::ContainerSpecInput input = Input({"/bin/sleep", "1000"});
    input.seccomp = AllowBut("mkdirat", 38);
    input.no_new_privileges = no_new_privileges;
    RunContainer(input);
    const auto status = host::ReadStatus(created_.pid);
    ASSERT_TRUE(status);
    EXPECT_EQ(status->seccomp_mode, 2);
    EXPECT_GE(status->seccomp_filters, 1);
    EXPECT_EQ(status->no_new_privs, no_new_privileges);
    const auto stat = host::ReadStat(created_.pid);
    ASSERT_TRUE(stat);
    EXPECT_TRUE(host::IsSameProcessAlive(created_.pid, stat->start_time_ticks));
  }
  RunContainer(Input({"/bin/sleep", "1000"}));
  EXPECT_EQ(host::ReadStatus(created_.pid)->seccomp_mode, 0);
}

TEST_P(ContainerTest, SpecIsWhatTheContainerGets) {
  oci::ContainerSpecInput input =
      Input({"/bin/sh", "-c",
             "id; grep CapBnd /proc/self/status; cat /proc/kcore; echo x > /proc/sys/kernel/hostname; "
             "echo $HOME $GREETING; cat /proc/self/oom_score_adj"});
  input.passwd_text = "root:x:0:0::/root:/bin/sh\nweb:x:101:102::/srv:/bin/sh\n";
  input.group_text = "web:x:102:\nlogs:x:7:web\n";
  input.image.user = "web";
  input.env = {{"GREETING", "hi"}};
  input.capabilities.drop = {"ALL"};
  input.capabilities.add = {"NET_BIND_SERVICE"};
  input.oom_score_adj = 900;
  ASSERT_TRUE(base::WriteFileAtomic(rootfs_ + "/etc/passwd", input.passwd_text));
  const ContainerHandle handle = RunContainer(input);
  ASSERT_TRUE(exits_.Await(handle.id));
  ASSERT_TRUE(Eventually([&] { return LogLines(handle).size() >= 6; }));
  const std::vector<std::string> lines = LogLines(handle);
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("uid=101"), HasSubstr("gid=102"), HasSubstr("7"))));
  EXPECT_THAT(lines, Contains("stdout:CapBnd:\t0000000000000400"));
  EXPECT_THAT(lines, Contains("stdout:/srv hi"));
  EXPECT_THAT(lines, Contains("stdout:900"));
  EXPECT_THAT(lines, Contains(HasSubstr("/proc/sys/kernel/hostname")));
}

TEST_P(ContainerTest, TerminalContainer) {
  const ContainerHandle handle = Bundle([&] {
    oci::ContainerSpecInput input = Input({"/bin/tty"});
    input.tty = true;
    return input;
  }());
  ASSERT_TRUE(Create(handle, true));
  ASSERT_TRUE(runtime_->Start(handle, Filter::kNone));
  const auto exit = exits_.Await(handle.id);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->exit_code, 0);
  EXPECT_TRUE(Eventually([&] { return !LogLines(handle).empty(); }));
  EXPECT_THAT(LogLines(handle), Contains(HasSubstr("/dev/")));
}

TEST_P(ContainerTest, LogIsReopenedAfterARotation) {
  const ContainerHandle handle = RunContainer(
      Input({"/bin/sh", "-c", "echo before; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo after; sleep 1000"}));
  ASSERT_TRUE(Eventually([&] { return LogLines(handle).size() == 1; }));
  ASSERT_EQ(::rename(LogPath(handle).c_str(), (LogPath(handle) + ".1").c_str()), 0);
  const auto reopened = runtime_->ReopenLog(handle, LogPath(handle));
  ASSERT_TRUE(reopened) << reopened.error().message;
  ASSERT_TRUE(base::WriteFileAtomic(rootfs_ + "/tmp/go", ""));
  EXPECT_TRUE(Eventually([&] { return LogLines(handle) == std::vector<std::string>{"stdout:after"}; }));
  ASSERT_TRUE(runtime_->Kill(handle, SIGKILL));
  ASSERT_TRUE(exits_.Await(handle.id));
  EXPECT_TRUE(Eventually([&] { return cgroups_->Processes(handle.ConmonCgroup()).empty(); }));
  EXPECT_EQ(runtime_->ReopenLog(handle, LogPath(handle)).error().code, Code::kFailedPrecondition);
}

INSTANTIATE_TEST_SUITE_P(Programs, ContainerTest, ::testing::Values("runc", "crun"),
                         [](const auto& param) { return std::string(param.param); });

}  // namespace
}  // namespace portcullis::runtime
