// Pause processes of our own (portcullis-pause): what they are confined to, as the kernel tells it, beside those that
// the OCI runtime makes.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/spawn.h"
#include "base/strings.h"
#include "engine/filter/prove.h"
#include "engine/seccomp/resolved.h"
#include "host/filter/filters.h"
#include "service_fixture.h"

namespace portcullis::runtime {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<std::string> kSleep = {"/bin/sleep", "3600"};

class Pause : public ServiceTest {
 protected:
  pid_t PidOf(const std::string& pod) { return static_cast<pid_t>(PodInfoOf(pod)["pid"].get<int64_t>()); }

  // A field of /proc/<pid>/status.
  static std::string Field(pid_t pid, const std::string& name) {
    const auto text = base::ReadFile(fmt::format("/proc/{}/status", pid));
    if (!text) return "";
    for (const std::string& line : base::Split(*text, '\n')) {
      if (line.starts_with(name + ":")) return std::string(base::Trim(std::string_view(line).substr(name.size() + 1)));
    }
    return "";
  }

  static std::string Namespace(pid_t pid, const std::string& kind) {
    std::array<char, 64> link{};
    const std::string path = pid == 0 ? "/proc/self/ns/" + kind : fmt::format("/proc/{}/ns/{}", pid, kind);
    return ::readlink(path.c_str(), link.data(), link.size() - 1) > 0 ? link.data() : "";
  }

  static std::string Read(const std::string& path) {
    auto text = base::ReadFile(path);
    return text ? *text : text.error().message;
  }

  cri::PodSandboxConfig SharedPids() const {
    auto config = PodConfig();
    config.linux->security_context->namespace_options->pid = cri::NamespaceMode::kPod;
    return config;
  }

  void Restart(bool own_pause) {
    DropService();
    options_.own_pause = own_pause;
    StartService();
  }
};

TEST_F(Pause, IsConfinedAsItsSpecSays) {
  const std::string pod = RunPod(PodConfig());
  const nlohmann::json info = PodInfoOf(pod);
  ASSERT_EQ(info["pauseProcess"], "made by portcullis-pause");
  EXPECT_EQ(info["processStatus"], "running");
  EXPECT_EQ(info["seccompFilter"], "compiled and proven equal to the profile, installed by portcullis-pause");
  const nlohmann::json& spec = info["runtimeSpec"];
  const pid_t pid = PidOf(pod);
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    EXPECT_EQ(Field(pid, set), "0000000000000000") << set;
  }
  EXPECT_EQ(Field(pid, "NoNewPrivs"), "1");
  EXPECT_EQ(Field(pid, "Seccomp"), "2");
  EXPECT_EQ(Field(pid, "Seccomp_filters"), "1");
  EXPECT_EQ(Field(pid, "NSpid"), fmt::format("{}\t1", pid));
  const auto uid = spec["process"]["user"]["uid"].get<uint32_t>();
  EXPECT_EQ(Field(pid, "Uid"), fmt::format("{0}\t{0}\t{0}\t{0}", uid));
  for (const char* kind : {"pid", "ipc", "uts", "mnt", "net"}) {
    EXPECT_NE(Namespace(pid, kind), Namespace(0, kind)) << kind;
  }
  // Its root: one mount, empty, that nothing can be written to or run from; and no descriptor that leads elsewhere.
  const std::vector<std::string> mounts = base::Split(base::Trim(Read(fmt::format("/proc/{}/mountinfo", pid))), '\n');
  ASSERT_EQ(mounts.size(), 1u) << base::Join(mounts, "\n");
  EXPECT_THAT(mounts[0], HasSubstr(" / ro,nosuid,nodev,noexec"));
  EXPECT_THAT(*base::ListDir(fmt::format("/proc/{}/root/", pid)), IsEmpty());
  EXPECT_THAT(*base::ListDir(fmt::format("/proc/{}/fd", pid)), IsEmpty());
  EXPECT_TRUE(spec["root"]["readonly"]);
  EXPECT_FALSE(spec.contains("mounts"));
  EXPECT_EQ(Read(fmt::format("/proc/{}/cmdline", pid)), std::string("/pause\0", 7));
  EXPECT_EQ(Read(fmt::format("/proc/{}/oom_score_adj", pid)),
            std::to_string(spec["process"]["oomScoreAdj"].get<int64_t>()) + "\n");
  auto cgroups = Cgroups::Detect();
  ASSERT_TRUE(cgroups);
  EXPECT_THAT(cgroups->Processes(cgroup_ + "/" + pod), testing::ElementsAre(pid));
  EXPECT_THAT(cgroups->Processes(cgroup_ + "/conmon-" + pod), IsEmpty());
  if (cgroups->layout() != CgroupLayout::kUnified) {
    EXPECT_EQ(Read(cgroups->DirectoryOf("devices", cgroup_ + "/" + pod) + "/devices.list"), "") << "no device at all";
    EXPECT_EQ(Read(cgroups->DirectoryOf("cpu", cgroup_ + "/" + pod) + "/cpu.shares"), "2\n");
  }
}

