#include "node/image/gc_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace portcullis::node {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Ids(const std::vector<KnownImage>& images) {
  std::vector<std::string> ids;
  for (const KnownImage& known : images) ids.push_back(known.image.id);
  return ids;
}

TEST(ImageGcPolicy, BytesToFree) {
  const struct {
    const char* name;
    ImageGcPolicy policy;
    DiskUse use;
    int percent;
    uint64_t bytes;
  } cases[] = {
      {"below", {}, {.capacity = 1000, .available = 151}, 85, 49},
      {"at the threshold", {}, {.capacity = 1000, .available = 150}, 85, 50},
      {"just under it", {}, {.capacity = 1000, .available = 160}, 84, 0},
      {"full", {}, {.capacity = 1000, .available = 0}, 100, 200},
      {"never for space", {.high_percent = 100, .low_percent = 80}, {.capacity = 1000, .available = 0}, 100, 0},
      {"no disk", {}, {.capacity = 0, .available = 0}, 0, 0},
      {"more available than there is", {}, {.capacity = 10, .available = 20}, 0, 0},
      {"a very large disk",
       {},
       {.capacity = uint64_t{1} << 62, .available = uint64_t{1} << 58},
       94,
       static_cast<uint64_t>((static_cast<unsigned __int128>(1) << 62) * 20 / 100) - (uint64_t{1} << 58)},
      {"always", {.high_percent = 1, .low_percent = 0}, {.capacity = 1000, .available = 900}, 10, 100},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(UsagePercent(c.use), c.percent) << c.name;
    EXPECT_EQ(BytesToFree(c.policy, c.use), c.bytes) << c.name;
  }
}

TEST(ImageGcPolicy, IsOff) {
  EXPECT_FALSE(ImageGcPolicy{}.IsOff());
  EXPECT_TRUE((ImageGcPolicy{.high_percent = 100}).IsOff());
  EXPECT_FALSE((ImageGcPolicy{.high_percent = 100, .max_age = hours(1)}).IsOff());
}

TEST(ImageLedger, LeastRecentlyUsedFirstAndNeitherUsedNorPinnedNorYoung) {
  const GcTime start = GcTime() + hours(1000);
  ImageLedger ledger;
  ledger.Observe({{.id = "old"}, {.id = "used", .in_use = true}, {.id = "pause", .pinned = true}}, start);
  EXPECT_THAT(Ids(ledger.Unused({}, start)), ElementsAre("old")) << "what there is at the start counts as old";
  ledger.Observe({{.id = "old"}, {.id = "used"}, {.id = "pause", .pinned = true}, {.id = "new"}}, start + minutes(5));
  EXPECT_THAT(Ids(ledger.Unused({}, start + minutes(5))), ElementsAre("old", "used")) << "the new one is too young";
  EXPECT_THAT(Ids(ledger.Unused({}, start + minutes(7))), ElementsAre("old", "new", "used"));
  ledger.Forget("old");
  EXPECT_THAT(Ids(ledger.Unused({}, start + minutes(7))), ElementsAre("new", "used"));
  ledger.Observe({{.id = "used", .in_use = true}}, start + minutes(10));
  EXPECT_THAT(Ids(ledger.Unused({}, start + hours(10))), IsEmpty()) << "what is gone is forgotten";
}

TEST(ImageLedger, AnImageThatCameBackIsNew) {
  const GcTime start = GcTime() + hours(1000);
  ImageLedger ledger;
  ledger.Observe({{.id = "a"}}, start);
  ledger.Observe({}, start + minutes(5));
  ledger.Observe({{.id = "a"}}, start + minutes(10));
  EXPECT_THAT(Ids(ledger.Unused({}, start + minutes(11))), IsEmpty());
}

TEST(ImageLedger, TooOldByTheTimeSinceItWasUsed) {
  const GcTime start = GcTime() + hours(1000);
  const ImageGcPolicy policy{.max_age = hours(12)};
  ImageLedger ledger;
  ledger.Observe({{.id = "never"}, {.id = "used", .in_use = true}}, start);
  EXPECT_THAT(Ids(ledger.TooOld(policy, start)), IsEmpty()) << "the node has not looked for that long";
  ledger.Observe({{.id = "never"}, {.id = "used", .in_use = true}, {.id = "late"}}, start + hours(11));
  ledger.Observe({{.id = "never"}, {.id = "used"}, {.id = "late"}}, start + hours(13));
  EXPECT_THAT(Ids(ledger.TooOld(policy, start + hours(13))), ElementsAre("never"));
  EXPECT_THAT(Ids(ledger.TooOld(policy, start + hours(24))), ElementsAre("never", "late", "used"));
  EXPECT_THAT(Ids(ledger.TooOld({}, start + hours(24))), IsEmpty()) << "no such rule";
}

}  // namespace
}  // namespace portcullis::node
