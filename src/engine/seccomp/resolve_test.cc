#include "engine/seccomp/resolve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engine/seccomp/capabilities.h"
#include "engine/seccomp/library.h"
#include "engine/seccomp/profile_json.h"
#include "engine/seccomp/test_shared.h"

namespace portcullis::seccomp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Profile Parse(std::string_view text) {
  auto profile = ParseProfile(text, "test");
  EXPECT_TRUE(profile) << profile.error().message;
  return profile.value_or(Profile{});
}

// Names of the rules that are left.
std::vector<std::string> Kept(const Profile& profile, const ResolveContext& context) {
  const auto resolved = Resolve(profile, context);
  EXPECT_TRUE(resolved) << resolved.error().message;
  std::vector<std::string> names;
  if (!resolved) return names;
  for (const ResolvedRule& rule : resolved->syscalls) names.insert(names.end(), rule.names.begin(), rule.names.end());
  return names;
}

Profile WithCondition(std::string_view conditions) {
  return Parse(fmt::format(R"({{"defaultAction": "SCMP_ACT_ERRNO",
                                "syscalls": [{{"names": ["x"], "action": "SCMP_ACT_ALLOW", {}}}]}})",
                           conditions));
}

TEST(Resolve, ConditionTable) {
  const struct {
    std::string_view conditions;
    std::vector<std::string> caps;
    Arch host;
    KernelVersion kernel;
    bool kept;
  } kCases[] = {
      {R"("includes": {"caps": ["CAP_A"]})", {}, Arch::kX86_64, {6, 1}, false},
      {R"("includes": {"caps": ["CAP_A"]})", {"CAP_A"}, Arch::kX86_64, {6, 1}, true},
      {R"("includes": {"caps": ["CAP_A", "CAP_B"]})", {"CAP_A"}, Arch::kX86_64, {6, 1}, false},
      {R"("includes": {"caps": ["CAP_A", "CAP_B"]})", {"CAP_B", "CAP_A"}, Arch::kX86_64, {6, 1}, true},
      {R"("includes": {"caps": ["CAP_A"]})", {"cap_a"}, Arch::kX86_64, {6, 1}, false},
      {R"("excludes": {"caps": ["CAP_A", "CAP_B"]})", {"CAP_B"}, Arch::kX86_64, {6, 1}, false},
      {R"("excludes": {"caps": ["CAP_A", "CAP_B"]})", {"CAP_C"}, Arch::kX86_64, {6, 1}, true},
      {R"("includes": {"arches": ["amd64", "x32"]})", {}, Arch::kX86_64, {6, 1}, true},
      {R"("includes": {"arches": ["amd64", "x32"]})", {}, Arch::kAarch64, {6, 1}, false},
      {R"("excludes": {"arches": ["s390", "s390x"]})", {}, Arch::kS390x, {6, 1}, false},
      {R"("excludes": {"arches": ["s390", "s390x"]})", {}, Arch::kX86_64, {6, 1}, true},
      {R"("includes": {"minKernel": "4.8"})", {}, Arch::kX86_64, {4, 7}, false},
      {R"("includes": {"minKernel": "4.8"})", {}, Arch::kX86_64, {4, 8}, true},
      {R"("includes": {"minKernel": "4.8"})", {}, Arch::kX86_64, {4, 10}, true},
      {R"("includes": {"minKernel": "4.8"})", {}, Arch::kX86_64, {3, 99}, false},
      {R"("excludes": {"minKernel": "4.8"})", {}, Arch::kX86_64, {4, 8}, false},
      {R"("excludes": {"minKernel": "4.8"})", {}, Arch::kX86_64, {4, 7}, true},
      {R"("includes": {"minKernel": ""})", {}, Arch::kX86_64, {1, 0}, true},
      {R"("includes": {"caps": ["CAP_A"]}, "excludes": {"arches": ["amd64"]})",
       {"CAP_A"},
       Arch::kX86_64,
       {6, 1},
       false},
  };
  for (const auto& c : kCases) {
    for (const Flavour flavour : {Flavour::kPortcullis, Flavour::kDocker, Flavour::kContainerd}) {
      const ResolveContext context{.bounding = c.caps, .host = c.host, .kernel = c.kernel, .flavour = flavour};
      EXPECT_EQ(Kept(WithCondition(c.conditions), context).size(), c.kept ? 1u : 0u)
          << c.conditions << " " << FlavourName(flavour);
    }
  }
}

