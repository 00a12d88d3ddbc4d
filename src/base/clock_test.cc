#include "base/clock.h"

#include <gtest/gtest.h>

namespace portcullis::base {
namespace {

using std::chrono::nanoseconds;

TEST(Clock, Rfc3339RoundTrips) {
  struct Case {
    int64_t nanos;
    const char* text;
  };
  for (const Case& c : {Case{0, "1970-01-01T00:00:00Z"}, Case{1795465559392865529, "2026-11-23T20:25:59.392865529Z"},
                        Case{1795465559390000000, "2026-11-23T20:25:59.39Z"},
                        Case{951782400000000000, "2000-02-29T00:00:00Z"}, Case{-500000000, "1969-12-31T23:59:59.5Z"}}) {
    EXPECT_EQ(FormatRfc3339Nano(c.nanos), c.text);
    EXPECT_EQ(ParseRfc3339(c.text), c.nanos) << c.text;
  }
}

TEST(Clock, ParsesOffsetsAndRefusesNonsense) {
  EXPECT_EQ(ParseRfc3339("1970-01-01T02:00:00+02:00"), 0);
  EXPECT_EQ(ParseRfc3339("1969-12-31T22:30:00-01:30"), 0);
  for (const char* bad : {"", "1970-01-01", "1970-13-01T00:00:00Z", "1970-02-30T00:00:00Z", "1970-01-01T24:00:00Z",
                          "1970-01-01T00:00:00", "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00Zx"}) {
    EXPECT_EQ(ParseRfc3339(bad), std::nullopt) << bad;
  }
}

TEST(Clock, GoDurations) {
  EXPECT_EQ(ParseGoDuration("1m30s"), nanoseconds(90'000'000'000));
  EXPECT_EQ(ParseGoDuration("1.5h"), nanoseconds(5'400'000'000'000));
  EXPECT_EQ(ParseGoDuration("-2ms"), nanoseconds(-2'000'000));
  EXPECT_EQ(ParseGoDuration("0"), nanoseconds(0));
  for (const char* bad : {"", "5", "s", "1x", "1 s", "-", "--1s", "1e3s", "9999999h"})
    EXPECT_EQ(ParseGoDuration(bad), std::nullopt) << bad;
  EXPECT_EQ(FormatGoDuration(nanoseconds(60'000'000'000)), "1m0s");
  EXPECT_EQ(FormatGoDuration(nanoseconds(1'500'000'000)), "1.5s");
  EXPECT_EQ(FormatGoDuration(nanoseconds(3'600'000'000'000)), "1h0m0s");
  EXPECT_EQ(FormatGoDuration(nanoseconds(20'000'000)), "20ms");
}

TEST(ParseRfc3339Test, RefusesTimesThatNanosecondsCannotHold) {
  EXPECT_FALSE(ParseRfc3339("2426-11-23T20:02:42.9455+00:00"));
  EXPECT_FALSE(ParseRfc3339("9999-12-31T23:59:59Z"));
  EXPECT_FALSE(ParseRfc3339("0001-01-01T00:00:00Z"));
  EXPECT_TRUE(ParseRfc3339("2261-12-31T23:59:59Z"));
  EXPECT_TRUE(ParseRfc3339("1678-01-01T00:00:00Z"));
}

}  // namespace
}  // namespace portcullis::base
