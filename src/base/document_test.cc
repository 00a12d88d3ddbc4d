#include "base/document.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace portcullis::base {
namespace {

using nlohmann::json;

TEST(ParseYaml, KeepsPositionsOfValues) {
  const auto doc = ParseYaml("spec:\n  containers:\n    - name: a\n      image: x\n", "pod.yaml");
  ASSERT_TRUE(doc) << doc.error().message;
  EXPECT_EQ(doc->root(), json::parse(R"({"spec":{"containers":[{"name":"a","image":"x"}]}})"));
  EXPECT_EQ(doc->Where("/spec/containers/0/image").line, 4);
  EXPECT_EQ(doc->Where("/spec/containers/0/image").column, 14);
  EXPECT_EQ(doc->Where("/spec/containers/0/missing").line, 3) << "falls back to the nearest parent";
  EXPECT_EQ(doc->Where("/spec/containers").line, 2) << "a block value is where its key is";
}

TEST(ParseYaml, ReadsScalarsAsKubernetesDoes) {
  struct Case {
    const char* text;
    json value;
  };
  for (const Case& c : {Case{"yes", true}, Case{"off", false}, Case{"~", nullptr}, Case{"", nullptr}, Case{"12", 12},
                        Case{"-7", -7}, Case{"0x10", 16}, Case{"0644", 0644}, Case{"1.5", 1.5}, Case{"1e3", 1000.0},
                        Case{"'yes'", "yes"}, Case{"\"12\"", "12"}, Case{"1.21", 1.21}, Case{"1.2.3", "1.2.3"},
                        Case{"18446744073709551615", UINT64_MAX}, Case{"!!str 12", "12"}}) {
    const auto doc = ParseYaml(std::string("v: ") + c.text + "\n", "f");
    ASSERT_TRUE(doc) << c.text << ": " << doc.error().message;
    EXPECT_EQ(doc->root()["v"], c.value) << c.text;
  }
}

TEST(ParseYaml, RefusesWithFileLineAndColumn) {
  struct Case {
    const char* text;
    const char* expected;
  };
  for (const Case& c :
       {Case{"a: 1\nb: 2\na: 3\n", "f:3:1: duplicate key \"a\""},
        Case{"x:\n  \"k y\": 1\n  k y: 2\n", "f:3:3: duplicate key \"k y\""},
        Case{"a: &a {}\nb: {<<: *a, <<: *a}\n", "f:2:13: duplicate key \"<<\""}, Case{"a: [1, 2\n", "f:"},
        Case{"a: 1\n b: 2\n", "f:1"}, Case{"a: !!binary aGk=\n", "f:1"}, Case{"? [x]\n: 1\n", "f:1"}}) {
    const auto doc = ParseYaml(c.text, "f");
    ASSERT_FALSE(doc) << c.text;
    EXPECT_EQ(doc.error().code, Code::kInvalidArgument);
    EXPECT_TRUE(doc.error().message.starts_with(c.expected)) << doc.error().message;
  }
}

TEST(ParseYaml, BoundsDepthAndAliases) {
  std::string deep;
  for (int i = 0; i < 200; ++i) deep += "[";
  for (int i = 0; i < 200; ++i) deep += "]";
  EXPECT_FALSE(ParseYaml(deep, "f"));
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 9; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += std::string(k == 0 ? "" : ",") + "*a" + std::to_string(i - 1);
    bomb += "]\n";
  }
  EXPECT_FALSE(ParseYaml(bomb, "f"));
  EXPECT_FALSE(ParseYaml("a: &a [*a]\n", "f"));
}

TEST(ParseYaml, AliasesAndMergeKeys) {
  const auto doc = ParseYaml("base: &b {x: 1, y: 2}\nuse: {<<: *b, y: 3}\nagain: *b\n", "f");
  ASSERT_TRUE(doc) << doc.error().message;
  EXPECT_EQ(doc->root()["use"], json::parse(R"({"x":1,"y":3})"));
  EXPECT_EQ(doc->root()["again"], json::parse(R"({"x":1,"y":2})"));
  EXPECT_FALSE(ParseYaml("a: *nowhere\n", "f"));
  EXPECT_FALSE(ParseYaml("a: {<<: 1}\n", "f"));
}

TEST(ParseYaml, FirstDocumentOnlyAndSaysWhenMoreFollow) {
  bool extra = false;
  const auto one = ParseYaml("a: 1\n", "f", &extra);
  ASSERT_TRUE(one);
  EXPECT_FALSE(extra);
  const auto two = ParseYaml("a: 1\n---\nb: 2\n", "f", &extra);
  ASSERT_TRUE(two);
  EXPECT_EQ(two->root(), json::parse(R"({"a":1})"));
  EXPECT_TRUE(extra);
  const auto empty = ParseYaml(" \n", "f");
  ASSERT_TRUE(empty);
  EXPECT_TRUE(empty->root().is_null());
}

TEST(ParseYamlDocuments, ReadsAllWithPositionsInTheWholeText) {
  const auto all = ParseYamlDocuments("a: 1\n---\n# nothing\n---\nb:\n  c: 2\n", "f");
  ASSERT_TRUE(all) << all.error().message;
  ASSERT_EQ(all->size(), 3u);
  EXPECT_EQ((*all)[0].root(), json::parse(R"({"a":1})"));
  EXPECT_TRUE((*all)[1].root().is_null());
  EXPECT_EQ((*all)[2].Where("/b/c").line, 6);
  EXPECT_TRUE(ParseYamlDocuments("", "f")->empty());
  const auto bad = ParseYamlDocuments("a: 1\n---\nb: [\n", "f.yaml");
  ASSERT_FALSE(bad);
  EXPECT_TRUE(bad.error().message.starts_with("f.yaml:")) << bad.error().message;
  EXPECT_FALSE(ParseYamlDocuments("a: \xff\n", "f"));
}

TEST(ParseYaml, RefusesWhatIsNotUtf8) { EXPECT_FALSE(ParseYaml("a: \xff\xfe\n", "f")); }

TEST(ParseJson, StrictWhereTheLibraryIsNot) {
  const auto good = ParseJson(R"({"a":[1,{"b":"c"}],"d":18446744073709551615})", "f");
  ASSERT_TRUE(good);
  EXPECT_EQ((*good)["a"][1]["b"], "c");
  struct Case {
    std::string text;
    const char* expected;
  };
  for (const Case& c :
       {Case{R"({"a":1,"a":2})", "duplicate key \"a\""}, Case{"", "unexpected end of JSON input"},
        Case{"{\n\"a\":}", "line 2"}, Case{std::string(100, '[') + std::string(100, ']'), "nesting deeper than 64"},
        Case{"18446744073709551616", "does not fit"}, Case{"{} {}", ""}}) {
    const auto bad = ParseJson(c.text, "profile.json");
    ASSERT_FALSE(bad) << c.text;
    EXPECT_TRUE(bad.error().message.starts_with("profile.json: ")) << bad.error().message;
    EXPECT_NE(bad.error().message.find(c.expected), std::string::npos) << bad.error().message;
  }
}

}  // namespace
}  // namespace portcullis::base
