#include "spec/oci/spec_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/seccomp/capabilities.h"

namespace portcullis::oci {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Strings = std::vector<std::string>;

ContainerSpecInput Input() {
  ContainerSpecInput in;
  in.rootfs = "/snapshots/7";
  in.hostname = "test-pod";
  in.image.entrypoint = {"/entry"};
  in.image.cmd = {"serve", "now"};
  in.sandbox = {"/run/netns/n", "/proc/8/ns/ipc", "/proc/8/ns/uts", "/proc/8/ns/pid"};
  in.host.capabilities = {seccomp::CapabilityNames().begin(), seccomp::CapabilityNames().end()};
  in.capabilities.daemon = in.host.capabilities;
  in.shm_path = "/run/sandbox/shm";
  in.cgroups_path = "/kubepods/pod1/c1";
  in.seccomp.emplace();
  return in;
}

Spec Build(const ContainerSpecInput& in) {
  const auto built = BuildContainerSpec(in);
  EXPECT_TRUE(built) << built.error().message;
  return built ? built->spec : Spec{};
}

const Mount* FindMount(const Spec& spec, const std::string& destination) {
  for (const Mount& mount : spec.mounts) {
    if (mount.destination == destination) return &mount;
  }
  return nullptr;
}

TEST(BuildContainerSpecTest, CommandAndArgs) {
  const struct {
    Strings entrypoint, cmd, command, args, want;
  } kCases[] = {
      {{"/e"}, {"c"}, {}, {}, {"/e", "c"}}, {{"/e"}, {"c"}, {}, {"a"}, {"/e", "a"}},
      {{"/e"}, {"c"}, {"/x"}, {}, {"/x"}},  {{"/e"}, {"c"}, {"/x"}, {"a"}, {"/x", "a"}},
      {{}, {"c"}, {}, {}, {"c"}},           {{""}, {"c"}, {}, {}, {"c"}},
      {{}, {}, {}, {"a"}, {"a"}},           {{}, {}, {"/x"}, {}, {"/x"}},
  };
  for (const auto& c : kCases) {
    ContainerSpecInput in = Input();
    in.image.entrypoint = c.entrypoint;
    in.image.cmd = c.cmd;
    in.command = c.command;
    in.args = c.args;
    EXPECT_EQ(Build(in).process.args, c.want);
  }
  ContainerSpecInput in = Input();
  in.image = {};
  EXPECT_THAT(BuildContainerSpec(in).error().message, HasSubstr("no command specified"));
}

TEST(BuildContainerSpecTest, Environment) {
  ContainerSpecInput in = Input();
  in.tty = true;
  in.image.env = {"PATH=/image", "A=1", "nothing", "=x", "A=2"};
  in.env = {{"A", "3"}, {"B", "x=y"}, {"TERM", "dumb"}};
  EXPECT_THAT(Build(in).process.env, ElementsAre("PATH=/image", "HOSTNAME=test-pod", "TERM=dumb", "A=3", "B=x=y"));
  EXPECT_THAT(Build(Input()).process.env,
              ElementsAre("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=test-pod"));
  in.env = {{"A=B", "x"}};
  EXPECT_EQ(BuildContainerSpec(in).error().code, Code::kInvalidArgument);
}

TEST(BuildContainerSpecTest, WorkingDirectory) {
  ContainerSpecInput in = Input();
  EXPECT_EQ(Build(in).process.cwd, "/");
  in.image.working_dir = "/srv";
  EXPECT_EQ(Build(in).process.cwd, "/srv");
  in.working_dir = "/data";
  EXPECT_EQ(Build(in).process.cwd, "/data");
  in.working_dir = "data";
  EXPECT_THAT(BuildContainerSpec(in).error().message, HasSubstr("\"data\" is not absolute"));
}

TEST(BuildContainerSpecTest, NamespacesByMode) {
  using Mode = NamespaceMode;
  const Namespace mount{NamespaceType::kMount, ""};
  const Namespace ipc{NamespaceType::kIpc, "/proc/8/ns/ipc"};
  const Namespace uts{NamespaceType::kUts, "/proc/8/ns/uts"};
  const Namespace net{NamespaceType::kNetwork, "/run/netns/n"};
  const Namespace own_pid{NamespaceType::kPid, ""};
  const Namespace pid{NamespaceType::kPid, "/proc/8/ns/pid"};
  const struct {
    NamespaceModes modes;
    std::vector<Namespace> want;
  } kCases[] = {
      {{Mode::kPod, Mode::kContainer, Mode::kPod}, {own_pid, ipc, uts, net, mount}},
      {{Mode::kPod, Mode::kPod, Mode::kPod}, {pid, ipc, uts, net, mount}},
      {{Mode::kPod, Mode::kTarget, Mode::kPod}, {pid, ipc, uts, net, mount}},
      {{Mode::kNode, Mode::kNode, Mode::kNode}, {mount}},
      {{Mode::kNode, Mode::kContainer, Mode::kPod}, {own_pid, ipc, mount}},
  };
  for (const auto& c : kCases) {
    ContainerSpecInput in = Input();
    in.modes = c.modes;
    EXPECT_EQ(Build(in).linux_.namespaces, c.want);
  }
  ContainerSpecInput in = Input();
  in.host.unified_cgroups = true;
  EXPECT_THAT(Build(in).linux_.namespaces, Contains(Namespace{NamespaceType::kCgroup, ""}));
  in.sandbox.ipc.clear();
  EXPECT_THAT(BuildContainerSpec(in).error().message, HasSubstr("the sandbox has no ipc namespace to join"));
}

TEST(BuildContainerSpecTest, UnprivilegedIsConfined) {
  const Spec spec = Build(Input());
  EXPECT_EQ(spec.oci_version, "1.0.2");
  ASSERT_TRUE(spec.process.capabilities);
  EXPECT_EQ(spec.process.capabilities->bounding.size(), 14u);
  EXPECT_EQ(spec.process.capabilities->effective, spec.process.capabilities->bounding);
  EXPECT_EQ(spec.process.capabilities->permitted, spec.process.capabilities->bounding);
  EXPECT_THAT(spec.process.capabilities->inheritable, IsEmpty());
  EXPECT_TRUE(spec.linux_.seccomp);
  EXPECT_THAT(spec.linux_.masked_paths, Contains("/proc/kcore"));
  EXPECT_THAT(spec.linux_.readonly_paths, Contains("/proc/sys"));
  EXPECT_THAT(FindMount(spec, "/sys")->options, Contains("ro"));
  EXPECT_THAT(FindMount(spec, "/sys/fs/cgroup")->options, Contains("ro"));
  EXPECT_EQ(FindMount(spec, "/dev/shm")->source, "/run/sandbox/shm");
  ASSERT_EQ(spec.linux_.resources->devices.size(), 1u);
  EXPECT_FALSE(spec.linux_.resources->devices[0].allow);
  EXPECT_EQ(spec.linux_.cgroups_path, "/kubepods/pod1/c1");
}

TEST(BuildContainerSpecTest, PrivilegedIsNot) {
  ContainerSpecInput in = Input();
  in.capabilities.privileged = true;
  in.host.unified_cgroups = true;
  in.apparmor_profile = "cri";
  in.host.devices = {
      {.path = "/dev/kmsg", .type = "c", .major = 1, .minor = 11, .file_mode = {}, .uid = {}, .gid = {}}};
  const Spec spec = Build(in);
  EXPECT_EQ(spec.process.capabilities->bounding, in.host.capabilities);
  EXPECT_FALSE(spec.linux_.seccomp);
  EXPECT_THAT(spec.linux_.masked_paths, IsEmpty());
  EXPECT_THAT(spec.linux_.readonly_paths, IsEmpty());
  EXPECT_EQ(spec.process.apparmor_profile, "");
  EXPECT_THAT(FindMount(spec, "/sys")->options, Contains("rw"));
  EXPECT_EQ(spec.linux_.devices, in.host.devices);
  EXPECT_TRUE(spec.linux_.resources->devices[0].allow);
  EXPECT_THAT(spec.linux_.namespaces, Not(Contains(Namespace{NamespaceType::kCgroup, ""})));
}

TEST(BuildContainerSpecTest, GivenMasksReplaceTheDefault) {
  ContainerSpecInput in = Input();
  in.masked_paths = Strings{};
  in.readonly_paths = Strings{"/proc/x"};
  EXPECT_THAT(Build(in).linux_.masked_paths, IsEmpty());
  EXPECT_THAT(Build(in).linux_.readonly_paths, ElementsAre("/proc/x"));
}

TEST(BuildContainerSpecTest, UserAndGroups) {
  ContainerSpecInput in = Input();
  in.passwd_text = "web:x:101:102::/srv:/bin/sh\n";
  in.group_text = "logs:x:7:web\n";
  in.image.user = "web";
  in.supplemental_groups = {9, 7};
  EXPECT_EQ(Build(in).process.user, (User{101, 102, {102, 7, 9}}));
  in.strict_supplemental_groups = true;
  EXPECT_EQ(Build(in).process.user, (User{101, 102, {102, 9, 7}}));
  in.run_as_user = 5;
  in.run_as_group = 6;
  EXPECT_EQ(Build(in).process.user, (User{5, 6, {6, 9, 7}}));
  in.supplemental_groups = {-1};
  EXPECT_FALSE(BuildContainerSpec(in));
}

TEST(BuildContainerSpecTest, RuntimeAnnotationsNeverReachTheBundle) {
  ContainerSpecInput in = Input();
  in.annotations = {{"run.oci.seccomp_bpf_data", "x"},
                    {"Run.OCI.handler", "krun"},
                    {"org.systemd.property.DevicePolicy", "'auto'"},
                    {"module.wasm.image/variant", "compat"},
                    {"run.ocicats", "kept"},
                    {"io.kubernetes.cri.x", "kept"}};
  const auto built = BuildContainerSpec(in);
  ASSERT_TRUE(built);
  EXPECT_EQ(built->spec.annotations.size(), 2u);
  EXPECT_FALSE(built->spec.annotations.contains("run.oci.seccomp_bpf_data"));
  EXPECT_FALSE(built->spec.annotations.contains("Run.OCI.handler"));
  EXPECT_EQ(built->notes.size(), 4u);
  EXPECT_THAT(built->notes, Contains(HasSubstr("annotation run.oci.seccomp_bpf_data is dropped")));
}

TEST(BuildContainerSpecTest, WhatTheDaemonMayNotGiveIsClamped) {
  ContainerSpecInput in = Input();
  in.oom_score_adj = -997;
  in.rlimits = {{"RLIMIT_NOFILE", 4096, 4096}};
  in.host.oom_score_adj = -5;
  in.host.rlimit_maximum = {{"RLIMIT_NOFILE", 1024}};
  const auto able = BuildContainerSpec(in);
  EXPECT_EQ(able->spec.process.oom_score_adj, -997);
  EXPECT_EQ(able->spec.process.rlimits[0].hard, 4096u);
  EXPECT_THAT(able->notes, IsEmpty());
  std::erase(in.host.capabilities, "CAP_SYS_RESOURCE");
  const auto built = BuildContainerSpec(in);
  EXPECT_EQ(built->spec.process.oom_score_adj, -5);
  EXPECT_EQ(built->spec.process.rlimits[0], (Rlimit{"RLIMIT_NOFILE", 1024, 1024}));
  EXPECT_THAT(built->notes, ElementsAre("oom_score_adj -997 is raised to -5: the runtime has no CAP_SYS_RESOURCE",
                                        "RLIMIT_NOFILE 4096 is lowered to 1024: the runtime has no CAP_SYS_RESOURCE"));
  in.oom_score_adj = 1000;
  EXPECT_EQ(Build(in).process.oom_score_adj, 1000);
  in.oom_score_adj.reset();
  EXPECT_FALSE(Build(in).process.oom_score_adj);
}

TEST(BuildContainerSpecTest, MountsInOrderAndReplacingDefaults) {
  ContainerSpecInput in = Input();
  in.mounts = {{"/data/deep/er", "bind", "/a", {"rbind"}},
               {"/data", "bind", "/b", {"rbind", "rslave"}},
               {"/dev/shm", "bind", "/c", {"rbind"}}};
  const Spec spec = Build(in);
  ASSERT_GE(spec.mounts.size(), 3u);
  EXPECT_EQ(spec.mounts[spec.mounts.size() - 3].destination, "/data");
  EXPECT_EQ(spec.mounts[spec.mounts.size() - 2].destination, "/dev/shm");
  EXPECT_EQ(spec.mounts.back().destination, "/data/deep/er");
  EXPECT_EQ(FindMount(spec, "/dev/shm")->source, "/c");
  EXPECT_EQ(spec.linux_.rootfs_propagation, "rslave");
  in.mounts[0].options.push_back("rshared");
  EXPECT_EQ(Build(in).linux_.rootfs_propagation, "rshared");
  in.mounts[0].destination = "data";
  EXPECT_FALSE(BuildContainerSpec(in));
}

TEST(BuildContainerSpecTest, Devices) {
  ContainerSpecInput in = Input();
  in.devices = {
      {{.path = "/dev/fuse", .type = "c", .major = 10, .minor = 229, .file_mode = {}, .uid = {}, .gid = {}}, "rw"}};
  const Spec spec = Build(in);
  ASSERT_EQ(spec.linux_.devices.size(), 1u);
  ASSERT_EQ(spec.linux_.resources->devices.size(), 2u);
  EXPECT_EQ(spec.linux_.resources->devices[1], (DeviceRule{true, "c", 10, 229, "rw"}));
}

TEST(BuildSandboxSpecTest, Pause) {
  SandboxSpecInput in;
  in.rootfs = "/pause";
  in.hostname = "test-pod";
  in.image.entrypoint = {"/pause"};
  in.network_namespace = "/run/netns/n";
  in.sysctls = {{"net.ipv4.ip_unprivileged_port_start", "0"}};
  in.annotations = {{"run.oci.x", "y"}};
  in.seccomp.emplace();
  const auto built = BuildSandboxSpec(in);
  ASSERT_TRUE(built);
  const Spec& spec = built->spec;
  EXPECT_TRUE(spec.root.readonly);
  EXPECT_TRUE(spec.process.no_new_privileges);
  EXPECT_THAT(spec.process.capabilities->bounding, IsEmpty());
  EXPECT_EQ(spec.hostname, "test-pod");
  EXPECT_THAT(spec.linux_.namespaces,
              ElementsAre(Namespace{NamespaceType::kPid, ""}, Namespace{NamespaceType::kIpc, ""},
                          Namespace{NamespaceType::kUts, ""}, Namespace{NamespaceType::kNetwork, "/run/netns/n"},
                          Namespace{NamespaceType::kMount, ""}));
  EXPECT_TRUE(spec.linux_.seccomp);
  EXPECT_THAT(spec.annotations, IsEmpty());
  EXPECT_EQ(spec.linux_.sysctl.size(), 1u);

  in.modes = {NamespaceMode::kNode, NamespaceMode::kNode, NamespaceMode::kNode};
  in.network_namespace.clear();
  const auto host = BuildSandboxSpec(in);
  ASSERT_TRUE(host);
  EXPECT_EQ(host->spec.hostname, "") << "the host's UTS namespace keeps its name";
  EXPECT_THAT(host->spec.linux_.namespaces, ElementsAre(Namespace{NamespaceType::kMount, ""}));
  in.modes.network = NamespaceMode::kPod;
  EXPECT_FALSE(BuildSandboxSpec(in));
}

TEST(BuildExecProcessTest, SameRightsOtherCommand) {
  ContainerSpecInput in = Input();
  in.capabilities.drop = {"ALL"};
  in.no_new_privileges = true;
  const Spec spec = Build(in);
  const Process process = BuildExecProcess(spec, {"/bin/sh"}, true);
  EXPECT_THAT(process.args, ElementsAre("/bin/sh"));
  EXPECT_TRUE(process.terminal);
  EXPECT_TRUE(process.no_new_privileges);
  EXPECT_EQ(process.capabilities, spec.process.capabilities);
  EXPECT_EQ(process.user, spec.process.user);
  EXPECT_THAT(process.env, Contains("TERM=xterm"));
}

}  // namespace
}  // namespace portcullis::oci
