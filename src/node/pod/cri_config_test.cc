#include "node/pod/cri_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/pod/decide.h"
#include "node/pod/pod_for_test.h"
#include "spec/k8s/static_pod.h"

namespace portcullis::node {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using Type = cri::SecurityProfileProfileType;

PodSettings Settings(bool seccomp_default = true) {
  PodSettings settings;
  settings.node_name = "n1";
  settings.host_ip = "192.0.2.1";
  settings.root_dir = "/r";
  settings.pod_logs_dir = "/logs";
  settings.seccomp_default = seccomp_default;
  settings.memory_capacity = int64_t{4} << 30;
  settings.cpu_capacity_milli = 2500;
  settings.cpu_allocatable_milli = 2000;
  settings.memory_allocatable = int64_t{3} << 30;
  return settings;
}

cri::ContainerConfig Config(const k8s::Pod& pod, const PodSettings& settings, ContainerInputs inputs = {}) {
  auto config = MakeContainerConfig(pod, pod.spec.containers[0], inputs, settings);
  EXPECT_TRUE(config.has_value()) << config.error().message;
  return config ? *config : cri::ContainerConfig{};
}

// kubernetes-seccomp.md 2.1 and 2.6: the message is always there, and the container's word comes first.
TEST(ContainerConfig, AlwaysCarriesASeccompProfile) {
  struct Row {
    const char* pod_field;
    const char* container_field;
    bool node_default;
    Type type;
    const char* ref;
    const char* declared;
    const char* decided_by;
  };
  const Row rows[] = {
      {"", "", false, Type::kUnconfined, "", "-", "node default"},
      {"", "", true, Type::kRuntimeDefault, "", "-", "node default"},
      {"{type: Unconfined}", "", true, Type::kUnconfined, "", "Unconfined", "pod"},
      {"{type: Unconfined}", "{type: RuntimeDefault}", false, Type::kRuntimeDefault, "", "RuntimeDefault", "container"},
      {"", "{type: Localhost, localhostProfile: p/a.json}", true, Type::kLocalhost, "/r/seccomp/p/a.json",
       "Localhost/p/a.json", "container"},
  };
  for (const Row& row : rows) {
    std::string spec;
    if (*row.pod_field != 0) spec += std::string("  securityContext: {seccompProfile: ") + row.pod_field + "}\n";
    spec += "  containers:\n  - name: c\n    image: i:1\n";
    if (*row.container_field != 0)
      spec += std::string("    securityContext: {seccompProfile: ") + row.container_field + "}\n";
    auto pod = PodForTest(spec);
    cri::ContainerConfig config = Config(*pod, Settings(row.node_default));
    const auto& seccomp = config.linux->security_context->seccomp;
    ASSERT_TRUE(seccomp.has_value());
    EXPECT_EQ(seccomp->profile_type, row.type) << spec;
    EXPECT_EQ(seccomp->localhost_ref, row.ref);
    EXPECT_THAT(config.annotations, Contains(Pair(std::string(kDeclaredAnnotation), row.declared)));
    EXPECT_THAT(config.annotations, Contains(Pair(std::string(kDecidedByAnnotation), row.decided_by)));
    cri::PodSandboxConfig sandbox = MakeSandboxConfig(*pod, 0, {}, Settings(row.node_default));
    ASSERT_TRUE(sandbox.linux->security_context->seccomp.has_value());
    EXPECT_EQ(sandbox.linux->security_context->seccomp->profile_type, Type::kRuntimeDefault);
  }
}

TEST(ContainerConfig, FailsWithKubernetesTextOnAnEmptyLocalhostProfile) {
  auto pod = PodForTest(
      "  containers:\n  - name: c\n    image: i:1\n    securityContext: {seccompProfile: {type: Localhost, "
      "localhostProfile: \"\"}}\n");
  auto config = MakeContainerConfig(*pod, pod->spec.containers[0], {}, Settings());
  ASSERT_FALSE(config.has_value());
  EXPECT_THAT(config.error().message, HasSubstr("localhostProfile must be set if seccompProfile type is Localhost"));
}

TEST(ContainerConfig, PrivilegedStillCarriesItsProfile) {
  auto pod = PodForTest("  containers:\n  - {name: c, image: \"i:1\", securityContext: {privileged: true}}\n");
  cri::ContainerConfig config = Config(*pod, Settings());
  EXPECT_TRUE(config.linux->security_context->privileged);
  EXPECT_EQ(config.linux->security_context->seccomp->profile_type, Type::kRuntimeDefault);
  EXPECT_TRUE(MakeSandboxConfig(*pod, 0, {}, Settings()).linux->security_context->privileged);
}

TEST(ContainerConfig, NamesLabelsAndPaths) {
  auto pod = PodForTest(
      "  terminationGracePeriodSeconds: 9\n  containers:\n  - {name: c, image: \"i:1\", ports: [{containerPort: "
      "80}]}\n",
      "u1");
  ContainerInputs inputs{
      .attempt = 2, .image = {.id = "sha256:x", .uid = 0}, .etc_hosts = "/r/hosts", .termination_log = "/r/t"};
  cri::ContainerConfig config = Config(*pod, Settings(), inputs);
  EXPECT_EQ(config.metadata->attempt, 2u);
  EXPECT_EQ(config.log_path, "c/2.log");
  EXPECT_EQ(config.image->image, "sha256:x");
  EXPECT_EQ(config.image->user_specified_image, "i:1");
  EXPECT_THAT(config.labels, Contains(Pair("io.kubernetes.container.name", "c")));
  EXPECT_THAT(config.labels, Contains(Pair("io.kubernetes.pod.uid", "u1")));
  EXPECT_THAT(config.annotations, Contains(Pair("io.kubernetes.container.restartCount", "2")));
  EXPECT_THAT(config.annotations,
              Contains(Pair("io.kubernetes.container.terminationMessagePath", "/dev/termination-log")));
  EXPECT_THAT(config.annotations, Contains(Pair("io.kubernetes.pod.terminationGracePeriod", "9")));
  EXPECT_THAT(config.annotations,
              Contains(Pair("io.kubernetes.container.ports", R"([{"containerPort":80,"protocol":"TCP"}])")));
  EXPECT_THAT(config.annotations,
              Contains(Pair("io.kubernetes.container.hash", ContainerHash(pod->spec.containers[0]))));
  ASSERT_EQ(config.mounts.size(), 2u);
  EXPECT_EQ(config.mounts[0].container_path, "/etc/hosts");
  EXPECT_EQ(config.mounts[1].container_path, "/dev/termination-log");
  EXPECT_EQ(config.linux->security_context->masked_paths.size(), 12u);
  EXPECT_EQ(config.linux->security_context->run_as_user->value, 0);
  EXPECT_EQ(config.linux->security_context->namespace_options->pid, cri::NamespaceMode::kContainer);
  EXPECT_EQ(config.linux->resources->oom_score_adj, 1000);
  EXPECT_EQ(config.linux->resources->cpu_shares, 2);
}

TEST(ContainerConfig, SecurityContextFollowsTheManifest) {
  auto pod = PodForTest(
      "  securityContext: {runAsUser: 5, runAsGroup: 6, fsGroup: 7, supplementalGroups: [8]}\n"
      "  hostPID: true\n"
      "  containers:\n"
      "  - name: c\n"
      "    image: i:1\n"
      "    securityContext: {runAsUser: 9, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false,"
      " capabilities: {add: [NET_ADMIN], drop: [ALL]}}\n");
  cri::LinuxContainerSecurityContext security = *Config(*pod, Settings()).linux->security_context;
  EXPECT_EQ(security.run_as_user->value, 9);
  EXPECT_EQ(security.run_as_group->value, 6);
  EXPECT_THAT(security.supplemental_groups, ElementsAre(8, 7));
  EXPECT_TRUE(security.readonly_rootfs);
  EXPECT_TRUE(security.no_new_privs);
  EXPECT_THAT(security.capabilities->add_capabilities, ElementsAre("NET_ADMIN"));
  EXPECT_THAT(security.capabilities->drop_capabilities, ElementsAre("ALL"));
  EXPECT_EQ(security.namespace_options->pid, cri::NamespaceMode::kNode);
}

TEST(ContainerConfig, AppArmorByFieldAnnotationAndPod) {
  const struct {
    const char* annotation;
    const char* pod_field;
    const char* container_field;
    const char* text;
    std::optional<cri::SecurityProfile> profile;
  } rows[] = {
      {"", "", "", "", std::nullopt},
      {"", "{type: Localhost, localhostProfile: p}", "", "localhost/p",
       cri::SecurityProfile{.profile_type = Type::kLocalhost, .localhost_ref = "p"}},
      {"localhost/a", "{type: Localhost, localhostProfile: p}", "", "localhost/a",
       cri::SecurityProfile{.profile_type = Type::kLocalhost, .localhost_ref = "a"}},
      {"", "{type: Localhost, localhostProfile: p}", "{type: Unconfined}", "unconfined",
       cri::SecurityProfile{.profile_type = Type::kUnconfined}},
      {"", "", "{type: RuntimeDefault}", "runtime/default",
       cri::SecurityProfile{.profile_type = Type::kRuntimeDefault}},
      {"runtime/default", "", "", "runtime/default", cri::SecurityProfile{.profile_type = Type::kRuntimeDefault}},
  };
  for (const auto& row : rows) {
    std::string manifest = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n";
    if (*row.annotation != 0)
      manifest +=
          std::string("  annotations: {container.apparmor.security.beta.kubernetes.io/c: ") + row.annotation + "}\n";
    manifest += "spec:\n";
    if (*row.pod_field != 0) manifest += std::string("  securityContext: {appArmorProfile: ") + row.pod_field + "}\n";
    manifest += "  containers:\n  - name: c\n    image: i:1\n";
    if (*row.container_field != 0)
      manifest += std::string("    securityContext: {appArmorProfile: ") + row.container_field + "}\n";
    const auto load = k8s::LoadStaticPod(manifest, {.file = "p.yaml", .node_name = "n1"});
    ASSERT_TRUE(load.pod) << manifest;
    const cri::ContainerConfig config = Config(*load.pod, Settings());
    const cri::LinuxContainerSecurityContext& context = *config.linux->security_context;
    EXPECT_EQ(context.apparmor_profile, row.text) << manifest;
    EXPECT_EQ(context.apparmor, row.profile) << manifest;
  }
}

TEST(ContainerConfig, ExpandsCommandAndEnvironment) {
  auto pod = PodForTest(
      "  containers:\n"
      "  - name: c\n"
      "    image: i:1\n"
      "    command: [\"sh\", \"$(A)/$(NONE)/$$(A)\"]\n"
      "    env:\n"
      "    - {name: A, value: one}\n"
      "    - {name: B, value: \"$(A)-$(C)\"}\n"
      "    - {name: C, value: late}\n"
      "    - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}\n"
      "    - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}\n"
      "    - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}\n"
      "    - {name: A, value: two}\n");
  cri::ContainerConfig config = Config(*pod, Settings(), {.pod_ips = {"10.0.0.9"}});
  std::map<std::string, std::string> env;
  for (const cri::KeyValue& variable : config.envs) env[variable.key] = variable.value;
  EXPECT_EQ(config.envs.size(), 6u);
  EXPECT_EQ(env["A"], "two");
  EXPECT_EQ(env["B"], "one-$(C)");
  EXPECT_EQ(env["POD"], "web-n1");
  EXPECT_EQ(env["IP"], "10.0.0.9");
  EXPECT_EQ(env["CPU"], "2");
  EXPECT_THAT(config.command, ElementsAre("sh", "two/$(NONE)/$(A)"));
}

TEST(ContainerConfig, MountsVolumesAndLeavesOutWhatTheContainerMountsItself) {
  auto pod = PodForTest(
      "  volumes:\n  - {name: v, emptyDir: {}}\n"
      "  containers:\n"
      "  - name: c\n    image: i:1\n"
      "    volumeMounts:\n    - {name: v, mountPath: /data, readOnly: true, mountPropagation: HostToContainer}\n"
      "    - {name: v, mountPath: /etc/hosts}\n");
  cri::ContainerConfig config = Config(*pod, Settings(), {.mount_sources = {"/v", "/v"}, .etc_hosts = "/r/hosts"});
  ASSERT_EQ(config.mounts.size(), 2u);
  EXPECT_EQ(config.mounts[0].host_path, "/v");
  EXPECT_TRUE(config.mounts[0].readonly);
  EXPECT_EQ(config.mounts[0].propagation, cri::MountPropagation::kPropagationHostToContainer);
  EXPECT_EQ(config.mounts[1].host_path, "/v");
}

TEST(RunAsNonRoot, IsCheckedInKubernetesWords) {
  struct Row {
    const char* security;
    ImageFacts image;
    const char* text;
  };
  const std::string tail = " (pod: \"web-n1_default(uid-1)\", container: c)";
  for (const Row& row : {
           Row{"{}", {.uid = 0}, ""},
           Row{"{runAsNonRoot: true}", {.uid = 0}, "container has runAsNonRoot and image will run as root"},
           Row{"{runAsNonRoot: true}", {.uid = 7}, ""},
           Row{"{runAsNonRoot: true, runAsUser: 3}", {.uid = 0}, ""},
           Row{"{runAsNonRoot: true, runAsUser: 0}", {.uid = 7}, "container's runAsUser breaks non-root policy"},
           Row{"{runAsNonRoot: true}",
               {.user_name = "www"},
               "container has runAsNonRoot and image has non-numeric user (www), cannot verify user is non-root"},
       }) {
    auto pod = PodForTest(std::string("  containers:\n  - {name: c, image: \"i:1\", securityContext: ") + row.security +
                          "}\n");
    std::string text = CheckRunAsNonRoot(*pod, pod->spec.containers[0], row.image);
    EXPECT_EQ(text, *row.text == 0 ? "" : row.text + tail) << row.security;
  }
}

// kubernetes-seccomp.md R58.
TEST(RunAsNonRoot, IsReportedBeforeABadProfile) {
  auto pod = PodForTest("  containers:\n  - {name: c, image: \"i:1\", securityContext: {runAsNonRoot: true}}\n");
  k8s::Pod bad = *pod;
  bad.spec.containers[0].security_context->seccomp_profile = k8s::SeccompProfile{.type = "NoSuchType"};
  ContainerInputs inputs;
  inputs.image = {.id = "i", .uid = 0};
  const auto config = MakeContainerConfig(bad, bad.spec.containers[0], inputs, Settings());
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message, ::testing::HasSubstr("container has runAsNonRoot and image will run as root"));
  inputs.image.uid = 7;
  const auto with_user = MakeContainerConfig(bad, bad.spec.containers[0], inputs, Settings());
  ASSERT_FALSE(with_user);
  EXPECT_THAT(with_user.error().message, ::testing::Not(::testing::HasSubstr("runAsNonRoot")));
}

