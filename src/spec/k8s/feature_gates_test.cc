#include "spec/k8s/feature_gates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/strings.h"
#include "spec/k8s/feature_gate_table.h"

namespace portcullis::k8s {
namespace {

using ::testing::HasSubstr;

TEST(ParseKubeVersion, Forms) {
  for (const char* text : {"1.22", "v1.22", "1.22.3"}) {
    const auto version = ParseKubeVersion(text);
    ASSERT_TRUE(version) << text;
    EXPECT_EQ(*version, (KubeVersion{1, 22}));
  }
  for (const char* text : {"", "1", "2.0", "1.x", "1.22.3.4", "1.-2", "1.21", "1.22.x"}) {
    EXPECT_FALSE(ParseKubeVersion(text)) << text;
  }
}

TEST(FeatureGatesFlag, Syntax) {
  struct Case {
    const char* text;
    GateMap gates;
    const char* error;
  };
  const std::vector<Case> cases = {
      {"", {}, nullptr},
      {"A=true", {{"A", true}}, nullptr},
      {" A = 1 ,, B=F", {{"A", true}, {"B", false}}, nullptr},
      {"A=true,A=false", {{"A", false}}, nullptr},
      {"Foo", {}, "invalid argument \"Foo\" for \"--feature-gates\" flag: malformed pair, expect string=bool"},
      {"SeccompDefault=yes",
       {},
       "invalid argument \"SeccompDefault=yes\" for \"--feature-gates\" flag: invalid value of SeccompDefault: yes, "
       "err: strconv.ParseBool: parsing \"yes\": invalid syntax"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.text);
    GateMap gates;
    const auto result = AddFeatureGatesFlag(c.text, gates);
    if (c.error == nullptr) {
      ASSERT_TRUE(result) << result.error().message;
      EXPECT_EQ(gates, c.gates);
    } else {
      ASSERT_FALSE(result);
      EXPECT_EQ(result.error().message, c.error);
    }
  }
}

TEST(FeatureGatesFlag, RepeatedFlagAccumulates) {
  GateMap gates;
  ASSERT_TRUE(AddFeatureGatesFlag("A=true,B=true", gates));
  ASSERT_TRUE(AddFeatureGatesFlag("B=false", gates));
  EXPECT_EQ(gates, (GateMap{{"A", true}, {"B", false}}));
}

TEST(GateAt, StagesFollowTheVersion) {
  const struct {
    const char* name;
    int minor;
    GateStage stage;
    bool default_value;
    bool locked;
  } cases[] = {
      {"SeccompDefault", 21, GateStage::kNotYet, false, false},
      {"SeccompDefault", 22, GateStage::kAlpha, false, false},
      {"SeccompDefault", 24, GateStage::kAlpha, false, false},
      {"SeccompDefault", 25, GateStage::kBeta, true, false},
      {"SeccompDefault", 26, GateStage::kBeta, true, false},
      {"SeccompDefault", 27, GateStage::kGa, true, true},
      {"SeccompDefault", 29, GateStage::kRemoved, false, false},
      {"NodeSwap", 22, GateStage::kAlpha, false, false},
      {"NodeSwap", 28, GateStage::kBeta, false, false},
      {"WatchList", 33, GateStage::kBeta, false, false},
      {"KMSv1", 29, GateStage::kDeprecated, false, false},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(fmt::format("{} at 1.{}", c.name, c.minor));
    const auto spec = GateAt(c.name, {1, c.minor});
    ASSERT_TRUE(spec);
    EXPECT_EQ(spec->stage, c.stage);
    EXPECT_EQ(spec->default_value, c.default_value);
    EXPECT_EQ(spec->locked, c.locked);
  }
  EXPECT_FALSE(GateAt("Seccompdefault", {1, 22}));
  EXPECT_FALSE(GateAt("", {1, 22}));
}

TEST(FeatureGates, GatesOfOtherVersionsAreOneWarning) {
  FeatureGates gates({1, 22});
  const auto warnings = gates.Set({{"PLEGOnDemandRelist", true}, {"NodeSwap", true}, {"SeccompDefault", true}});
  ASSERT_TRUE(warnings) << warnings.error().message;
  ASSERT_EQ(warnings->size(), 2u);
  EXPECT_EQ((*warnings)[0], "feature gate NodeSwap has no effect here");
  EXPECT_THAT((*warnings)[1],
              HasSubstr("PLEGOnDemandRelist is ignored: Kubernetes 1.22 does not have it (it exists from 1.36 on)"));
  EXPECT_FALSE(gates.ExplicitlySet("PLEGOnDemandRelist"));
  EXPECT_FALSE(gates.Enabled("PLEGOnDemandRelist"));
  EXPECT_TRUE(gates.Enabled("SeccompDefault"));
}

TEST(FeatureGates, UnknownNameIsAnErrorWithTheNearest) {
  FeatureGates gates({1, 22});
  const auto result = gates.Set({{"SecompDefault", true}});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "unrecognized feature gate: SecompDefault (did you mean \"SeccompDefault\"?)");
}

TEST(FeatureGates, LockedAndGa) {
  FeatureGates gates({1, 27});
  EXPECT_FALSE(gates.Set({{"SeccompDefault", false}}));
  const auto warnings = gates.Set({{"SeccompDefault", true}});
  ASSERT_TRUE(warnings);
  ASSERT_EQ(warnings->size(), 1u);
  EXPECT_EQ((*warnings)[0], "Setting GA feature gate SeccompDefault=true. It will be removed in a future release.");
}

TEST(FeatureGates, AllAlphaAndAllBeta) {
  FeatureGates gates({1, 22});
  ASSERT_TRUE(gates.Set({{"AllAlpha", true}, {"AllBeta", false}, {"NodeSwap", false}}));
  EXPECT_TRUE(gates.Enabled("SeccompDefault"));
  EXPECT_FALSE(gates.ExplicitlySet("SeccompDefault"));
  EXPECT_FALSE(gates.Enabled("NodeSwap"));  // its own value wins
  EXPECT_FALSE(gates.Enabled("GracefulNodeShutdown"));
  EXPECT_FALSE(gates.Enabled("PLEGOnDemandRelist"));  // not in 1.22, so not alpha there
}

TEST(GateTable, SortedSoThatLookUpFindsAll) {
  const auto table = GateTable();
  ASSERT_GT(table.size(), 400u);
  for (size_t i = 1; i < table.size(); ++i) {
    EXPECT_LT(std::make_pair(table[i - 1].name, table[i - 1].from_minor),
              std::make_pair(table[i].name, table[i].from_minor));
  }
  for (const GateTableRow& row : table) EXPECT_TRUE(GateAt(row.name, {1, row.from_minor})) << row.name;
}

// The compiled table says what the specification's table says, row for row.
TEST(GateTable, AgreesWithTheSpecification) {
  std::ifstream file(std::string(PORTCULLIS_SOURCE_DIR) + "/../shared/docs/feature-gates.tsv");
  if (!file) GTEST_SKIP() << "specification not present";
  std::string line;
  size_t rows = 0;
  while (std::getline(file, line)) {
    const auto columns = base::Split(line, '\t');
    if (line.starts_with('#') || columns.size() != 5 || columns[0] == "gate") continue;
    ++rows;
    SCOPED_TRACE(line);
    const auto minor = base::ParseUint(std::string_view(columns[1]).substr(2));
    ASSERT_TRUE(minor);
    const auto spec = GateAt(columns[0], {1, static_cast<int>(*minor)});
    ASSERT_TRUE(spec);
    EXPECT_EQ(base::ToLower(GateStageName(spec->stage)), base::ToLower(columns[2]));
    EXPECT_EQ(spec->default_value, columns[3] == "true");
    EXPECT_EQ(spec->locked, columns[4] == "locked");
  }
  EXPECT_EQ(rows, GateTable().size());
}

}  // namespace
}  // namespace portcullis::k8s
