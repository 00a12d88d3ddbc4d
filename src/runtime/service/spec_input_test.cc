#include "runtime/service/spec_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace portcullis::runtime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

cri::PodSandboxConfig Sandbox(std::optional<cri::NamespaceOption> options = std::nullopt) {
  cri::PodSandboxConfig config;
  config.metadata = cri::PodSandboxMetadata{.name = "p", .uid = "u", .namespace_ = "n"};
  if (options) config.linux.emplace().security_context.emplace().namespace_options = options;
  return config;
}

cri::ContainerConfig Container(std::optional<cri::NamespaceOption> options = std::nullopt) {
  cri::ContainerConfig config;
  config.metadata = cri::ContainerMetadata{.name = "c"};
  if (options) config.linux.emplace().security_context.emplace().namespace_options = options;
  return config;
}

TEST(SpecInputTest, NamespaceModes) {
  using Cri = cri::NamespaceMode;
  using Oci = oci::NamespaceMode;
  auto plain = ModesOf(Container(), Sandbox());
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->pid, Oci::kPod) << "CRI's default, though not Kubernetes'";
  EXPECT_EQ(plain->ipc, Oci::kPod);
  EXPECT_EQ(plain->network, Oci::kPod);

  auto host = ModesOf(Container(cri::NamespaceOption{.network = Cri::kPod, .pid = Cri::kNode, .ipc = Cri::kNode}),
                      Sandbox(cri::NamespaceOption{.network = Cri::kNode}));
  ASSERT_TRUE(host);
  EXPECT_EQ(host->network, Oci::kNode) << "the network is the sandbox's, whatever a container says";
  EXPECT_EQ(host->pid, Oci::kNode);
  EXPECT_EQ(host->ipc, Oci::kNode);
  EXPECT_TRUE(UsesHostNetwork(Sandbox(cri::NamespaceOption{.network = Cri::kNode})));
  EXPECT_FALSE(UsesHostNetwork(Sandbox()));

  auto inherited = ModesOf(Container(), Sandbox(cri::NamespaceOption{.pid = Cri::kPod}));
  EXPECT_EQ(inherited->pid, Oci::kPod);
  EXPECT_FALSE(ModesOf(Container(cri::NamespaceOption{.ipc = Cri::kTarget}), Sandbox()));
  EXPECT_FALSE(ModesOf(Sandbox(cri::NamespaceOption{.pid = Cri::kTarget})));
  for (const Cri mode : {Cri::kPod, Cri::kContainer, Cri::kTarget}) {
    EXPECT_FALSE(ModesOf(Sandbox(cri::NamespaceOption{.userns_options = cri::UserNamespace{.mode = mode}})));
  }
  EXPECT_TRUE(ModesOf(Sandbox(cri::NamespaceOption{.userns_options = cri::UserNamespace{.mode = Cri::kNode}})));
}

TEST(SpecInputTest, ZeroResourcesAreNotSet) {
  EXPECT_EQ(ResourcesOf({}), oci::Resources{});
  const oci::Resources got = ResourcesOf({.cpu_period = 100000,
                                          .cpu_quota = -1,
                                          .cpu_shares = 512,
                                          .memory_limit_in_bytes = 1 << 20,
                                          .cpuset_cpus = "0-1",
                                          .hugepage_limits = {{.page_size = "2MB", .limit = 4}},
                                          .unified = {{"memory.high", "1"}}});
  EXPECT_EQ(got.cpu_period, 100000u);
  EXPECT_EQ(got.cpu_quota, -1);
  EXPECT_EQ(got.cpu_shares, 512u);
  EXPECT_EQ(got.memory_limit, 1 << 20);
  EXPECT_EQ(got.cpuset_cpus, "0-1");
  EXPECT_EQ(got.hugepage_limits.at("2MB"), 4u);
  EXPECT_EQ(got.unified.at("memory.high"), "1");
}

TEST(SpecInputTest, AnUpdateChangesWhatItNames) {
  const auto merged = Merged({.cpu_shares = 100, .memory_limit_in_bytes = 1000, .unified = {{"a", "1"}, {"b", "2"}}},
                             {.memory_limit_in_bytes = 2000, .unified = {{"b", "3"}}});
  EXPECT_EQ(merged.cpu_shares, 100);
  EXPECT_EQ(merged.memory_limit_in_bytes, 2000);
  EXPECT_EQ(merged.unified, (std::map<std::string, std::string>{{"a", "1"}, {"b", "3"}}));
}

