// The CRI runtime with real containers: runc, conmon, CNI, overlayfs. Needs root and the images of
// scripts/build-images.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/document.h"
#include "base/files.h"
#include "base/spawn.h"
#include "base/strings.h"
#include "host/proc/process.h"
#include "service_fixture.h"

namespace portcullis::runtime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Type = cri::SecurityProfileProfileType;
using State = cri::ContainerState;

const std::vector<std::string> kSleep = {"/bin/sleep", "3600"};

class ServiceIntegration : public ServiceTest {
 protected:
  std::string WriteProfile(const std::string& name, const std::string& text) {
    const std::string path = options_.seccomp_root + "/" + name;
    EXPECT_TRUE(base::WriteFileAtomic(path, text));
    return path;
  }
  int SeccompModeOf(const std::string& id) {
    auto process = host::ReadStatus(static_cast<pid_t>(InfoOf(id)["pid"].get<int64_t>()));
    EXPECT_TRUE(process) << process.error().message;
    return process ? process->seccomp_mode.value_or(-1) : -1;
  }
};

TEST_F(ServiceIntegration, RuntimeDefaultStopsWhatItShould) {
  const std::string pod = RunPod(PodConfig());
  auto config = ContainerConfig("c", kSleep);
  SetSeccomp(config, Type::kRuntimeDefault);
  const std::string id = Run(pod, config);
  const std::string out = Exec(id, {kProbe}).stdout;
  for (const char* line : {"unshare EPERM", "mount EPERM", "keyctl EPERM", "clone-newuser EPERM", "clone3 ENOSYS",
                           "add_key EPERM", "bpf EPERM"}) {
    EXPECT_THAT(out, HasSubstr(line));
  }
  EXPECT_EQ(SeccompModeOf(id), 2);
  const nlohmann::json info = InfoOf(id);
  const nlohmann::json& seccomp = info["runtimeSpec"]["linux"]["seccomp"];
  EXPECT_EQ(seccomp["defaultAction"], "SCMP_ACT_ERRNO");
  EXPECT_EQ(seccomp["architectures"].size(), 3u);
  EXPECT_THAT(info["seccompProfile"].get<std::string>(), testing::StartsWith("RuntimeDefault (containerd@"));
  EXPECT_EQ(info["sandboxID"], pod);
  EXPECT_EQ(info["privileged"], false);
  EXPECT_EQ(info["config"]["metadata"]["name"], "c");
}

TEST_F(ServiceIntegration, TheSandboxHasAFilterToo) {
  const std::string pod = RunPod(PodConfig());
  const nlohmann::json info = PodInfoOf(pod);
  EXPECT_EQ(info["runtimeSpec"]["linux"]["seccomp"]["defaultAction"], "SCMP_ACT_ERRNO");
  auto process = host::ReadStatus(static_cast<pid_t>(info["pid"].get<int64_t>()));
  ASSERT_TRUE(process) << process.error().message;
  EXPECT_EQ(process->seccomp_mode, 2);
  EXPECT_TRUE(process->no_new_privs);
}

TEST_F(ServiceIntegration, UnconfinedAndAbsentHaveNoFilter) {
  const std::string pod = RunPod(PodConfig());
  auto unconfined = ContainerConfig("unconfined", kSleep);
  SetSeccomp(unconfined, Type::kUnconfined);
  for (const auto& config : {unconfined, ContainerConfig("absent", kSleep)}) {
    const std::string id = Run(pod, config);
    EXPECT_EQ(SeccompModeOf(id), 0);
    const nlohmann::json info = InfoOf(id);
    EXPECT_FALSE(info["runtimeSpec"]["linux"].contains("seccomp"));
    EXPECT_EQ(info["seccompProfile"], "Unconfined");
    const std::string out = Exec(id, {kProbe}).stdout;
    for (const char* line : {"unshare ok", "clone3 ok", "clone-newuser ok", "keyctl ok"})
      EXPECT_THAT(out, HasSubstr(line));
  }
}

TEST_F(ServiceIntegration, LocalhostDoesWhatItsFileSays) {
  const std::string path = WriteProfile(
      "deny-chmod.json",
      R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["chmod","fchmod","fchmodat"],"action":"SCMP_ACT_ERRNO"}]})");
  const std::string pod = RunPod(PodConfig());
  auto config = ContainerConfig("c", kSleep);
  SetSeccomp(config, Type::kLocalhost, path);
  const std::string id = Run(pod, config);
  const auto chmod = Exec(id, {"/bin/sh", "-c", "touch /tmp/f; chmod 700 /tmp/f"});
  EXPECT_NE(chmod.exit_code, 0);
  EXPECT_THAT(chmod.stderr, HasSubstr("Operation not permitted"));
  EXPECT_THAT(Exec(id, {kProbe, "unshare"}).stdout, HasSubstr("unshare ok"));
  EXPECT_EQ(InfoOf(id)["seccompProfile"], "Localhost " + path);

  // The same file, privileged: C18.
  auto privileged = ContainerConfig("privileged", kSleep);
  SetSeccomp(privileged, Type::kLocalhost, path);
  privileged.linux->security_context->privileged = true;
  const std::string free = Run(pod, privileged);
  EXPECT_EQ(Exec(free, {"/bin/sh", "-c", "touch /tmp/f; chmod 700 /tmp/f"}).exit_code, 0);
  EXPECT_EQ(SeccompModeOf(free), 0);
  EXPECT_EQ(InfoOf(free)["privileged"], true);
}

