#include "base/strings.h"

#include <gtest/gtest.h>

#include <array>

namespace portcullis::base {
namespace {

TEST(Strings, SplitKeepsEmptyParts) {
  EXPECT_EQ(Split("a,b,,c", ','), (std::vector<std::string>{"a", "b", "", "c"}));
  EXPECT_EQ(Split("", ','), (std::vector<std::string>{""}));
}

TEST(Strings, ParseGoBoolTakesGosSpellingsOnly) {
  for (const char* yes : {"1", "t", "T", "TRUE", "true", "True"}) EXPECT_EQ(ParseGoBool(yes), true) << yes;
  for (const char* no : {"0", "f", "F", "FALSE", "false", "False"}) EXPECT_EQ(ParseGoBool(no), false) << no;
  for (const char* bad : {"", "yes", "on", "tRUE", " true", "2"}) EXPECT_EQ(ParseGoBool(bad), std::nullopt) << bad;
}

TEST(Strings, ParseHexTakesDigitsOnly) {
  EXPECT_EQ(ParseHex("7f4660c1B000"), 0x7f4660c1b000u);
  EXPECT_EQ(ParseHex("ffffffffffffffff"), UINT64_MAX);
  for (const char* bad : {"", "0x1", "-1", " 1", "1 ", "g", "10000000000000000"})
    EXPECT_EQ(ParseHex(bad), std::nullopt) << bad;
}

TEST(Strings, ParseCIntegerReadsWhatCWrites) {
  EXPECT_EQ(ParseCInteger("0"), 0u);
  EXPECT_EQ(ParseCInteger("17"), 17u);
  EXPECT_EQ(ParseCInteger("0x1F"), 31u);
  EXPECT_EQ(ParseCInteger("017"), 15u);
  EXPECT_EQ(ParseCInteger("-1"), UINT64_MAX);
  EXPECT_EQ(ParseCInteger("-0x10"), uint64_t{0} - 16);
  for (const char* bad : {"", "-", "--1", "0x", "08", "1k", "+1", " 1", "18446744073709551616"}) {
    EXPECT_EQ(ParseCInteger(bad), std::nullopt) << bad;
  }
}

TEST(Strings, ParseUintTakesWholeNumbersOnly) {
  EXPECT_EQ(ParseUint("18446744073709551615"), UINT64_MAX);
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "18446744073709551616", "0x1"})
    EXPECT_EQ(ParseUint(bad), std::nullopt) << bad;
}

TEST(Strings, QuoteEscapesWhatATerminalWouldObey) { EXPECT_EQ(Quote("a\"b\\c\n\x1b"), "\"a\\\"b\\\\c\\n\\x1b\""); }

TEST(Strings, NearestFindsMisspelledAndMiscasedNames) {
  constexpr std::array<std::string_view, 3> kNames = {"seccompDefault", "staticPodPath", "maxPods"};
  EXPECT_EQ(Nearest("seccompdefault", kNames), "seccompDefault");
  EXPECT_EQ(Nearest("staticPodsPath", kNames), "staticPodPath");
  EXPECT_EQ(Nearest("completelyOther", kNames), std::nullopt);
}

TEST(Strings, Sha256IsTheStandardOne) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Strings, RandomHexHasTheAskedLengthAndDiffers) {
  EXPECT_EQ(RandomHex(32).size(), 64u);
  EXPECT_NE(RandomHex(32), RandomHex(32));
}

TEST(ToBase64Test, Rfc4648Vectors) {
  EXPECT_EQ(ToBase64(""), "");
  EXPECT_EQ(ToBase64("f"), "Zg==");
  EXPECT_EQ(ToBase64("fo"), "Zm8=");
  EXPECT_EQ(ToBase64("foo"), "Zm9v");
  EXPECT_EQ(ToBase64(std::string_view("\xff\xfe\0", 3)), "//4A");
}

}  // namespace
}  // namespace portcullis::base