TEST(SpecInputTest, Mounts) {
  using Propagation = cri::MountPropagation;
  auto plain = MountOf({.container_path = "/data/", .host_path = "/srv", .readonly = true});
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->destination, "/data");
  EXPECT_EQ(plain->source, "/srv");
  EXPECT_THAT(plain->options, ElementsAre("rbind", "rprivate", "ro"));
  EXPECT_THAT(
      MountOf({.container_path = "/a", .host_path = "/b", .propagation = Propagation::kPropagationBidirectional})
          ->options,
      ElementsAre("rbind", "rshared", "rw"));
  EXPECT_THAT(
      MountOf({.container_path = "/a", .host_path = "/b", .readonly = true, .recursive_read_only = true})->options,
      ElementsAre("rbind", "rprivate", "rro", "ro"));

  const cri::Mount bad[] = {
      {.container_path = "rel", .host_path = "/b"},
      {.container_path = "/a", .host_path = "rel"},
      {.container_path = "/a", .host_path = "/b", .propagation = static_cast<Propagation>(9)},
      {.container_path = "/a", .host_path = "/b", .recursive_read_only = true},
  };
  for (const cri::Mount& mount : bad) {
    auto refused = MountOf(mount);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
    EXPECT_THAT(refused.error().message, HasSubstr("mount \"")) << "the mount must be named";
  }
  // Nothing is wrong with these: this runtime lacks them.
  EXPECT_EQ(MountOf({.container_path = "/a", .host_path = "/b", .uidmappings = {{.length = 1}}}).error().code,
            Code::kUnimplemented);
  EXPECT_EQ(MountOf({.container_path = "/a", .image = cri::ImageSpec{.image = "x"}}).error().code,
            Code::kUnimplemented);
  EXPECT_EQ(RootPropagation({}), "");
  EXPECT_EQ(RootPropagation({{.propagation = Propagation::kPropagationHostToContainer}}), "rslave");
  EXPECT_EQ(RootPropagation({{.propagation = Propagation::kPropagationHostToContainer},
                             {.propagation = Propagation::kPropagationBidirectional}}),
            "rshared");
}

TEST(SpecInputTest, CgroupParents) {
  constexpr auto kCgroupfs = cri::CgroupDriver::kCgroupfs;
  constexpr auto kSystemd = cri::CgroupDriver::kSystemd;
  EXPECT_EQ(*CgroupParent("", "/portcullis", kCgroupfs), "/portcullis");
  EXPECT_EQ(*CgroupParent("/kubepods/podu/", "/x", kCgroupfs), "/kubepods/podu");
  EXPECT_EQ(*CgroupParent("kubepods/podu", "/x", kCgroupfs), "/kubepods/podu");
  for (const char* bad : {"/a/../b", "..", "/", "kubepods-besteffort.slice", "/kubepods.slice/kubepods-podu.slice"})
    EXPECT_FALSE(CgroupParent(bad, "/x", kCgroupfs)) << bad;
  EXPECT_EQ(CgroupParent("a.slice", "/x", kCgroupfs).error().message,
            "cgroup parent \"a.slice\" is a systemd slice but the cgroup driver is cgroupfs: set the kubelet's "
            "cgroupDriver");

  EXPECT_EQ(*CgroupParent("", "portcullis.slice", kSystemd), "/portcullis.slice");
  EXPECT_EQ(*CgroupParent("kubepods-podu.slice", "", kSystemd), "/kubepods.slice/kubepods-podu.slice");
  EXPECT_EQ(*CgroupParent("/kubepods.slice/kubepods-podu.slice", "", kSystemd), "/kubepods.slice/kubepods-podu.slice");
  EXPECT_EQ(*CgroupParent("/kubepods-podu.slice", "", kSystemd), "/kubepods.slice/kubepods-podu.slice");
  for (const char* bad :
       {"/kubepods/podu", "/", "-.slice", "a--b.slice", "/other.slice/kubepods-podu.slice", "/../a.slice", "x.scope"})
    EXPECT_FALSE(CgroupParent(bad, "a.slice", kSystemd)) << bad;
  EXPECT_EQ(CgroupParent("/kubepods/podu", "", kSystemd).error().message,
            "cgroup parent \"/kubepods/podu\" is no systemd slice but the cgroup driver is systemd: set the kubelet's "
            "cgroupDriver");
}