TEST_F(ServiceIntegration, ABadProfileMakesNoContainer) {
  const std::string pod = RunPod(PodConfig());
  ASSERT_TRUE(base::WriteFileAtomic(scratch_ + "/outside.json", R"({"defaultAction":"SCMP_ACT_ALLOW"})"));
  const struct {
    cri::SecurityProfile profile;
    const char* text;
  } cases[] = {
      {{.profile_type = Type::kLocalhost, .localhost_ref = options_.seccomp_root + "/missing.json"},
       "no such file or directory"},
      {{.profile_type = Type::kLocalhost, .localhost_ref = scratch_ + "/outside.json"},
       "outside of the profile folder"},
      {{.profile_type = Type::kLocalhost, .localhost_ref = WriteProfile("bad.json", "{")},
       "cannot load seccomp profile"},
      {{.profile_type = Type::kRuntimeDefault, .localhost_ref = "x"},
       "LocalhostRef must only be set if ProfileType is Localhost"},
      {{.profile_type = static_cast<Type>(7)}, "seccomp unknown ProfileType"},
  };
  for (const auto& c : cases) {
    auto config = ContainerConfig("c", kSleep);
    config.linux->security_context->seccomp = c.profile;
    auto made = service().CreateContainer({.pod_sandbox_id = pod, .config = config});
    ASSERT_FALSE(made) << c.text;
    EXPECT_THAT(made.error().message, HasSubstr(c.text));
  }
  EXPECT_THAT(service().ListContainers({})->containers, IsEmpty());
  EXPECT_EQ(base::ListDir(options_.state_dir + "/bundles")->size(), 1u) << "only the sandbox's";
}

TEST_F(ServiceIntegration, StopSignalsWaitsAndTells) {
  const std::string pod = RunPod(PodConfig());
  const std::string id = Run(
      pod, ContainerConfig("polite",
                           {"/bin/sh", "-c", "trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.1; done"}));
  ASSERT_TRUE(Eventually([&] { return LogOf(id).find("stdout F ready") != std::string::npos; })) << LogOf(id);
  ASSERT_TRUE(service().StopContainer({.container_id = id, .timeout = 20}));
  const cri::ContainerStatus status = StatusOf(id);
  EXPECT_EQ(status.state, State::kContainerExited);
  EXPECT_EQ(status.exit_code, 3);
  EXPECT_EQ(status.reason, "Error");
  EXPECT_GE(status.finished_at, status.started_at);
  EXPECT_GE(status.started_at, status.created_at);
  EXPECT_THAT(LogOf(id), HasSubstr("stdout F bye"));

  const std::string deaf =
      Run(pod, ContainerConfig("deaf", {"/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"}));
  ASSERT_TRUE(Eventually([&] { return LogOf(deaf).find("ready") != std::string::npos; }));
  ASSERT_TRUE(service().StopContainer({.container_id = deaf, .timeout = 1}));
  EXPECT_EQ(StatusOf(deaf).exit_code, 137);
  EXPECT_TRUE(service().StopContainer({.container_id = deaf, .timeout = 1})) << "stopping again is fine";
  EXPECT_TRUE(service().StopContainer({.container_id = "doesnotexist"}));
}

TEST_F(ServiceIntegration, ExitsAreSeen) {
  const std::string pod = RunPod(PodConfig());
  const std::string good = Run(pod, ContainerConfig("good", {"/bin/true"}));
  ASSERT_TRUE(AwaitState(good, State::kContainerExited));
  EXPECT_EQ(StatusOf(good).reason, "Completed");
  EXPECT_EQ(StatusOf(good).exit_code, 0);
  const std::string bad = Run(pod, ContainerConfig("bad", {"/bin/sh", "-c", "exit 42"}));
  ASSERT_TRUE(AwaitState(bad, State::kContainerExited));
  EXPECT_EQ(StatusOf(bad).exit_code, 42);
  EXPECT_EQ(StatusOf(bad).reason, "Error");
  EXPECT_FALSE(service().StartContainer({.container_id = bad})) << "a container starts once";

  auto missing =
      service().CreateContainer({.pod_sandbox_id = pod, .config = ContainerConfig("none", {"/no/such/program"})});
  if (missing) missing = Failure(service().StartContainer({.container_id = missing->container_id}).error());
  EXPECT_THAT(missing.error().message, HasSubstr("/no/such/program"));
}