TEST(SandboxConfig, NamesWhereEverythingIs) {
  auto pod = PodForTest(
      "  containers:\n  - {name: c, image: \"i:1\", ports: [{containerPort: 80, hostPort: 8080, protocol: UDP}, "
      "{containerPort: 81}]}\n",
      "u1", "web", "  labels: {app: x, io.kubernetes.pod.uid: lie}\n  annotations: {note: hello}\n");
  cri::PodSandboxConfig config = MakeSandboxConfig(*pod, 3, {.servers = {"192.0.2.53"}}, Settings());
  EXPECT_EQ(config.metadata->name, "web-n1");
  EXPECT_EQ(config.metadata->attempt, 3u);
  EXPECT_EQ(config.hostname, "web-n1");
  EXPECT_EQ(config.log_directory, "/logs/default_web-n1_u1");
  EXPECT_THAT(config.dns_config->servers, ElementsAre("192.0.2.53"));
  EXPECT_THAT(config.labels, Contains(Pair("app", "x")));
  EXPECT_THAT(config.labels, Contains(Pair("io.kubernetes.pod.uid", "u1")));
  EXPECT_THAT(config.annotations, Contains(Pair("note", "hello")));
  EXPECT_THAT(config.annotations, Contains(Pair("kubernetes.io/config.source", "file")));
  EXPECT_THAT(config.annotations, Contains(Pair(std::string(kNodeAnnotation), "n1")));
  ASSERT_EQ(config.port_mappings.size(), 1u);
  EXPECT_EQ(config.port_mappings[0], (cri::PortMapping{cri::Protocol::kUdp, 80, 8080, ""}));
  EXPECT_EQ(config.linux->cgroup_parent, "/kubepods/besteffort/podu1");
}

TEST(SandboxConfig, HostNetworkTakesTheNodesNameAndPorts) {
  auto pod =
      PodForTest("  hostNetwork: true\n  containers:\n  - {name: c, image: \"i:1\", ports: [{containerPort: 80}]}\n");
  cri::PodSandboxConfig config = MakeSandboxConfig(*pod, 0, {}, Settings());
  EXPECT_EQ(config.hostname, "");
  EXPECT_THAT(config.port_mappings, IsEmpty());
  EXPECT_EQ(config.linux->security_context->namespace_options->network, cri::NamespaceMode::kNode);
}

}  // namespace
}  // namespace portcullis::node
