#include "cli/output/yaml.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/document.h"

namespace portcullis::cli {
namespace {

using nlohmann::json;

TEST(Yaml, SortsKeysAndKeepsListsAtTheKey) {
  const json value = {{"status", {{"id", "ab"}, {"exitCode", 0}, {"labels", json::object()}}},
                      {"items", {{{"b", "2"}, {"a", true}}, "x", json::array(), {1, 2}}}};
  EXPECT_EQ(ToYaml(value),
            "items:\n"
            "- a: true\n"
            "  b: \"2\"\n"
            "- x\n"
            "- []\n"
            "- - 1\n"
            "  - 2\n"
            "status:\n"
            "  exitCode: 0\n"
            "  id: ab\n"
            "  labels: {}\n");
}

TEST(Yaml, QuotesOnlyWhatWouldBeMisread) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"plain text", "plain text\n"},
      {"", "\"\"\n"},
      {"true", "\"true\"\n"},
      {"yes", "\"yes\"\n"},
      {"null", "\"null\"\n"},
      {"0x1f", "\"0x1f\"\n"},
      {"1e3", "\"1e3\"\n"},
      {"12:30", "\"12:30\"\n"},
      {"2026-11-23T20:26:01Z", "\"2026-11-23T20:26:01Z\"\n"},
      {"- x", "'- x'\n"},
      {"a: b", "'a: b'\n"},
      {"it's: so", "'it''s: so'\n"},
      {"*star", "'*star'\n"},
      {"sha256:ab12", "sha256:ab12\n"},
      {"a\tb", "\"a\\tb\"\n"},
      {"one\ntwo\n", "|\n  one\n  two\n"},
      {"one\ntwo", "|-\n  one\n  two\n"},
  };
  for (const auto& [text, yaml] : cases) EXPECT_EQ(ToYaml(json(text)), yaml) << text;
}

// Whatever is printed must read back as the same tree.
TEST(Yaml, ReadsBack) {
  const json value = {{"texts",
                       {"",
                        "~",
                        "a b",
                        "a: b",
                        "#c",
                        "c #d",
                        "x:",
                        "-",
                        "- y",
                        "'q'",
                        "\"q\"",
                        "1",
                        "-1.5",
                        "0b1",
                        "1_000",
                        "off",
                        "multi\nline",
                        "multi\nline\n",
                        "trailing \nblank",
                        " lead\nin",
                        "end\n\n",
                        "\ttab",
                        "a\\b",
                        "2026-11-23",
                        "@at",
                        "`tick",
                        "%pct",
                        "!tag",
                        "&anchor",
                        "[",
                        "{",
                        "a,b",
                        "key: {x}"}},
                      {"n", json(nullptr)},
                      {"yes", 1.5},
                      {"big", 18446744073709551615ULL},
                      {"nested", {{"", {{"deep", json::array({json::array({json::object()})})}}}}}};
  const auto back = base::ParseYaml(ToYaml(value), "test");
  ASSERT_TRUE(back) << back.error().message << "\n" << ToYaml(value);
  EXPECT_EQ(back->root(), value) << ToYaml(value);
}

}  // namespace
}  // namespace portcullis::cli
