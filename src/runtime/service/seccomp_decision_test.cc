#include "runtime/service/seccomp_decision.h"

#include <gtest/gtest.h>

namespace portcullis::runtime {
namespace {

using Type = cri::SecurityProfileProfileType;

cri::SecurityProfile Profile(Type type, std::string ref = "") {
  return {.profile_type = type, .localhost_ref = std::move(ref)};
}

struct Case {
  std::string name;
  SeccompRequest request;
  SeccompDecision want;
  std::string error;  // "" when a decision is wanted
};

const SeccompDecision kNone;
const SeccompDecision kDefault{.source = SeccompSource::kRuntimeDefault, .localhost_path = ""};

SeccompDecision File(std::string path) {
  return {.source = SeccompSource::kLocalhost, .localhost_path = std::move(path)};
}

class SeccompDecisionTest : public testing::TestWithParam<Case> {};

TEST_P(SeccompDecisionTest, Decides) {
  const Case& c = GetParam();
  auto got = DecideSeccomp(c.request);
  if (c.error.empty()) {
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(*got, c.want);
  } else {
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().message, c.error);
  }
}

// Names beginning with C are rows of the specification's table 8.6.
INSTANTIATE_TEST_SUITE_P(
    Table, SeccompDecisionTest,
    testing::Values(
        Case{"C02_runtime_default", {.profile = Profile(Type::kRuntimeDefault)}, kDefault, ""},
        Case{"C03_empty_message", {.profile = cri::SecurityProfile{}}, kDefault, ""}, Case{"C04_absent", {}, kNone, ""},
        Case{"C06_legacy_localhost",
             {.legacy_path = "localhost//var/lib/kubelet/seccomp/x.json"},
             File("/var/lib/kubelet/seccomp/x.json"),
             ""},
        Case{"C07_legacy_docker_default", {.legacy_path = "docker/default"}, kDefault, ""},
        Case{"C07_legacy_runtime_default", {.legacy_path = "runtime/default"}, kDefault, ""},
        Case{"legacy_unconfined", {.legacy_path = "unconfined"}, kNone, ""},
        Case{"C08_legacy_unknown", {.legacy_path = "foo"}, kNone, "invalid profile \"foo\""},
        Case{"C10_ref_without_localhost",
             {.profile = Profile(Type::kRuntimeDefault, "test-profile")},
             kNone,
             "seccomp config invalid LocalhostRef must only be set if ProfileType is Localhost"},
        Case{"C10_ref_with_unconfined",
             {.profile = Profile(Type::kUnconfined, "/x")},
             kNone,
             "seccomp config invalid LocalhostRef must only be set if ProfileType is Localhost"},
        Case{"C11_unknown_enum", {.profile = Profile(static_cast<Type>(7))}, kNone, "seccomp unknown ProfileType"},
        Case{"C12_privileged_default", {.profile = Profile(Type::kRuntimeDefault), .privileged = true}, kNone, ""},
        Case{"C12_privileged_localhost",
             {.profile = Profile(Type::kLocalhost, "/missing"), .privileged = true},
             kNone,
             ""},
        Case{"C12_privileged_legacy_nonsense", {.legacy_path = "foo", .privileged = true}, kNone, ""},
        Case{"no_kernel_default",
             {.profile = Profile(Type::kRuntimeDefault), .kernel_has_seccomp = false},
             kNone,
             "seccomp is not supported"},
        Case{"no_kernel_localhost",
             {.profile = Profile(Type::kLocalhost, "/p"), .kernel_has_seccomp = false},
             kNone,
             "seccomp is not supported"},
        Case{"no_kernel_legacy",
             {.legacy_path = "runtime/default", .kernel_has_seccomp = false},
             kNone,
             "seccomp is not supported"},
        Case{"C14_no_kernel_unconfined",
             {.profile = Profile(Type::kUnconfined), .kernel_has_seccomp = false},
             kNone,
             ""},
        Case{"C14_no_kernel_absent", {.kernel_has_seccomp = false}, kNone, ""},
        Case{"no_kernel_privileged",
             {.profile = Profile(Type::kRuntimeDefault), .privileged = true, .kernel_has_seccomp = false},
             kNone,
             ""},
        Case{"unconfined", {.profile = Profile(Type::kUnconfined)}, kNone, ""},
        Case{"localhost", {.profile = Profile(Type::kLocalhost, "/s/x.json")}, File("/s/x.json"), ""},
        Case{"localhost_prefix", {.profile = Profile(Type::kLocalhost, "localhost//s/x.json")}, File("/s/x.json"), ""},
        Case{"localhost_relative",
             {.profile = Profile(Type::kLocalhost, "x.json")},
             kNone,
             "seccomp localhost_ref \"x.json\" must be an absolute path"},
        Case{"localhost_empty",
             {.profile = Profile(Type::kLocalhost)},
             kNone,
             "seccomp profile type is Localhost but no localhost_ref is set"},
        Case{"message_beats_string",
             {.profile = Profile(Type::kUnconfined), .legacy_path = "runtime/default"},
             kNone,
             ""}),
    [](const testing::TestParamInfo<Case>& test) { return test.param.name; });

TEST(SeccompRequestTest, ComesFromTheSecurityContext) {
  EXPECT_FALSE(SeccompRequestOf(std::optional<cri::LinuxContainerSecurityContext>(), true).profile);
  cri::LinuxSandboxSecurityContext sandbox{
      .privileged = true, .seccomp = Profile(Type::kLocalhost, "/x"), .seccomp_profile_path = "unconfined"};
  const SeccompRequest request = SeccompRequestOf(std::optional(sandbox), false);
  EXPECT_TRUE(request.privileged);
  EXPECT_EQ(request.profile, sandbox.seccomp);
  EXPECT_EQ(request.legacy_path, "unconfined");
  EXPECT_FALSE(request.kernel_has_seccomp);
}

}  // namespace
}  // namespace portcullis::runtime
