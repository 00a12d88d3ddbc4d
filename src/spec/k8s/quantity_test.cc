#include "spec/k8s/quantity.h"

#include <gtest/gtest.h>

#include <limits>

namespace portcullis::k8s {
namespace {

TEST(Quantity, ValuesAndMilliValues) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  const struct {
    const char* text;
    int64_t value;
    int64_t milli;
  } cases[] = {
      {"0", 0, 0},
      {"100m", 1, 100},
      {"1", 1, 1000},
      {"1.5", 2, 1500},
      {".5", 1, 500},
      {"5.", 5, 5000},
      {"+2", 2, 2000},
      {"-1.5", -2, -1500},
      {"1Ki", 1024, 1024000},
      {"1.5Gi", 1610612736, 1610612736000},
      {"1e3", 1000, 1000000},
      {"1E3", 1000, 1000000},
      {"12e-1", 2, 1200},
      {"2E", 2000000000000000000, kMax},
      {"1Ei", 1152921504606846976, kMax},
      {"16Ei", kMax, kMax},
      {"99999999999999999999999", kMax, kMax},
      {"1n", 1, 1},
      {"0.0000000001", 1, 1},  // finer than a billionth: rounded up, as Kubernetes does
      {"1u", 1, 1},
      {"10Mi", 10485760, 10485760000},
      {"1e100", kMax, kMax},
      {"1e-100", 1, 1},
      {"1.3333333333333333Gi", 1431655766, 1431655765334},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    const auto quantity = Quantity::Parse(c.text);
    ASSERT_TRUE(quantity) << quantity.error().message;
    EXPECT_EQ(quantity->Value(), c.value);
    EXPECT_EQ(quantity->MilliValue(), c.milli);
    EXPECT_EQ(quantity->text(), c.text);
  }
}

TEST(Quantity, Malformed) {
  for (const char* text :
       {"", "m", "1x", "1 Gi", "1gi", "1KI", "--1", "1..5", ".", "e3", "1e", "1e+", "1e999", "1Mi2", "0x10"}) {
    EXPECT_FALSE(Quantity::Parse(text)) << text;
  }
  EXPECT_FALSE(Quantity::Parse(std::string(65, '1')));
}

TEST(Quantity, OrderSumAndDivision) {
  EXPECT_EQ(*Quantity::Parse("1000m"), *Quantity::Parse("1"));
  EXPECT_LT(*Quantity::Parse("999m"), *Quantity::Parse("1"));
  Quantity sum = *Quantity::Parse("250m");
  sum += *Quantity::Parse("0.75");
  EXPECT_EQ(sum.text(), "1");
  EXPECT_EQ(Quantity::Parse("1.5Gi")->DividedBy(*Quantity::Parse("1Mi")), 1536);
  EXPECT_EQ(Quantity::Parse("1500m")->DividedBy(Quantity()), 2);
  EXPECT_EQ(Quantity::Parse("100m")->DividedBy(*Quantity::Parse("1m")), 100);
}

}  // namespace
}  // namespace portcullis::k8s
