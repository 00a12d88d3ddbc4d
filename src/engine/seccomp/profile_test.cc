#include "engine/seccomp/profile.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "engine/seccomp/names.h"

namespace portcullis::seccomp {
namespace {

TEST(Names, RoundTrip) {
  for (const auto& [name, action] : kActionNames) {
    EXPECT_EQ(ActionName(action), name);
    EXPECT_EQ(ActionFromName(name), action);
  }
  for (const auto& [name, op] : kCompareOpNames) EXPECT_EQ(CompareOpFromName(CompareOpName(op)), op) << name;
  for (const auto& [name, flag] : kFilterFlagNames) EXPECT_EQ(FilterFlagFromName(FilterFlagName(flag)), flag) << name;
  EXPECT_EQ(ActionFromName("ALLOW"), std::nullopt);
  EXPECT_EQ(ActionFromName("scmp_act_allow"), std::nullopt);
}

TEST(KernelVersion, Release) {
  const struct {
    std::string_view text;
    std::optional<KernelVersion> want;
  } kCases[] = {
      {"6.18.44", KernelVersion{6, 18}},
      {"3.12.25-gentoo", KernelVersion{3, 12}},
      {"3.12-rc5", KernelVersion{3, 12}},
      {"4.8", KernelVersion{4, 8}},
      {"6", std::nullopt},
      {"", std::nullopt},
      {"linux-6.1", std::nullopt},
      {"6.x", std::nullopt},
      {"99999999999999999999.1", std::nullopt},
      {"-1.2", std::nullopt},
  };
  for (const auto& c : kCases) {
    const auto got = ParseKernelRelease(c.text);
    EXPECT_EQ(got ? std::optional(*got) : std::nullopt, c.want) << c.text;
  }
}

TEST(KernelVersion, MinKernel) {
  EXPECT_EQ(ParseMinKernel("4.8").value(), (KernelVersion{4, 8}));
  EXPECT_EQ(ParseMinKernel("255.255").value(), (KernelVersion{255, 255}));
  for (const char* bad : {"", "4", "4.", "4.8.1", "4.8-rc1", "0.0", "256.1", "4.256", " 4.8", "a.b", "+4.8"}) {
    EXPECT_FALSE(ParseMinKernel(bad)) << bad;
  }
  EXPECT_LT((KernelVersion{4, 10}), (KernelVersion{5, 0}));
  EXPECT_GT((KernelVersion{4, 10}), (KernelVersion{4, 8}));
}

TEST(Errno, NamesAndNumbers) {
  EXPECT_EQ(ErrnoFromName("EPERM"), 1u);
  EXPECT_EQ(ErrnoFromName("ENOSYS"), static_cast<uint32_t>(ENOSYS));
  EXPECT_EQ(ErrnoFromName("EWOULDBLOCK"), static_cast<uint32_t>(EAGAIN));
  EXPECT_EQ(ErrnoFromName("38"), 38u);
  for (const char* bad : {"", "ENOTHING", "-1", "1x", "0x10", "99999999999", " 1"}) {
    EXPECT_EQ(ErrnoFromName(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(ErrnoName(EAGAIN), "EAGAIN");
  EXPECT_EQ(ErrnoName(EOPNOTSUPP), "EOPNOTSUPP");
  EXPECT_EQ(ErrnoName(0), "0");
  EXPECT_EQ(ErrnoName(4000), "4000");
}

}  // namespace
}  // namespace portcullis::seccomp