// What it can and cannot call: the filter that the kernel runs is the one that the spec shows.
TEST_F(Pause, TheKernelRunsTheFilterOfItsProfile) {
  const std::string pod = RunPod(PodConfig());
  auto filters = host::ReadFilters(PidOf(pod));
  ASSERT_TRUE(filters) << filters.error().message;
  ASSERT_EQ(filters->size(), 1u);
  auto profile = seccomp::FromJson(PodInfoOf(pod)["runtimeSpec"]["linux"]["seccomp"], "the pod's spec");
  ASSERT_TRUE(profile) << profile.error().message;
  auto verdict = filter::Prove(filters->front(), filter::Describe(*profile));
  ASSERT_TRUE(verdict) << verdict.error().message;
  EXPECT_TRUE(verdict->equal);
}

TEST_F(Pause, IsAtLeastAsConfinedAsTheOciRuntimes) {
  const std::string own = RunPod(PodConfig());
  const pid_t ours = PidOf(own);
  Restart(/*own_pause=*/false);
  const std::string other = RunPod(PodConfig());
  const pid_t theirs = PidOf(other);
  ASSERT_THAT(PodInfoOf(other)["pauseProcess"].get<std::string>(), testing::Not(HasSubstr("portcullis")));
  for (const char* field : {"Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs",
                            "Seccomp", "Seccomp_filters"}) {
    EXPECT_EQ(Field(ours, field), Field(theirs, field)) << field;
  }
  EXPECT_EQ(Read(fmt::format("/proc/{}/oom_score_adj", ours)), Read(fmt::format("/proc/{}/oom_score_adj", theirs)));
  for (const char* kind : {"pid", "ipc", "uts", "mnt", "net", "cgroup", "user"}) {
    if (Namespace(theirs, kind) != Namespace(0, kind)) {
      EXPECT_NE(Namespace(ours, kind), Namespace(0, kind)) << kind;
    }
  }
}

// A container of the same PID namespace must not reach the host's file behind /proc/1/exe.
TEST_F(Pause, ItsProgramCannotBeWrittenTo) {
  const std::string exe = fmt::format("/proc/{}/exe", PidOf(RunPod(SharedPids())));
  EXPECT_LT(::open(exe.c_str(), O_WRONLY | O_CLOEXEC), 0);
  EXPECT_TRUE(errno == EROFS || errno == ETXTBSY) << ErrnoText(errno);
  const base::UniqueFd held(::open(exe.c_str(), O_PATH | O_CLOEXEC));
  ASSERT_TRUE(held.valid());
  const std::string again = fmt::format("/proc/self/fd/{}", held.get());
  EXPECT_EQ(::chmod(again.c_str(), 0777), -1);
  EXPECT_EQ(errno, EROFS) << "its mount is read-only, whoever opens it";
  EXPECT_EQ(::mount(nullptr, again.c_str(), nullptr, MS_REMOUNT | MS_BIND, nullptr), -1) << "nor can that be changed";
}

TEST_F(Pause, ReapsWhatItsNamespaceOrphans) {
  const std::string pod = RunPod(SharedPids());
  auto config = ContainerConfig("c", kSleep);
  config.linux->security_context->namespace_options->pid = cri::NamespaceMode::kPod;
  const std::string id = Run(pod, config);
  EXPECT_THAT(Exec(id, {"/bin/sh", "-c", "cat /proc/1/comm"}).stdout, HasSubstr("pause"));
  // The middle one ends first, so that the last is orphaned and ends as pause's child.
  Exec(id, {"/bin/sh", "-c", "(sleep 0.2 & echo $!) & wait"});
  EXPECT_TRUE(
      Eventually([&] { return Exec(id, {"/bin/sh", "-c", "cat /proc/[0-9]*/stat | grep ') Z '"}).exit_code != 0; }));
  EXPECT_EQ(PodState(pod), cri::PodSandboxState::kSandboxReady);
}