TEST_F(ServiceIntegration, OutOfMemoryIsNamed) {
  const std::string pod = RunPod(PodConfig());
  auto config = ContainerConfig("hungry", {"/bin/sh", "-c", "exec tail /dev/zero"});
  config.linux->resources =
      cri::LinuxContainerResources{.memory_limit_in_bytes = 16 << 20, .memory_swap_limit_in_bytes = 16 << 20};
  const std::string id = Run(pod, config);
  ASSERT_TRUE(AwaitState(id, State::kContainerExited));
  EXPECT_EQ(StatusOf(id).reason, "OOMKilled");
  EXPECT_EQ(StatusOf(id).exit_code, 137);
}

TEST_F(ServiceIntegration, ExecSyncGivesBothStreamsCodeAndTimeout) {
  const std::string pod = RunPod(PodConfig());
  const std::string id = Run(pod, ContainerConfig("c", kSleep));
  const auto done = Exec(id, {"/bin/sh", "-c", "echo out; echo err >&2; exit 9"});
  EXPECT_EQ(done.stdout, "out\n");
  EXPECT_EQ(done.stderr, "err\n");
  EXPECT_EQ(done.exit_code, 9);
  auto late = service().ExecSync({.container_id = id, .cmd = kSleep, .timeout = 1});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::kDeadlineExceeded);
  EXPECT_FALSE(service().ExecSync({.container_id = "nope", .cmd = kSleep}));
}

TEST_F(ServiceIntegration, PodNetworkAndFiles) {
  auto config = PodConfig();
  config.dns_config = cri::DNSConfig{.servers = {"192.0.2.1"}, .searches = {"a.test"}};
  const std::string pod = RunPod(config);
  auto status = service().PodSandboxStatus({.pod_sandbox_id = pod});
  ASSERT_TRUE(status);
  const std::string ip = status->status->network->ip;
  EXPECT_THAT(ip, testing::StartsWith("10."));
  const std::string a = Run(pod, ContainerConfig("a", kSleep));
  const std::string b = Run(pod, ContainerConfig("b", kSleep));
  EXPECT_THAT(Exec(a, {"/bin/sh", "-c", "ip addr show eth0"}).stdout, HasSubstr(ip));
  EXPECT_THAT(Exec(a, {"/bin/cat", "/etc/resolv.conf"}).stdout, HasSubstr("nameserver 192.0.2.1"));
  EXPECT_THAT(Exec(a, {"/bin/cat", "/etc/hosts"}).stdout, HasSubstr(ip + "\t" + config.hostname));
  EXPECT_EQ(Exec(a, {"/bin/hostname"}).stdout, config.hostname + "\n");
  // One pod: the same network and /dev/shm, own processes.
  Exec(a, {"/bin/sh", "-c", "echo shared > /dev/shm/f"});
  EXPECT_EQ(Exec(b, {"/bin/cat", "/dev/shm/f"}).stdout, "shared\n");
  EXPECT_EQ(Exec(b, {"/bin/sh", "-c", "cat /proc/1/comm"}).stdout, "sleep\n");
}

TEST_F(ServiceIntegration, HostNetworkHasNoNamespaceOfItsOwn) {
  auto config = PodConfig();
  config.linux->security_context->namespace_options->network = cri::NamespaceMode::kNode;
  const std::string pod = RunPod(config);
  auto status = service().PodSandboxStatus({.pod_sandbox_id = pod});
  EXPECT_EQ(status->status->network->ip, "");
  const std::string id = Run(pod, ContainerConfig("c", kSleep));
  EXPECT_THAT(Exec(id, {"/bin/sh", "-c", "readlink /proc/self/ns/net"}).stdout,
              HasSubstr(std::filesystem::read_symlink("/proc/self/ns/net").string()));
}

TEST_F(ServiceIntegration, NamesAreReserved) {
  const auto config = PodConfig();
  const std::string pod = RunPod(config);
  auto again = service().RunPodSandbox({.config = config});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kAlreadyExists);
  Create(pod, ContainerConfig("c", kSleep));
  EXPECT_EQ(service().CreateContainer({.pod_sandbox_id = pod, .config = ContainerConfig("c", kSleep)}).error().code,
            Code::kAlreadyExists);
  auto next = ContainerConfig("c", kSleep);
  next.metadata->attempt = 1;
  Create(pod, next);
}

TEST_F(ServiceIntegration, ListsFilterAndIdsMayBeShort) {
  const std::string one = RunPod(PodConfig());
  const std::string two = RunPod(PodConfig());
  const std::string a = Run(one, ContainerConfig("a", kSleep));
  const std::string b = Create(two, ContainerConfig("b", kSleep));
  const auto ids = [&](const cri::ContainerFilter& filter) {
    std::vector<std::string> out;
    const auto list = service().ListContainers({.filter = filter});
    for (const auto& item : list->containers) out.push_back(item.id);
    return out;
  };
  EXPECT_THAT(ids({}), ElementsAre(a, b));
  EXPECT_THAT(ids({.state = cri::ContainerStateValue{.state = State::kContainerCreated}}), ElementsAre(b));
  EXPECT_THAT(ids({.pod_sandbox_id = one}), ElementsAre(a));
  EXPECT_THAT(ids({.label_selector = {{"name", "b"}}}), ElementsAre(b));
  EXPECT_EQ(StatusOf(a.substr(0, 13)).id, a);
  EXPECT_EQ(service().ListPodSandbox({})->items.size(), 2u);
}

