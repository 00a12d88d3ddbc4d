// The table of kubernetes-seccomp.md 8.1, whole. Differences from the kubelet's releases are marked.
#include "spec/k8s/seccomp_profile.h"

#include <gtest/gtest.h>

#include "spec/k8s/static_pod.h"

namespace portcullis::k8s {
namespace {

using Profile = std::optional<SeccompProfile>;

const Profile kNone;
const Profile kRd = SeccompProfile{"RuntimeDefault", std::nullopt};
const Profile kUc = SeccompProfile{"Unconfined", std::nullopt};
Profile Lh(const char* path) { return SeccompProfile{"Localhost", path}; }
Profile Typed(const char* type, std::optional<std::string> path = std::nullopt) { return SeccompProfile{type, path}; }

constexpr char kMissing[] = "localhostProfile must be set if seccompProfile type is Localhost.";
constexpr char kS[] = "/var/lib/kubelet/seccomp/";

struct Case {
  const char* id;
  Profile container;
  Profile pod;
  std::vector<bool> node_default;  // both values where the table says "either"
  std::string expected;            // "RD", "UC", "LH <path>", "error <text>"
  DecidedBy by = DecidedBy::kContainer;
};

std::string Show(const Result<EffectiveProfile>& result) {
  if (!result) return "error " + result.error().message;
  switch (result->type) {
    case SeccompType::kRuntimeDefault:
      return "RD" + result->localhost_ref;
    case SeccompType::kUnconfined:
      return "UC" + result->localhost_ref;
    case SeccompType::kLocalhost:
      return "LH " + result->localhost_ref;
  }
  return "";
}

Container With(const Profile& profile) {
  Container container;
  container.security_context.emplace();
  container.security_context->seccomp_profile = profile;
  return container;
}

std::string Unknown(const std::string& type) {
  return "error unsupported seccompProfile type \"" + type + "\" (supported: Unconfined, RuntimeDefault, Localhost)";
}

TEST(ResolveSeccompProfile, Table) {
  const std::string missing = std::string("error ") + kMissing;
  const std::string s = std::string("LH ") + kS;
  const DecidedBy node = DecidedBy::kNodeDefault;
  const DecidedBy pod = DecidedBy::kPod;
  const std::vector<Case> cases = {
      {"R01", kNone, kNone, {false}, "UC", node},
      {"R02", kNone, kNone, {true}, "RD", node},
      {"R03", kNone, kUc, {false, true}, "UC", pod},
      {"R05", kUc, kNone, {false}, "UC"},
      {"R06", kUc, kNone, {true}, "UC"},
      {"R07", kNone, kRd, {false, true}, "RD", pod},
      {"R09", kRd, kNone, {false}, "RD"},
      {"R10", kRd, kNone, {true}, "RD"},
      {"R11", kNone, Lh("filename"), {false, true}, s + "filename", pod},
      {"R13", Lh("filename2"), kNone, {false}, s + "filename2"},
      {"R14", Lh("filename2"), kNone, {true}, s + "filename2"},
      {"R15", kNone, Typed("Localhost"), {false, true}, missing},
      {"R16", Typed("Localhost"), kNone, {false, true}, missing},
      {"R17", Lh(""), kNone, {false, true}, missing},
      // R18 is CVE-2023-2431 in old kubelets (Unconfined); here it is the error of R15.
      {"R18", Typed("Localhost"), kNone, {false}, missing},
      {"R19", kRd, kUc, {false, true}, "RD"},
      {"R20", kUc, kRd, {false, true}, "UC"},
      {"R21",
       Lh("field-cont-profile.json"),
       Lh("field-pod-profile.json"),
       {false, true},
       s + "field-cont-profile.json"},
      {"R22", kUc, Lh("a.json"), {true}, "UC"},
      // R23 to R26: Unconfined up to Kubernetes 1.37, an error here as in Kubernetes' main branch: fail closed.
      {"R23", Typed(""), kRd, {false, true}, Unknown("")},
      {"R24", Typed("Unknown"), kNone, {false, true}, Unknown("Unknown")},
      {"R25", kNone, Typed("Unknown"), {false}, Unknown("Unknown")},
      {"R26", Typed("runtimedefault"), kNone, {false, true}, Unknown("runtimedefault")},
      {"R29", Typed("RuntimeDefault", "stray.json"), kNone, {false}, "RD"},
      {"R30", Lh("profiles/audit.json"), kNone, {false}, s + "profiles/audit.json"},
      {"R31", Lh("a//b.json"), kNone, {false}, s + "a/b.json"},
      {"R32", Lh("./a.json"), kNone, {false}, s + "a.json"},
      {"R33", Lh("dir/"), kNone, {false}, s + "dir"},
      {"R34", Lh("a..json"), kNone, {false}, s + "a..json"},
      // The kubelet joins these (S/etc/x, and S/../x) and relies on validation alone; here they are refused again.
      {"R35", Lh("/etc/x"), kNone, {false}, "error localhostProfile \"/etc/x\" must be a relative path"},
      {"R36", Lh("../x"), kNone, {false}, "error localhostProfile \"../x\" must not contain '..'"},
      {"R36b", Lh("a/../b"), kNone, {false}, "error localhostProfile \"a/../b\" must not contain '..'"},
  };
  for (const Case& c : cases) {
    for (bool node_default : c.node_default) {
      SCOPED_TRACE(std::string(c.id) + (node_default ? " D=true" : " D=false"));
      PodSpec spec;
      spec.security_context.seccomp_profile = c.pod;
      const auto result = ResolveSeccompProfile(spec, With(c.container), {.seccomp_default = node_default});
      EXPECT_EQ(Show(result), c.expected);
      if (result) {
        EXPECT_EQ(DecidedByName(result->decided_by), DecidedByName(c.by));
      }
    }
  }
}

// R27: a security context without a profile counts as nothing set; R37: another root directory.
TEST(ResolveSeccompProfile, ContextWithoutProfileAndOtherRoot) {
  Container container;
  container.security_context.emplace();
  container.security_context->run_as_user = 1;
  EXPECT_EQ(Show(ResolveSeccompProfile({}, container, {.seccomp_default = true})), "RD");
  EXPECT_EQ(Show(ResolveSeccompProfile({}, Container{}, {.seccomp_default = true})), "RD");
  EXPECT_EQ(Show(ResolveSeccompProfile({}, With(Lh("p.json")), {.root_dir = "/data/kubelet/"})),
            "LH /data/kubelet/seccomp/p.json");
  EXPECT_FALSE(LocalhostProfilePath("/var/lib/kubelet", std::string("a\0b", 3)));
}

Pod Load(const std::string& text) {
  PodLoad load = LoadStaticPod(text, {.file = "p.yaml", .node_name = "n1"});
  EXPECT_TRUE(load.pod.has_value()) << load.error;
  return load.pod ? *load.pod : Pod{};
}

// R38 to R42, R46, R47, R49: through a manifest, as a user writes it.
TEST(ResolveSeccompProfile, FromManifests) {
  struct ManifestCase {
    const char* id;
    const char* metadata;
    const char* spec;
    bool node_default;
    std::vector<std::string> expected;  // of init containers, then containers
  };
  const char* one = "  containers: [{name: c, image: a:1}]\n";
  const std::vector<ManifestCase> cases = {
      {"R38", "annotations: {seccomp.security.alpha.kubernetes.io/pod: unconfined}", one, true, {"RD"}},
      {"R39", "annotations: {seccomp.security.alpha.kubernetes.io/pod: runtime/default}", one, false, {"UC"}},
      {"R40", "annotations: {container.seccomp.security.alpha.kubernetes.io/c: localhost/x.json}", one, true, {"RD"}},
      {"R41",
       "labels: {}",
       "  securityContext: {seccompProfile: {type: RuntimeDefault}}\n"
       "  initContainers: [{name: i, image: a:1}]\n  containers: [{name: c, image: a:1}]\n",
       false,
       {"RD", "RD"}},
      {"R42",
       "labels: {}",
       "  securityContext: {seccompProfile: {type: Unconfined}}\n"
       "  initContainers: [{name: i, image: a:1, securityContext: {seccompProfile: {type: RuntimeDefault}}}]\n"
       "  containers: [{name: c, image: a:1}]\n",
       false,
       {"RD", "UC"}},
      {"R46",
       "labels: {}",
       "  containers:\n  - {name: nginx, image: a:1, securityContext: {seccompProfile: {type: Unconfined}}}\n"
       "  - {name: redis, image: a:1}\n",
       true,
       {"UC", "RD"}},
      // The runtime drops the profile of a privileged container; the node's decision stands.
      {"R47",
       "labels: {}",
       "  containers: [{name: c, image: a:1, securityContext: {privileged: true}}]\n",
       true,
       {"RD"}},
      {"R49",
       "labels: {}",
       "  hostNetwork: true\n  hostPID: true\n  hostIPC: true\n  containers: [{name: c, image: a:1}]\n",
       true,
       {"RD"}},
  };
  for (const ManifestCase& c : cases) {
    SCOPED_TRACE(c.id);
    const Pod pod =
        Load(std::string("apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  ") + c.metadata + "\nspec:\n" + c.spec);
    std::vector<std::string> got;
    for (const auto* list : {&pod.spec.init_containers, &pod.spec.containers}) {
      for (const Container& container : *list) {
        got.push_back(Show(ResolveSeccompProfile(pod.spec, container, {.seccomp_default = c.node_default})));
      }
    }
    EXPECT_EQ(got, c.expected);
    // R50 to R55: whatever the pod says, the sandbox has RuntimeDefault.
    EXPECT_EQ(Show(SandboxSeccompProfile()), "RD");
  }
}

// R43 and R45: sidecars and ephemeral containers resolve as any container does; the resolver has no notion of kinds
// (loading them is refused for now). R57 and R58 concern running containers and are the node's to test.

TEST(DeclaredProfile, SaysWhatTheManifestSays) {
  PodSpec spec;
  EXPECT_EQ(DeclaredProfile(spec, Container{}), "-");
  EXPECT_EQ(DeclaredProfile(spec, With(kUc)), "Unconfined");
  spec.security_context.seccomp_profile = Lh("profiles/a.json");
  EXPECT_EQ(DeclaredProfile(spec, Container{}), "Localhost/profiles/a.json");
  EXPECT_EQ(DeclaredProfile(spec, With(kRd)), "RuntimeDefault");
}

}  // namespace
}  // namespace portcullis::k8s