TEST_F(Pause, ItsEndIsSeenAndSoIsOneWhileNobodyLooked) {
  for (const int signal : {SIGTERM, SIGKILL}) {
    const std::string pod = RunPod(PodConfig());
    ASSERT_EQ(::kill(PidOf(pod), signal), 0);
    EXPECT_TRUE(Eventually([&] { return PodState(pod) == cri::PodSandboxState::kSandboxNotready; })) << signal;
    EXPECT_EQ(PidOf(pod), 0);
  }
  const std::string lives = RunPod(PodConfig());
  const std::string ends = RunPod(PodConfig());
  const pid_t pid = PidOf(lives);
  const pid_t gone = PidOf(ends);
  DropService();
  ASSERT_EQ(::kill(gone, SIGKILL), 0);
  EXPECT_TRUE(Eventually([&] { return Field(gone, "State").empty() || Field(gone, "State")[0] == 'Z'; }));
  StartService();
  EXPECT_EQ(PodState(ends), cri::PodSandboxState::kSandboxNotready);
  EXPECT_EQ(PodState(lives), cri::PodSandboxState::kSandboxReady);
  EXPECT_EQ(PidOf(lives), pid);
  Run(lives, ContainerConfig("c", kSleep));
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  EXPECT_TRUE(Eventually([&] { return PodState(lives) == cri::PodSandboxState::kSandboxNotready; })) << "watched again";
}

TEST_F(Pause, PodsOfAnOlderVersionAreTakenOver) {
  Restart(/*own_pause=*/false);
  const std::string old_pod = RunPod(PodConfig());
  const pid_t pid = PidOf(old_pod);
  Restart(/*own_pause=*/true);
  EXPECT_EQ(PodState(old_pod), cri::PodSandboxState::kSandboxReady);
  EXPECT_EQ(PidOf(old_pod), pid);
  const std::string id = Run(old_pod, ContainerConfig("c", kSleep));
  EXPECT_EQ(StatusOf(id).state, cri::ContainerState::kContainerRunning);
  EXPECT_EQ(PodInfoOf(RunPod(PodConfig()))["pauseProcess"], "made by portcullis-pause");
  ASSERT_TRUE(service().StopPodSandbox({.pod_sandbox_id = old_pod}));
  EXPECT_EQ(PodState(old_pod), cri::PodSandboxState::kSandboxNotready);
  ASSERT_TRUE(service().RemovePodSandbox({.pod_sandbox_id = old_pod}));
}

TEST_F(Pause, SetsHostnameAndSysctlsOfItsNamespacesAlone) {
  auto config = PodConfig();
  config.linux->sysctls = {{"net.ipv4.ip_local_port_range", "20000 30000"}, {"kernel.shm_rmid_forced", "1"}};
  const std::string host = Read("/proc/sys/kernel/shm_rmid_forced");
  const std::string pod = RunPod(config);
  EXPECT_EQ(PodInfoOf(pod)["pauseProcess"], "made by portcullis-pause");
  const std::string id = Run(pod, ContainerConfig("c", kSleep));
  EXPECT_EQ(Exec(id, {"cat", "/proc/sys/net/ipv4/ip_local_port_range"}).stdout, "20000\t30000\n");
  EXPECT_EQ(Exec(id, {"cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start"}).stdout, "0\n");
  EXPECT_EQ(Exec(id, {"cat", "/proc/sys/kernel/shm_rmid_forced"}).stdout, "1\n");
  EXPECT_EQ(Exec(id, {"hostname"}).stdout, config.hostname + "\n");
  EXPECT_EQ(Read("/proc/sys/kernel/shm_rmid_forced"), host);
}

TEST_F(Pause, WhatItDoesNotDoIsTheOciRuntimes) {
  auto config = PodConfig();
  config.linux->sysctls = {{"kernel.domainname", "example"}};
  auto made = service().RunPodSandbox({.config = config});
  if (made) {
    EXPECT_THAT(PodInfoOf(made->pod_sandbox_id)["pauseProcess"].get<std::string>(),
                testing::Not(HasSubstr("portcullis")));
  } else {
    EXPECT_THAT(made.error().message, HasSubstr("kernel.domainname")) << "refused in the OCI runtime's words";
  }
}

TEST_F(Pause, AFailureSaysWhatFailedAndLeavesNothing) {
  auto config = PodConfig();
  config.linux->sysctls = {{"net.ipv4.no_such_thing", "1"}};
  auto made = service().RunPodSandbox({.config = config});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("portcullis-pause: set a sysctl: no such file or directory"));
  EXPECT_THAT(service().ListPodSandbox({})->items, IsEmpty());
}

TEST_F(Pause, HostNamespacesStayTheHosts) {
  auto config = PodConfig();
  config.hostname.clear();
  auto& options = *config.linux->security_context->namespace_options;
  options.network = options.pid = options.ipc = cri::NamespaceMode::kNode;
  const std::string pod = RunPod(config);
  EXPECT_EQ(PodInfoOf(pod)["pauseProcess"], "made by portcullis-pause");
  const pid_t pid = PidOf(pod);
  for (const char* kind : {"pid", "ipc", "uts", "net"}) EXPECT_EQ(Namespace(pid, kind), Namespace(0, kind)) << kind;
  EXPECT_NE(Namespace(pid, "mnt"), Namespace(0, "mnt"));
  EXPECT_EQ(Field(pid, "CapEff"), "0000000000000000");
}

}  // namespace
}  // namespace portcullis::runtime
