#include "runtime/streaming/token_cache.h"

#include <gtest/gtest.h>

#include <set>

namespace portcullis::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Cache = TokenCache<std::string>;

const Cache::Time kStart{std::chrono::hours(1000)};

TEST(TokenCache, WorksOnce) {
  Cache cache;
  const std::string token = cache.Insert("exec", kStart).value();
  EXPECT_EQ(cache.Take(token.substr(1), kStart), std::nullopt);
  EXPECT_EQ(cache.Take("", kStart), std::nullopt);
  EXPECT_EQ(cache.Take(token, kStart + seconds(1)), "exec");
  EXPECT_EQ(cache.Take(token, kStart + seconds(1)), std::nullopt);
}

TEST(TokenCache, ExpiresAfterAMinute) {
  Cache cache;
  const std::string in_time = cache.Insert("in time", kStart).value();
  const std::string too_late = cache.Insert("too late", kStart).value();
  EXPECT_EQ(cache.Take(in_time, kStart + seconds(60) - milliseconds(1)), "in time");
  EXPECT_EQ(cache.Take(too_late, kStart + seconds(60)), std::nullopt);
  EXPECT_EQ(cache.Take(too_late, kStart), std::nullopt) << "asked for too late, it is gone";
}

TEST(TokenCache, ATimeForEach) {
  Cache cache;
  const std::string first = cache.Insert("first", kStart).value();
  const std::string second = cache.Insert("second", kStart + seconds(30)).value();
  EXPECT_EQ(cache.Take(first, kStart + seconds(61)), std::nullopt);
  EXPECT_EQ(cache.Take(second, kStart + seconds(61)), "second");
}

TEST(TokenCache, AThousandMayWait) {
  Cache cache;
  std::set<std::string> tokens;
  for (int i = 0; i < 1000; ++i) tokens.insert(cache.Insert("", kStart).value());
  EXPECT_EQ(tokens.size(), 1000u);
  const auto refused = cache.Insert("", kStart + seconds(59));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kResourceExhausted);
  EXPECT_EQ(refused.error().message, "maximum number of in-flight requests exceeded");
  // One that is used makes room, and so do those that are too old.
  EXPECT_TRUE(cache.Take(*tokens.begin(), kStart + seconds(59)));
  EXPECT_TRUE(cache.Insert("", kStart + seconds(59)));
  EXPECT_FALSE(cache.Insert("", kStart + seconds(59)));
  for (int i = 0; i < 999; ++i) EXPECT_TRUE(cache.Insert("", kStart + seconds(60)));
  EXPECT_FALSE(cache.Insert("", kStart + seconds(60)));
}

TEST(TokenCache, TokensAreOfTheUrlsAlphabet) {
  for (int i = 0; i < 100; ++i) {
    const std::string token = MakeToken();
    EXPECT_EQ(token.size(), 8u);
    EXPECT_EQ(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
              std::string::npos)
        << token;
  }
}

}  // namespace
}  // namespace portcullis::runtime
