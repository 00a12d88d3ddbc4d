#include "base/yaml_scalar.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace portcullis::base {
namespace {

TEST(YamlScalar, Kinds) {
  const struct {
    const char* text;
    nlohmann::json want;
  } kCases[] = {
      {"", nullptr},
      {"~", nullptr},
      {"NULL", nullptr},
      {"nULL", "nULL"},
      {"yes", true},
      {"Off", false},
      {"n", false},
      {"yEs", "yEs"},
      {"7", 7},
      {"+7", 7},
      {"-7", -7},
      {"0644", 420},
      {"0o17", 15},
      {"0x1F", 31},
      {"0b11", 3},
      {"08", 8},
      {"18446744073709551615", uint64_t{18446744073709551615U}},
      {"-9223372036854775808", INT64_MIN},
      {"1.5e3", 1500.0},
      {".5", 0.5},
      {"-1.5", -1.5},
      {"1.2.3", "1.2.3"},
      {"0xg", "0xg"},
      {"-", "-"},
      {"1_000", "1_000"},
      {"inf", "inf"},
      {"a b", "a b"},
  };
  for (const auto& c : kCases) {
    const nlohmann::json got = PlainScalar(c.text);
    EXPECT_EQ(got, c.want) << c.text;
    EXPECT_EQ(got.is_string(), c.want.is_string()) << c.text;
  }
}

}  // namespace
}  // namespace portcullis::base