TEST_F(ServiceIntegration, StopAndRemoveMayBeRepeated) {
  const std::string pod = RunPod(PodConfig());
  const std::string id = Run(pod, ContainerConfig("c", kSleep));
  for (int i = 0; i < 2; ++i) {
    auto stopped = service().StopPodSandbox({.pod_sandbox_id = pod});
    ASSERT_TRUE(stopped) << stopped.error().message;
    EXPECT_EQ(PodState(pod), cri::PodSandboxState::kSandboxNotready);
  }
  EXPECT_EQ(StatusOf(id).state, State::kContainerExited);
  EXPECT_FALSE(service().CreateContainer({.pod_sandbox_id = pod, .config = ContainerConfig("late", kSleep)}));
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(service().RemoveContainer({.container_id = id}));
    ASSERT_TRUE(service().RemovePodSandbox({.pod_sandbox_id = pod}));
  }
  EXPECT_THAT(Leftovers(), Not(testing::Contains(HasSubstr("file:"))));
}

TEST_F(ServiceIntegration, ImagesStatsStatusVersion) {
  const std::string pod = RunPod(PodConfig());
  const std::string id = Run(pod, ContainerConfig("c", {"/bin/sh", "-c", "echo x > /written; sleep 3600"}));
  EXPECT_EQ(service().Version({})->runtime_name, "portcullis");
  EXPECT_EQ(service().ListImages({})->images.size(), 2u);
  EXPECT_TRUE(service().ImageStatus({.image = cri::ImageSpec{.image = "busybox"}})->image);
  EXPECT_FALSE(service().ImageStatus({.image = cri::ImageSpec{.image = "nothing:1"}})->image);
  const auto refused = service().PullImage({.image = cri::ImageSpec{.image = "127.0.0.1:1/nothing:1"}});
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("127.0.0.1:1/v2/nothing/manifests/1"));
  EXPECT_FALSE(service().RemoveImage({.image = cri::ImageSpec{.image = "busybox"}})) << "a container uses it";
  EXPECT_GT(service().ImageFsInfo({})->image_filesystems.at(0).used_bytes->value, 0u);

  auto stats = service().ContainerStats({.container_id = id});
  ASSERT_TRUE(stats) << stats.error().message;
  EXPECT_GT(stats->stats->memory->usage_bytes->value, 0u);
  EXPECT_GT(stats->stats->cpu->usage_core_nano_seconds->value, 0u);
  auto pods = service().ListPodSandboxStats({});
  ASSERT_TRUE(pods) << pods.error().message;
  ASSERT_EQ(pods->stats.size(), 1u);
  EXPECT_EQ(pods->stats[0].linux->containers.size(), 1u);
  EXPECT_TRUE(pods->stats[0].linux->network->default_interface);

  auto status = service().Status({.verbose = true});
  ASSERT_TRUE(status);
  for (const auto& condition : status->status->conditions)
    EXPECT_TRUE(condition.status) << condition.type << condition.message;
  EXPECT_THAT(status->info.at("info"), HasSubstr("containerd@"));
  EXPECT_EQ(service().RuntimeConfig({})->linux->cgroup_driver, cri::CgroupDriver::kCgroupfs);
  ASSERT_TRUE(service().UpdateContainerResources(
      {.container_id = id, .linux = cri::LinuxContainerResources{.memory_limit_in_bytes = 64 << 20}}));
  EXPECT_EQ(StatusOf(id).resources->linux->memory_limit_in_bytes, 64 << 20);
  ASSERT_TRUE(base::RemoveTree(StatusOf(id).log_path));
  ASSERT_TRUE(service().ReopenContainerLog({.container_id = id}));
  EXPECT_TRUE(base::Exists(StatusOf(id).log_path));
}

TEST_F(ServiceIntegration, PodsAreMadeAtTheSameTime) {
  std::vector<std::thread> threads;
  std::atomic<int> made = 0;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      auto pod = service().RunPodSandbox({.config = PodConfig()});
      ASSERT_TRUE(pod) << pod.error().message;
      Run(pod->pod_sandbox_id, ContainerConfig("c", kSleep));
      ++made;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(made, 6);
}

TEST_F(ServiceIntegration, AFailedSandboxLeavesNothing) {
  ASSERT_TRUE(base::WriteFileAtomic(options_.cni_conf_dir + "/00-broken.conflist",
                                    R"({"cniVersion":"1.0.0","name":"x","plugins":[{"type":"no-such-plugin"}]})"));
  auto made = service().RunPodSandbox({.config = PodConfig()});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("no-such-plugin"));
  EXPECT_THAT(Leftovers(), Not(testing::Contains(HasSubstr("file:"))));
  EXPECT_THAT(service().ListPodSandbox({})->items, IsEmpty());
  auto config = PodConfig();
  config.linux->security_context->namespace_options->network = cri::NamespaceMode::kNode;
  config.linux->sysctls = {{"kernel.no_such_sysctl", "1"}};
  EXPECT_FALSE(service().RunPodSandbox({.config = config}));
  EXPECT_THAT(service().ListPodSandbox({})->items, IsEmpty());
}