TEST(Resolve, UnknownKernelByFlavour) {
  const Profile profile = WithCondition(R"("includes": {"minKernel": "4.8"})");
  EXPECT_FALSE(Resolve(profile, {.flavour = Flavour::kDocker}));
  EXPECT_FALSE(Resolve(profile, {.flavour = Flavour::kPortcullis}));
  EXPECT_TRUE(Kept(profile, {.flavour = Flavour::kContainerd}).empty());
  EXPECT_THAT(Kept(profile, {.flavour = Flavour::kCriO}), ElementsAre("x"));
  EXPECT_THAT(Kept(profile, {.kernel = KernelVersion{3, 0}, .flavour = Flavour::kCriO}), ElementsAre("x"));
}

TEST(Resolve, NoCapabilitySettingsAtAll) {
  const Profile profile = Parse(R"({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
      {"names": ["with"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_A"]}},
      {"names": ["without"], "action": "SCMP_ACT_ALLOW", "excludes": {"caps": ["CAP_A"]}}]})");
  EXPECT_THAT(Kept(profile, {.bounding = std::nullopt, .flavour = Flavour::kCriO}), ElementsAre("with", "without"));
  EXPECT_THAT(Kept(profile, {.bounding = std::nullopt, .flavour = Flavour::kDocker}), ElementsAre("without"));
}

TEST(Resolve, ErrnoNamesByFlavour) {
  const Profile profile = Parse(R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "ENOSYS", "defaultErrnoRet": 1,
      "syscalls": [{"names": ["x"], "action": "SCMP_ACT_ERRNO", "errno": "EACCES"}]})");
  for (const Flavour flavour : {Flavour::kPortcullis, Flavour::kCriO}) {
    const auto resolved = Resolve(profile, {.flavour = flavour});
    ASSERT_TRUE(resolved);
    EXPECT_EQ(resolved->default_errno_ret, 38u);
    EXPECT_EQ(resolved->syscalls[0].errno_ret, 13u);
  }
  for (const Flavour flavour : {Flavour::kDocker, Flavour::kOciOnly}) {
    const auto resolved = Resolve(profile, {.flavour = flavour});
    ASSERT_TRUE(resolved);
    EXPECT_EQ(resolved->default_errno_ret, 1u);
    EXPECT_EQ(resolved->syscalls[0].errno_ret, std::nullopt);
  }
  const Profile bad = Parse(R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "ENONE"})");
  const auto resolved = Resolve(bad, {.flavour = Flavour::kCriO});
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().message, "unknown errno ENONE");
}