TEST(SpecInputTest, AppArmorAndSelinux) {
  std::vector<std::string> notes;
  cri::ContainerConfig config = Container();
  auto& context = config.linux.emplace().security_context.emplace();
  context.apparmor = cri::SecurityProfile{};
  context.selinux_options = cri::SELinuxOption{.type = "t"};
  auto input = ContainerInput(config, Sandbox(), {}, notes);
  ASSERT_TRUE(input);
  EXPECT_EQ(input->apparmor_profile, "runtime/default");
  EXPECT_EQ(notes.size(), 1u);
  context.apparmor =
      cri::SecurityProfile{.profile_type = cri::SecurityProfileProfileType::kLocalhost, .localhost_ref = "mine"};
  EXPECT_EQ(ContainerInput(config, Sandbox(), {}, notes)->apparmor_profile, "localhost/mine");
  context.apparmor->localhost_ref = "localhost/mine";
  EXPECT_EQ(ContainerInput(config, Sandbox(), {}, notes)->apparmor_profile, "localhost/mine");
  context.apparmor->profile_type = cri::SecurityProfileProfileType::kUnconfined;
  EXPECT_EQ(ContainerInput(config, Sandbox(), {}, notes)->apparmor_profile, "unconfined");
  context.apparmor.reset();
  EXPECT_EQ(ContainerInput(config, Sandbox(), {}, notes)->apparmor_profile, "");
  context.apparmor_profile = "localhost/old";
  EXPECT_EQ(ContainerInput(config, Sandbox(), {}, notes)->apparmor_profile, "localhost/old");
}

TEST(SpecInputTest, SandboxSysctls) {
  auto input = SandboxInput(Sandbox(), {});
  ASSERT_TRUE(input);
  EXPECT_EQ(input->sysctls.at("net.ipv4.ip_unprivileged_port_start"), "0");
  EXPECT_EQ(input->oom_score_adj, -998);
  cri::PodSandboxConfig host = Sandbox(cri::NamespaceOption{.network = cri::NamespaceMode::kNode});
  EXPECT_TRUE(SandboxInput(host, {})->sysctls.empty());
  host.linux->sysctls = {{"net.core.somaxconn", "1"}};
  EXPECT_FALSE(SandboxInput(host, {}));
}

// The OCI runtime takes orders from annotations that begin run.oci.; none may come from a pod.
TEST(SpecInputTest, NoRunOciAnnotationReachesABundle) {
  cri::ContainerConfig config = Container();
  config.command = {"/bin/true"};
  config.annotations = {{"run.oci.seccomp_bpf_data", "AAAA"}, {"run.oci.hooks.stdout", "/x"}, {"mine", "kept"}};
  std::vector<std::string> notes;
  auto input = ContainerInput(config, Sandbox(), {}, notes);
  ASSERT_TRUE(input);
  input->rootfs = "/rootfs";
  input->sandbox = {.network = "/n", .ipc = "/i", .uts = "/u", .pid = "/p"};
  input->cgroups_path = "/x/y";
  input->annotations = ContainerAnnotations(config, Sandbox(), "s1");
  auto built = BuildContainerSpec(*input);
  ASSERT_TRUE(built) << built.error().message;
  for (const auto& [key, value] : built->spec.annotations) EXPECT_FALSE(key.starts_with("run.oci.")) << key;
  EXPECT_EQ(built->spec.annotations.at("mine"), "kept");
  EXPECT_EQ(built->spec.annotations.at("io.kubernetes.cri.sandbox-id"), "s1");
  EXPECT_EQ(std::count_if(built->notes.begin(), built->notes.end(),
                          [](const std::string& note) { return note.find("run.oci.") != std::string::npos; }),
            2);

  cri::PodSandboxConfig pod = Sandbox();
  pod.annotations = {{"run.oci.handler", "krun"}};
  auto sandbox = SandboxInput(pod, {.entrypoint = {"/pause"}});
  ASSERT_TRUE(sandbox);
  sandbox->rootfs = "/rootfs";
  sandbox->network_namespace = "/n";
  sandbox->cgroups_path = "/x/y";
  sandbox->annotations = SandboxAnnotations(pod, "s1", "pause");
  auto sandbox_spec = BuildSandboxSpec(*sandbox);
  ASSERT_TRUE(sandbox_spec) << sandbox_spec.error().message;
  EXPECT_FALSE(sandbox_spec->spec.annotations.contains("run.oci.handler"));
  EXPECT_THAT(sandbox_spec->notes, testing::Contains(HasSubstr("run.oci.handler")));
}

TEST(SpecInputTest, Capabilities) {
  cri::ContainerConfig config = Container();
  config.linux.emplace().security_context.emplace().capabilities =
      cri::Capability{.add_capabilities = {"NET_ADMIN"}, .drop_capabilities = {"CHOWN"}};
  auto request = CapabilitiesOf(config, {"CAP_KILL"});
  EXPECT_FALSE(request.privileged);
  EXPECT_THAT(request.add, ElementsAre("NET_ADMIN"));
  EXPECT_THAT(request.drop, ElementsAre("CHOWN"));
  EXPECT_THAT(request.daemon, ElementsAre("CAP_KILL"));
  config.linux->security_context->privileged = true;
  EXPECT_TRUE(CapabilitiesOf(config, {}).privileged);
}

}  // namespace
}  // namespace portcullis::runtime