TEST_F(ServiceIntegration, RunningContainersOutliveTheDaemon) {
  const std::string pod = RunPod(PodConfig());
  const std::string running = Run(pod, ContainerConfig("running", kSleep));
  const std::string dies = Run(pod, ContainerConfig("dies", kSleep));
  const std::string created = Create(pod, ContainerConfig("created", kSleep));
  const auto pid = InfoOf(running)["pid"].get<int64_t>();
  const auto victim = InfoOf(dies)["pid"].get<int64_t>();
  DropService();
  ASSERT_EQ(::kill(static_cast<pid_t>(victim), SIGKILL), 0);
  ASSERT_TRUE(Eventually([&] { return base::Exists(options_.run_dir + "/exits/" + dies); }));
  StartService();
  EXPECT_EQ(PodState(pod), cri::PodSandboxState::kSandboxReady);
  EXPECT_EQ(StatusOf(running).state, State::kContainerRunning);
  EXPECT_EQ(InfoOf(running)["pid"], pid);
  EXPECT_EQ(Exec(running, {"/bin/echo", "here"}).stdout, "here\n");
  EXPECT_EQ(StatusOf(dies).state, State::kContainerExited);
  EXPECT_EQ(StatusOf(dies).exit_code, 137);
  ASSERT_TRUE(service().StartContainer({.container_id = created}));
  ASSERT_TRUE(service().StopContainer({.container_id = running}));
  EXPECT_EQ(StatusOf(running).exit_code, 137);
  EXPECT_EQ(StatusOf(created).state, State::kContainerRunning);
}

