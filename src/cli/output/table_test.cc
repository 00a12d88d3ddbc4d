#include "cli/output/table.h"

#include <gtest/gtest.h>

#include "cli/output/human.h"

namespace portcullis::cli {
namespace {

// The two lines are what crictl 1.36 prints (samples/containerd/crictl-ps-pods.txt).
TEST(Table, LaysOutAsCrictl) {
  Table table({"CONTAINER", "IMAGE", "CREATED", "STATE", "NAMESPACE"});
  table.AddRow({"a6a797d026143", "docker.io/library/busybox:latest", "1 second ago", "Running", "unknown"});
  EXPECT_EQ(table.Text(),
            "CONTAINER           IMAGE                              CREATED             STATE               NAMESPACE\n"
            "a6a797d026143       docker.io/library/busybox:latest   1 second ago        Running             unknown\n");
}

TEST(Table, CountsCharactersNotBytes) {
  Table table({});
  table.AddRow({"\xc3\xa4\xc3\xb6", "x"});
  EXPECT_EQ(table.Text(), "\xc3\xa4\xc3\xb6                  x\n");
}

TEST(Human, Durations) {
  constexpr int64_t kSecond = 1'000'000'000;
  const std::vector<std::pair<int64_t, std::string>> cases = {{-5 * kSecond, "Less than a second"},
                                                              {kSecond / 2, "Less than a second"},
                                                              {kSecond, "1 second"},
                                                              {59 * kSecond, "59 seconds"},
                                                              {60 * kSecond, "About a minute"},
                                                              {300 * kSecond, "5 minutes"},
                                                              {3600 * kSecond, "About an hour"},
                                                              {5400 * kSecond, "2 hours"},
                                                              {47 * 3600 * kSecond, "47 hours"},
                                                              {72 * 3600 * kSecond, "3 days"},
                                                              {21 * 24 * 3600 * kSecond, "3 weeks"},
                                                              {90 * 24 * 3600 * kSecond, "3 months"},
                                                              {800LL * 24 * 3600 * kSecond, "2 years"}};
  for (const auto& [nanoseconds, text] : cases) EXPECT_EQ(HumanDuration(nanoseconds), text) << nanoseconds;
  EXPECT_EQ(HumanAgo(0, 300 * kSecond), "5 minutes ago");
}

TEST(Human, Sizes) {
  EXPECT_EQ(HumanSize(6599469, 3), "6.6MB");
  EXPECT_EQ(HumanSize(306598, 3), "307kB");
  EXPECT_EQ(HumanSize(3436583, 3), "3.44MB");
  EXPECT_EQ(HumanSize(0), "0B");
  EXPECT_EQ(HumanSize(602112), "602.1kB");
}

}  // namespace
}  // namespace portcullis::cli
