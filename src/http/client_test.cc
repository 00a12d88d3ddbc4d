#include "http/client.h"

#include <gtest/gtest.h>

namespace portcullis::http {
namespace {

using std::chrono::seconds;

TEST(Client, RetryAfterIsSecondsOrADate) {
  constexpr int64_t kNow = 784111777;  // Sun, 06 Nov 1994 08:49:37 GMT
  EXPECT_EQ(ParseRetryAfter("120", kNow), seconds(120));
  EXPECT_EQ(ParseRetryAfter(" 0 ", kNow), seconds(0));
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:50:07 GMT", kNow), seconds(30));
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:40:00 GMT", kNow), seconds(0));
  EXPECT_EQ(ParseRetryAfter("", kNow), std::nullopt);
  EXPECT_EQ(ParseRetryAfter("soon", kNow), std::nullopt);
  EXPECT_EQ(ParseRetryAfter("-5", kNow), std::nullopt);
}

TEST(Client, LoopbackIsANameOrAnAddressNotAPrefix) {
  for (const char* host : {"localhost", "localhost:5000", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:5000", "::1"}) {
    EXPECT_TRUE(IsLoopback(host)) << host;
  }
  for (const char* host : {"127.example", "127.0.0.1.example:80", "localhost.example", "10.0.0.1", "[::2]", ""}) {
    EXPECT_FALSE(IsLoopback(host)) << host;
  }
}

TEST(Client, OriginsAreComparedWithTheirDefaultPorts) {
  EXPECT_EQ(OriginOf("https://R.example/v2/"), OriginOf("https://r.example:443"));
  EXPECT_NE(OriginOf("https://r.example"), OriginOf("http://r.example"));
  EXPECT_NE(OriginOf("https://r.example"), OriginOf("https://r.example:444"));
  EXPECT_EQ(OriginOf("http://["), Origin());
}

TEST(Client, WhatCannotBeAsked) {
  const auto nothing = Send({.url = "http://127.0.0.1:1/"}, {});
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, Code::kUnavailable);
  EXPECT_EQ(Send({.url = "http://["}, {}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(Send({.url = "file:///etc/passwd"}, {}).error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace portcullis::http