TEST_F(ServiceIntegration, ASecondOwnerIsRefused) {
  auto second = RuntimeService::Start(options_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(second.error().message, HasSubstr(std::to_string(::getpid())));
}

TEST_F(ServiceIntegration, StopDoesNotNeedALivingConmon) {
  const std::string pod = RunPod(PodConfig());
  const std::string id = Run(pod, ContainerConfig("c", kSleep));
  auto cgroups = Cgroups::Detect();
  ASSERT_TRUE(cgroups);
  for (const std::string& monitored : {id, pod}) {
    for (const pid_t conmon : cgroups->Processes(cgroup_ + "/conmon-" + monitored))
      ASSERT_EQ(::kill(conmon, SIGKILL), 0);
  }
  const auto before = std::chrono::steady_clock::now();
  ASSERT_TRUE(service().StopContainer({.container_id = id}));
  EXPECT_EQ(StatusOf(id).state, State::kContainerExited);
  EXPECT_EQ(StatusOf(id).exit_code, 137);
  ASSERT_TRUE(service().StopPodSandbox({.pod_sandbox_id = pod}));
  EXPECT_LT(std::chrono::steady_clock::now() - before, options_.kill_deadline);
}

TEST_F(ServiceIntegration, ADeadConmonIsNoticedWithoutAStop) {
  DropService();
  options_.monitor_check_period = std::chrono::milliseconds(100);
  StartService();
  const std::string pod = RunPod(PodConfig());
  const std::string id = Run(pod, ContainerConfig("c", kSleep));
  const std::string healthy = Run(pod, ContainerConfig("healthy", kSleep));
  auto cgroups = Cgroups::Detect();
  ASSERT_TRUE(cgroups);
  for (const std::string& monitored : {id, pod}) {
    for (const pid_t conmon : cgroups->Processes(cgroup_ + "/conmon-" + monitored))
      ASSERT_EQ(::kill(conmon, SIGKILL), 0);
  }
  ASSERT_TRUE(AwaitState(id, State::kContainerExited));
  EXPECT_EQ(StatusOf(id).exit_code, 137);
  EXPECT_THAT(cgroups->Processes(cgroup_ + "/" + id), IsEmpty());
  EXPECT_EQ(PodState(pod), cri::PodSandboxState::kSandboxReady) << "pause needs no monitor";
  EXPECT_EQ(StatusOf(healthy).state, State::kContainerRunning);
  ASSERT_EQ(::kill(static_cast<pid_t>(PodInfoOf(pod)["pid"].get<int64_t>()), SIGKILL), 0);
  EXPECT_TRUE(Eventually([&] { return PodState(pod) == cri::PodSandboxState::kSandboxNotready; }));
}

// With the pod's PID namespace, the kernel ends nothing when a container's first process goes.
TEST_F(ServiceIntegration, TheRestOfAContainerEndsWithItsFirstProcess) {
  auto config = PodConfig();
  config.linux->security_context->namespace_options->pid = cri::NamespaceMode::kPod;
  const std::string pod = RunPod(config);
  auto container = ContainerConfig("c", {"/bin/sh", "-c", "sleep 3600 & exit 3"});
  container.linux->security_context->namespace_options->pid = cri::NamespaceMode::kPod;
  const std::string id = Run(pod, container);
  ASSERT_TRUE(AwaitState(id, State::kContainerExited));
  EXPECT_EQ(StatusOf(id).exit_code, 3);
  auto cgroups = Cgroups::Detect();
  ASSERT_TRUE(cgroups);
  EXPECT_TRUE(Eventually([&] { return cgroups->Processes(cgroup_ + "/" + id).empty(); }));
}

TEST_F(ServiceIntegration, CgroupsWithOthersProcessesStay) {
  const std::string pod = RunPod(PodConfig());
  auto cgroups = Cgroups::Detect();
  ASSERT_TRUE(cgroups);
  const std::string theirs = cgroup_ + "/somebody-else";
  ASSERT_TRUE(cgroups->Create(theirs));
  auto sleeper = base::Spawn({.argv = {"/bin/sleep", "3600"}});
  ASSERT_TRUE(sleeper) << sleeper.error().message;
  ASSERT_TRUE(cgroups->AddProcess(theirs, sleeper->pid));
  ASSERT_TRUE(service().RemovePodSandbox({.pod_sandbox_id = pod}));
  EXPECT_EQ(::kill(sleeper->pid, 0), 0);
  EXPECT_THAT(cgroups->Processes(theirs), ElementsAre(sleeper->pid)) << "it is not ours to kill";
  ASSERT_EQ(::kill(sleeper->pid, SIGKILL), 0);
  ASSERT_TRUE(base::Wait(*sleeper, std::chrono::seconds(10)));
  ASSERT_TRUE(cgroups->Remove(theirs));
  // The note was kept: the next start, or the next pod that goes, removes it.
  DropService();
  StartService();
}

TEST_F(ServiceIntegration, OneOfSeveralNamesOfAnImageInUseMayGo) {
  const std::string pod = RunPod(PodConfig());
  Create(pod, ContainerConfig("c", kSleep));
  const char* folder = std::getenv("PORTCULLIS_TEST_IMAGES");
  if (folder == nullptr) GTEST_SKIP() << "PORTCULLIS_TEST_IMAGES is not set";
  ASSERT_TRUE(service().images().Load(std::string(folder) + "/busybox.tar", {.name = "mine:2"}));
  EXPECT_TRUE(service().RemoveImage({.image = cri::ImageSpec{.image = "mine:2"}}));
  EXPECT_EQ(service().RemoveImage({.image = cri::ImageSpec{.image = "busybox"}}).error().code,
            Code::kFailedPrecondition);
  EXPECT_EQ(service().RemoveImage({.image = cri::ImageSpec{.image = options_.sandbox_image}}).error().code,
            Code::kFailedPrecondition)
      << "the pod's pause process runs on it";
}

// libseccomp spins for ever on these two rules; the deadline must end it, and everything that was half-made with it.
TEST_F(ServiceIntegration, AProfileThatHangsTheOciRuntimeIsCutOff) {
  DropService();
  options_.runtime_deadline = std::chrono::seconds(4);
  options_.compile_seccomp = false;  // otherwise crun would not ask libseccomp
  StartService();
  const std::string path = WriteProfile("hang.json",
                                        R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
      {"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":40,"op":"SCMP_CMP_LE"},{"index":1,"value":3,"op":"SCMP_CMP_LT"}]},
      {"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":40,"op":"SCMP_CMP_LE"},{"index":1,"value":38,"op":"SCMP_CMP_NE"}]}]})");
  const std::string pod = RunPod(PodConfig());
  auto config = ContainerConfig("c", kSleep);
  SetSeccomp(config, Type::kLocalhost, path);
  auto made = service().CreateContainer({.pod_sandbox_id = pod, .config = config});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::kDeadlineExceeded) << made.error().message;
  EXPECT_THAT(service().ListContainers({})->containers, IsEmpty());
  EXPECT_EQ(base::ListDir(options_.state_dir + "/bundles")->size(), 1u) << "only the sandbox's";
  Run(pod, ContainerConfig("c", kSleep));
}

