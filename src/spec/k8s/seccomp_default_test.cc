// The start-up table of kubernetes-seccomp.md 8.5 under this project's rule: gate and switch are judged after merging
// file, drop-ins and flags, and a gate without its switch is not passed over in silence. "differs" says where the
// kubelet does otherwise, and why.
#include "spec/k8s/seccomp_default.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spec/k8s/kubelet_config.h"

namespace portcullis::k8s {
namespace {

constexpr char kE1[] =
    "failed to validate kubelet flags: the SeccompDefault feature gate must be enabled in order to use the "
    "--seccomp-default flag";
constexpr char kE2[] =
    "failed to run Kubelet: the SeccompDefault feature gate must be enabled in order to use the SeccompDefault "
    "configuration";
constexpr char kMissingSwitch[] = "the SeccompDefault feature gate is enabled, but the switch is missing";
constexpr char kHead[] = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";

struct Case {
  const char* id;
  int minor;
  const char* gates = "";                // --feature-gates
  std::optional<bool> flag = {};         // --seccomp-default
  std::optional<std::string> file = {};  // below apiVersion and kind
  std::vector<std::pair<std::string, std::string>> drop_ins = {};
  const char* expected = "on";  // "on", "off", or a part of the error
  int warnings = 0;
};

const std::vector<Case>& Cases() {
  static const std::vector<Case> kCases = {
      {.id = "S00", .minor = 22, .expected = "off"},
      {.id = "S01", .minor = 22, .flag = true, .expected = kE1},
      // differs: the kubelet starts and silently stays Unconfined; half a step is an error here (as the 2021 blog has
      // it).
      {.id = "S02", .minor = 22, .gates = "SeccompDefault=true", .expected = kMissingSwitch},
      {.id = "S02 staged by file",
       .minor = 22,
       .gates = "SeccompDefault=true",
       .file = "seccompDefault: false",
       .expected = "off"},
      {.id = "S02 staged by flag", .minor = 24, .gates = "SeccompDefault=true", .flag = false, .expected = "off"},
      {.id = "S02 gate in file",
       .minor = 23,
       .file = "featureGates: {SeccompDefault: true}",
       .expected = kMissingSwitch},
      {.id = "S02 AllAlpha", .minor = 22, .gates = "AllAlpha=true", .expected = "off"},
      {.id = "S02 gate false", .minor = 22, .gates = "SeccompDefault=false", .expected = "off"},
      {.id = "S02 beta", .minor = 25, .gates = "SeccompDefault=true", .expected = "off"},
      {.id = "S03", .minor = 22, .gates = "SeccompDefault=true", .flag = true, .expected = "on"},
      {.id = "S03 AllAlpha", .minor = 22, .gates = "AllAlpha=true", .flag = true, .expected = "on"},
      {.id = "S03 AllAlpha but not this",
       .minor = 22,
       .gates = "AllAlpha=true,SeccompDefault=false",
       .flag = true,
       .expected = kE1},
      {.id = "S04", .minor = 24, .file = "seccompDefault: true", .expected = kE2},
      {.id = "S05",
       .minor = 22,
       .file = "featureGates: {SeccompDefault: true}\nseccompDefault: true",
       .expected = "on"},
      // differs: the kubelet validates flags before it reads the file (issue 104298); here both are merged first.
      {.id = "S06", .minor = 22, .flag = true, .file = "featureGates: {SeccompDefault: true}", .expected = "on"},
      {.id = "S07 flag gate, file switch",
       .minor = 22,
       .gates = "SeccompDefault=true",
       .file = "seccompDefault: true",
       .expected = "on"},
      {.id = "S07 both switches, no gate", .minor = 22, .flag = true, .file = "seccompDefault: true", .expected = kE1},
      {.id = "S08", .minor = 25, .flag = true, .expected = "on"},
      {.id = "S09", .minor = 26, .gates = "SeccompDefault=false", .flag = true, .expected = kE1},
      {.id = "S10",
       .minor = 25,
       .file = "featureGates: {SeccompDefault: false}\nseccompDefault: true",
       .expected = kE2},
      // differs: the kubelet starts with the default applied (E1 sees flag gates only, E2 the file's switch only).
      {.id = "S11", .minor = 25, .flag = true, .file = "featureGates: {SeccompDefault: false}", .expected = kE1},
      {.id = "S12",
       .minor = 27,
       .gates = "SeccompDefault=false",
       .expected = "failed to set feature gates from initial flags-based config: cannot set feature gate "
                   "SeccompDefault to false, feature is locked to true"},
      {.id = "S13", .minor = 28, .gates = "SeccompDefault=true", .expected = "off", .warnings = 1},
      // differs: the kubelet stops (S14) or panics (S16); known gates of other versions are one warning here.
      {.id = "S14", .minor = 29, .gates = "SeccompDefault=true", .expected = "off", .warnings = 1},
      {.id = "S14 with switch",
       .minor = 30,
       .gates = "SeccompDefault=true",
       .flag = true,
       .expected = "on",
       .warnings = 1},
      {.id = "S15", .minor = 29, .flag = true, .expected = "on"},
      {.id = "S16", .minor = 32, .file = "featureGates: {SeccompDefault: true}", .expected = "off", .warnings = 1},
      // The kubelet ORs without a word; the contradiction is a warning here.
      {.id = "S17", .minor = 27, .flag = false, .file = "seccompDefault: true", .expected = "on", .warnings = 1},
      {.id = "S18", .minor = 27, .flag = true, .file = "seccompDefault: false", .expected = "on", .warnings = 1},
      {.id = "S19", .minor = 27, .file = "seccompDefault: true", .expected = "on"},
      {.id = "S20",
       .minor = 30,
       .drop_ins = {{"/d/20-b.conf", "seccompDefault: false"}, {"/d/10-a.conf", "seccompDefault: true"}},
       .expected = "off"},
      {.id = "S21",
       .minor = 30,
       .file = "seccompDefault: true",
       .drop_ins = {{"/d/a.conf", "seccompDefault: null"}},
       .expected = "off"},
      {.id = "S22", .minor = 30, .drop_ins = {{"/d/10-a.yaml", "seccompDefault: true"}}, .expected = "off"},
      // differs: the kubelet logs the unknown field and stays Unconfined.
      {.id = "S23", .minor = 30, .file = "seccompdefault: true", .expected = "did you mean \"seccompDefault\"?"},
      {.id = "S24",
       .minor = 30,
       .file = "seccompDefault: \"true\"",
       .expected = "failed to load kubelet config file, path: /etc/k.yaml, error: failed to decode: /etc/k.yaml:3:18: "
                   "error: seccompDefault: expected true or false, found the string \"true\""},
      {.id = "S25", .minor = 30, .file = "seccompDefault: yes", .expected = "on"},
      // differs: drop-ins of 1.28 and 1.29 need no environment variable here (S29).
      {.id = "S29", .minor = 28, .drop_ins = {{"/d/a.conf", "seccompDefault: true"}}, .expected = "on"},
  };
  return kCases;
}

TEST(SeccompDefaultStartUp, Table) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.id);
    KubeletConfigInputs inputs;
    inputs.emulated_version = {1, c.minor};
    if (c.file) inputs.file = ConfigText{"/etc/k.yaml", kHead + *c.file + "\n"};
    for (const auto& [path, text] : c.drop_ins) inputs.drop_ins.push_back({path, kHead + text + "\n"});
    ASSERT_TRUE(AddFeatureGatesFlag(c.gates, inputs.flags.feature_gates));
    inputs.flags.seccomp_default = c.flag;