TEST(Resolve, ContainerdReadsLocalhostFilesAsPlainOci) {
  const Profile profile = Parse(R"({"defaultAction": "SCMP_ACT_ERRNO",
      "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}],
      "syscalls": [{"name": "one", "action": "SCMP_ACT_ALLOW"},
                   {"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}}]})");
  const auto oci = Resolve(profile, {.host = Arch::kX86_64, .flavour = Flavour::kOciOnly});
  ASSERT_TRUE(oci);
  EXPECT_TRUE(oci->architectures.empty());
  ASSERT_EQ(oci->syscalls.size(), 2u);
  EXPECT_TRUE(oci->syscalls[0].names.empty());
  EXPECT_THAT(oci->syscalls[1].names, ElementsAre("mount"));
  const auto ours = Resolve(profile, {.host = Arch::kX86_64});
  ASSERT_TRUE(ours);
  EXPECT_THAT(ours->architectures, ElementsAre(Arch::kX86_64, Arch::kX86));
  ASSERT_EQ(ours->syscalls.size(), 1u);
  EXPECT_THAT(ours->syscalls[0].names, ElementsAre("one"));
}

TEST(Resolve, ArchitecturesByHostAndFlavour) {
  const struct {
    const char* profile;
    Arch host;
    std::vector<Arch> want;
  } kCases[] = {
      {"containerd", Arch::kX86_64, {Arch::kX86_64, Arch::kX86, Arch::kX32}},
      {"docker", Arch::kX86_64, {Arch::kX86_64, Arch::kX86, Arch::kX32}},
      {"cri-o", Arch::kX86_64, {Arch::kX86_64, Arch::kX86, Arch::kX32}},
      {"containerd", Arch::kAarch64, {Arch::kAarch64, Arch::kArm}},
      {"containerd", Arch::kRiscv64, {Arch::kRiscv64}},
      {"containerd", Arch::kLoongarch64, {Arch::kLoongarch64}},
      {"docker", Arch::kLoongarch64, {}},
      {"containerd", Arch::kMipsel64, {}},
      {"docker", Arch::kMipsel64, {Arch::kMipsel64, Arch::kMipsel, Arch::kMipsel64n32}},
      {"cri-o", Arch::kRiscv64, {}},
      {"cri-o", Arch::kS390x, {Arch::kS390x, Arch::kS390}},
      {"docker", Arch::kPpc64le, {}},
  };
  for (const auto& c : kCases) {
    const auto found = FindDefaultProfile(c.profile);
    ASSERT_TRUE(found);
    const auto resolved =
        Resolve(found->profile, {.host = c.host, .kernel = KernelVersion{6, 1}, .flavour = found->flavour});
    ASSERT_TRUE(resolved) << resolved.error().message;
    EXPECT_EQ(resolved->architectures, c.want) << c.profile << " on " << syscalls::InfoOf(c.host).scmp_name;
  }
}

TEST(Resolve, ArchitecturesAndArchMapContradict) {
  const Profile profile = Parse(R"({"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
      "archMap": [{"architecture": "SCMP_ARCH_X86_64"}]})");
  const auto resolved = Resolve(profile, {});
  ASSERT_FALSE(resolved);
  EXPECT_THAT(resolved.error().message, HasSubstr("use either 'architectures' or 'archMap'"));
  EXPECT_TRUE(Resolve(profile, {.flavour = Flavour::kOciOnly}));
}

TEST(Resolve, EverythingElsePassesThrough) {
  const Profile profile = Parse(R"({"defaultAction": "SCMP_ACT_TRACE", "defaultErrnoRet": 7,
      "architectures": ["SCMP_ARCH_ARM"], "flags": ["SECCOMP_FILTER_FLAG_LOG"], "listenerPath": "/l", "listenerMetadata": "m",
      "syscalls": [{"names": ["a"], "action": "SCMP_ACT_NOTIFY", "args": [{"index": 1, "value": 2, "op": "SCMP_CMP_GT"}]}]})");
  for (const Flavour flavour :
       {Flavour::kPortcullis, Flavour::kContainerd, Flavour::kCriO, Flavour::kDocker, Flavour::kOciOnly}) {
    const auto resolved = Resolve(profile, {.flavour = flavour});
    ASSERT_TRUE(resolved);
    EXPECT_EQ(ToJson(*resolved), ToJson(profile)) << FlavourName(flavour);
  }
}

TEST(Resolve, DefaultCapabilitySets) {
  EXPECT_EQ(DockerDefaultCapabilities().size(), 14u);
  EXPECT_EQ(CriODefaultCapabilities().size(), 9u);
}

// What containerd 2.1.9 itself showed for a RuntimeDefault container: the same document.
TEST(Resolve, EqualsTheContainerdSample) {
  const auto sample = SharedJson("samples/containerd/seccomp-runtimedefault.json");
  if (!sample) GTEST_SKIP() << "no samples here";
  const auto found = FindDefaultProfile("containerd@2.1.9");
  ASSERT_TRUE(found);
  const auto resolved = Resolve(found->profile, {.bounding = DockerDefaultCapabilities(),
                                                 .host = Arch::kX86_64,
                                                 .kernel = KernelVersion{6, 18},
                                                 .flavour = found->flavour});
  ASSERT_TRUE(resolved);
  EXPECT_EQ(ToJson(*resolved), *sample);
}

}  // namespace
}  // namespace portcullis::seccomp