// Where crun runs, the filter is compiled here: libseccomp, and its hang, are left out of it.
TEST_F(ServiceIntegration, CrunGetsACompiledFilter) {
  if (FindProgram("crun").empty()) GTEST_SKIP() << "crun is not installed";
  DropService();
  options_.oci_runtime = CrunPath();
  StartService();
  const std::string pod = RunPod(PodConfig());
  EXPECT_THAT(PodInfoOf(pod)["seccompFilter"].get<std::string>(), HasSubstr("compiled and proven"));
  auto config = ContainerConfig("c", kSleep);
  SetSeccomp(config, Type::kRuntimeDefault);
  config.annotations["run.oci.seccomp_bpf_data"] = "BgAAAAAA/38=";  // "allow all": never reaches a bundle
  const std::string id = Run(pod, config);
  const nlohmann::json info = InfoOf(id);
  EXPECT_THAT(info["seccompFilter"].get<std::string>(), HasSubstr("compiled and proven"));
  EXPECT_EQ(info["runtimeSpec"]["linux"]["seccomp"]["defaultAction"], "SCMP_ACT_ERRNO");
  EXPECT_NE(info["runtimeSpec"]["annotations"]["run.oci.seccomp_bpf_data"], "BgAAAAAA/38=");
  EXPECT_EQ(SeccompModeOf(id), 2);
  const std::string out = Exec(id, {kProbe}).stdout;
  for (const char* line : {"unshare EPERM", "mount EPERM", "keyctl EPERM", "clone-newuser EPERM", "clone3 ENOSYS",
                           "add_key EPERM", "bpf EPERM"}) {
    EXPECT_THAT(out, HasSubstr(line));
  }
  EXPECT_EQ(base::ListDir(options_.state_dir + "/filters")->size(), 2u) << "the pause container's and this one's";

  const std::string hang = WriteProfile("hang.json",
                                        R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
      {"names":["socket"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":40,"op":"SCMP_CMP_LE"},{"index":1,"value":3,"op":"SCMP_CMP_LT"}]},
      {"names":["socket"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":40,"op":"SCMP_CMP_LE"},{"index":1,"value":38,"op":"SCMP_CMP_NE"}]}]})");
  auto spins = ContainerConfig("spins", kSleep);
  SetSeccomp(spins, Type::kLocalhost, hang);
  EXPECT_EQ(SeccompModeOf(Run(pod, spins)), 2) << "libseccomp would spin on this profile for ever";
}

// As if the daemon was killed between writing the row and making, or removing, everything.
TEST_F(ServiceIntegration, HalfMadeThingsAreRemovedAtTheStart) {
  const std::string pod = RunPod(PodConfig());
  const std::string half_container = Run(pod, ContainerConfig("half", kSleep));
  const std::string kept = Run(pod, ContainerConfig("kept", kSleep));
  const std::string half_pod = RunPod(PodConfig());
  Run(half_pod, ContainerConfig("in-half", kSleep));
  const std::string forgotten = RunPod(PodConfig());
  DropService();
  {
    auto store = Store::Open(options_.state_dir + "/state.db");
    ASSERT_TRUE(store);
    const auto containers = (*store)->Containers();
    for (ContainerRow row : *containers) {
      if (row.id != half_container) continue;
      row.step = ContainerStep::kCreating;
      ASSERT_TRUE((*store)->Update(row));
    }
    const auto sandboxes = (*store)->Sandboxes();
    for (SandboxRow row : *sandboxes) {
      if (row.id != half_pod) continue;
      row.step = SandboxStep::kRemoving;
      ASSERT_TRUE((*store)->Update(row));
    }
    ASSERT_TRUE((*store)->RemoveSandbox(forgotten));
  }
  StartService();
  EXPECT_EQ(service().ListPodSandbox({})->items.size(), 1u);
  const auto containers = service().ListContainers({})->containers;
  ASSERT_EQ(containers.size(), 1u);
  EXPECT_EQ(containers[0].id, kept);
  EXPECT_EQ(StatusOf(kept).state, State::kContainerRunning);
  for (const std::string& left : Leftovers()) {
    for (const std::string& gone : {half_container, half_pod, forgotten}) EXPECT_THAT(left, Not(HasSubstr(gone)));
  }
}

// A mount in a bundle stands for anything that keeps it from going.
TEST_F(ServiceIntegration, WhatCouldNotBeRemovedAtTheStartIsSeenAndCanBeRemoved) {
  const std::string pod = RunPod(PodConfig());
  const std::string id = Run(pod, ContainerConfig("c", kSleep));
  const std::string other_pod = RunPod(PodConfig());
  DropService();
  {
    auto store = Store::Open(options_.state_dir + "/state.db");
    ASSERT_TRUE(store);
    const auto containers = (*store)->Containers();
    for (ContainerRow row : *containers) {
      row.step = ContainerStep::kRemoving;
      ASSERT_TRUE((*store)->Update(row));
    }
    const auto sandboxes = (*store)->Sandboxes();
    for (SandboxRow row : *sandboxes) {
      if (row.id != other_pod) continue;
      row.step = SandboxStep::kCreating;
      ASSERT_TRUE((*store)->Update(row));
    }
  }
  std::vector<std::string> obstacles;
  for (const std::string& stuck : {id, other_pod}) {
    obstacles.push_back(options_.state_dir + "/bundles/" + stuck + "/obstacle");
    ASSERT_TRUE(base::MakeDirs(obstacles.back()));
    ASSERT_EQ(::mount("none", obstacles.back().c_str(), "tmpfs", 0, nullptr), 0);
  }
  StartService();
  EXPECT_EQ(service().ListPodSandbox({})->items.size(), 2u);
  EXPECT_EQ(PodState(other_pod), cri::PodSandboxState::kSandboxNotready);
  EXPECT_EQ(service().ListContainers({})->containers.size(), 1u);
  EXPECT_EQ(StatusOf(id).state, State::kContainerExited);
  auto failed = service().RemoveContainer({.container_id = id});
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().code, Code::kNotFound) << "that would mean success to a client";
  EXPECT_EQ(service().ListContainers({})->containers.size(), 1u) << "still there to be asked for";
  for (const std::string& obstacle : obstacles) ASSERT_EQ(::umount2(obstacle.c_str(), 0), 0);
  EXPECT_TRUE(service().RemoveContainer({.container_id = id}));
  EXPECT_TRUE(service().RemovePodSandbox({.pod_sandbox_id = other_pod}));
}

TEST_F(ServiceIntegration, AnExitThatConmonHasNotWrittenYetIsNotInvented) {
  const std::string pod = RunPod(PodConfig());
  const std::string id = Run(pod, ContainerConfig("c", kSleep));
  const auto pid = static_cast<pid_t>(InfoOf(id)["pid"].get<int64_t>());
  auto cgroups = Cgroups::Detect();
  ASSERT_TRUE(cgroups);
  const std::vector<pid_t> conmon = cgroups->Processes(cgroup_ + "/conmon-" + id);
  ASSERT_EQ(conmon.size(), 1u);
  DropService();
  ASSERT_EQ(::kill(conmon[0], SIGSTOP), 0);
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  StartService();
  EXPECT_EQ(StatusOf(id).state, State::kContainerRunning) << "until its exit code is known";
  ASSERT_EQ(::kill(conmon[0], SIGCONT), 0);
  ASSERT_TRUE(AwaitState(id, State::kContainerExited));
  EXPECT_EQ(StatusOf(id).exit_code, 137);
  EXPECT_EQ(StatusOf(id).reason, "Error");
}

// Kills a container between its making and the record of it, and waits until that has been told.
class KillWhenCreated : public ContainerObserver {
 public:
  KillWhenCreated(std::string name, std::string exits) : name_(std::move(name)), exits_(std::move(exits)) {}
  void OnCreated(const ContainerCreatedEvent& event) override {
    if (event.name != name_) return;
    ::kill(event.pid, SIGKILL);
    while (!base::Exists(exits_ + "/" + event.id)) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  }

 private:
  const std::string name_;
  const std::string exits_;
};

TEST_F(ServiceIntegration, AnExitBeforeTheRecordIsNotOverwritten) {
  DropService();
  ObserverList observers;
  observers.Add(std::make_shared<KillWhenCreated>("victim", options_.run_dir + "/exits"));
  auto started = RuntimeService::Start(options_, &observers);
  ASSERT_TRUE(started) << started.error().message;
  service_ = std::move(*started);
  const std::string pod = RunPod(PodConfig());
  const std::string id = Create(pod, ContainerConfig("victim", kSleep));
  EXPECT_EQ(StatusOf(id).state, State::kContainerExited);
  EXPECT_EQ(StatusOf(id).exit_code, 137);
  DropService();  // before the observers go
}

TEST_F(ServiceIntegration, ARebootLeavesExitedContainersAndNothingElse) {
  // Without masquerading: a made-up reboot cannot take firewall rules away as a real one does. With leases that
  // survive.
  const std::string network_file = options_.cni_conf_dir + "/" + base::ListDir(options_.cni_conf_dir)->at(0);
  auto network = base::ParseJson(*base::ReadFile(network_file), network_file);
  ASSERT_TRUE(network);
  (*network)["plugins"][0]["ipMasq"] = false;
  (*network)["plugins"][0]["ipam"]["dataDir"] = scratch_ + "/ipam";
  ASSERT_TRUE(base::WriteFileAtomic(network_file, network->dump()));
  const std::string pod = RunPod(PodConfig());
  const std::string id = Run(pod, ContainerConfig("c", kSleep));
  DropService();
  // What a reboot does: processes, cgroups and mounts gone, the volatile folder empty, another boot id.
  auto cgroups = Cgroups::Detect();
  ASSERT_TRUE(cgroups);
  ASSERT_TRUE(cgroups->Destroy(cgroup_));
  auto mounts = base::ReadFile("/proc/self/mountinfo");
  for (const std::string& line : base::Split(*mounts, '\n')) {
    const std::vector<std::string> words = base::Split(line, ' ');
    if (words.size() > 4 && words[4].starts_with(scratch_)) ::umount2(words[4].c_str(), MNT_DETACH);
  }
  ASSERT_TRUE(base::RemoveTree(options_.run_dir));
  const auto leases = [&] {
    auto names = base::ListDir(scratch_ + "/ipam/" + network_);
    return names
               ? std::count_if(names->begin(), names->end(), [](const std::string& n) { return n.starts_with("10."); })
               : -1;
  };
  EXPECT_EQ(leases(), 1);
  {
    auto store = Store::Open(options_.state_dir + "/state.db");
    ASSERT_TRUE(store && (*store)->SetSetting("boot_id", "another boot"));
  }
  StartService();
  EXPECT_EQ(PodState(pod), cri::PodSandboxState::kSandboxNotready);
  EXPECT_EQ(StatusOf(id).state, State::kContainerExited);
  EXPECT_EQ(StatusOf(id).exit_code, 255);
  EXPECT_EQ(StatusOf(id).message, "the node was restarted");
  EXPECT_EQ(leases(), 0) << "the address must be free again";
  ASSERT_TRUE(service().StopPodSandbox({.pod_sandbox_id = pod}));
  ASSERT_TRUE(service().RemovePodSandbox({.pod_sandbox_id = pod}));
  RunPod(PodConfig());
}

}  // namespace
}  // namespace portcullis::runtime
