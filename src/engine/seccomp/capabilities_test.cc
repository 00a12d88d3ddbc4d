#include "engine/seccomp/capabilities.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace portcullis::seccomp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Capabilities, Names) {
  EXPECT_EQ(CapabilityNames().size(), 41u);
  EXPECT_EQ(CapabilityNames()[21], "CAP_SYS_ADMIN");
  EXPECT_EQ(CapabilityNames()[40], "CAP_CHECKPOINT_RESTORE");
  EXPECT_EQ(DockerDefaultCapabilities().size(), 14u);
  EXPECT_EQ(CriODefaultCapabilities().size(), 9u);
  EXPECT_THAT(CapabilitiesOfMask(0x400 | 1 | (uint64_t{1} << 60)), ElementsAre("CAP_CHOWN", "CAP_NET_BIND_SERVICE"));
  EXPECT_THAT(CapabilitiesOfMask(0), IsEmpty());
}

}  // namespace
}  // namespace portcullis::seccomp