    const auto config = MergeKubeletConfig(inputs);
    const std::string expected = c.expected;
    if (expected == "on" || expected == "off") {
      ASSERT_TRUE(config) << config.error().message;
      EXPECT_EQ(config->seccomp_default().enabled, expected == "on");
      EXPECT_EQ(config->warnings.size(), static_cast<size_t>(c.warnings)) << ::testing::PrintToString(config->warnings);
      EXPECT_FALSE(config->seccomp_default().summary.empty());
    } else {
      ASSERT_FALSE(config);
      EXPECT_THAT(config.error().message, ::testing::HasSubstr(expected));
    }
  }
}

// The first step of a staged rollout says in one line what is prepared and what is missing.
TEST(SeccompDefaultStartUp, StagedRolloutSummary) {
  FeatureGates gates({1, 22});
  ASSERT_TRUE(gates.Set({{"SeccompDefault", true}}));
  const auto decision = DecideSeccompDefault({.flag = false, .config = std::nullopt}, gates);
  ASSERT_TRUE(decision);
  EXPECT_THAT(decision->summary, ::testing::HasSubstr("prepared and off"));
  EXPECT_EQ(decision->summary.find('\n'), std::string::npos);
}

// S26. S28 (empty file) is in kubelet_config_test; S30 is the command line's.
TEST(SeccompDefaultStartUp, FlagValue) {
  EXPECT_TRUE(*ParseSeccompDefaultFlag("T"));
  EXPECT_FALSE(*ParseSeccompDefaultFlag("0"));
  const auto bad = ParseSeccompDefaultFlag("maybe");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message,
            "invalid argument \"maybe\" for \"--seccomp-default\" flag: strconv.ParseBool: parsing \"maybe\": invalid "
            "syntax");
}

}  // namespace
}  // namespace portcullis::k8s
