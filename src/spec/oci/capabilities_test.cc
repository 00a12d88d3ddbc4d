#include "spec/oci/capabilities.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/seccomp/capabilities.h"

namespace portcullis::oci {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> All() { return {seccomp::CapabilityNames().begin(), seccomp::CapabilityNames().end()}; }
std::vector<std::string> Defaults() { return seccomp::DockerDefaultCapabilities(); }
std::vector<std::string> DefaultsBut(const std::string& name) {
  std::vector<std::string> out = Defaults();
  std::erase(out, name);
  return out;
}
std::vector<std::string> DefaultsAnd(const std::string& name) {
  std::vector<std::string> out = Defaults();
  out.push_back(name);
  return out;
}

TEST(CapabilitiesTest, AddAndDrop) {
  const struct {
    std::vector<std::string> add;
    std::vector<std::string> drop;
    std::vector<std::string> want;
  } kCases[] = {
      {{}, {}, Defaults()},
      {{"NET_ADMIN"}, {}, DefaultsAnd("CAP_NET_ADMIN")},
      {{"cap_net_admin"}, {}, DefaultsAnd("CAP_NET_ADMIN")},
      {{"CHOWN"}, {}, Defaults()},
      {{}, {"net_raw"}, DefaultsBut("CAP_NET_RAW")},
      {{}, {"ALL"}, {}},
      {{}, {"all"}, {}},
      {{"SYS_TIME"}, {"ALL"}, {"CAP_SYS_TIME"}},
      {{"SYS_TIME"}, {"SYS_TIME"}, Defaults()},
      {{"ALL"}, {}, All()},
      {{"ALL"}, {"ALL"}, {}},
  };
  for (const auto& c : kCases) {
    const auto set =
        ComputeCapabilities({.privileged = false, .add = c.add, .drop = c.drop, .ambient = {}, .daemon = All()});
    ASSERT_TRUE(set);
    EXPECT_EQ(set->bounding, c.want);
    EXPECT_THAT(set->ambient, IsEmpty());
    EXPECT_THAT(set->notes, IsEmpty());
  }
}

TEST(CapabilitiesTest, NoMoreThanTheDaemonHas) {
  std::vector<std::string> daemon = All();
  std::erase(daemon, "CAP_SYS_RESOURCE");
  std::erase(daemon, "CAP_MKNOD");
  const auto all =
      ComputeCapabilities({.privileged = false, .add = {"ALL"}, .drop = {}, .ambient = {}, .daemon = daemon});
  EXPECT_EQ(all->bounding, daemon);
  const auto privileged =
      ComputeCapabilities({.privileged = true, .add = {}, .drop = {"ALL"}, .ambient = {}, .daemon = daemon});
  EXPECT_EQ(privileged->bounding, daemon);
  const auto named =
      ComputeCapabilities({.privileged = false, .add = {"SYS_RESOURCE"}, .drop = {}, .ambient = {}, .daemon = daemon});
  EXPECT_EQ(named->bounding, DefaultsBut("CAP_MKNOD"));
  EXPECT_THAT(named->notes,
              ElementsAre("capability CAP_SYS_RESOURCE is not given: the runtime itself does not have it"));
}

TEST(CapabilitiesTest, Ambient) {
  const auto set = ComputeCapabilities(
      {.privileged = false, .add = {}, .drop = {"ALL"}, .ambient = {"NET_BIND_SERVICE"}, .daemon = All()});
  EXPECT_THAT(set->bounding, ElementsAre("CAP_NET_BIND_SERVICE"));
  EXPECT_THAT(set->ambient, ElementsAre("CAP_NET_BIND_SERVICE"));
}

TEST(CapabilitiesTest, UnknownNames) {
  EXPECT_EQ(ComputeCapabilities({.privileged = false, .add = {"FOO"}, .drop = {}, .ambient = {}, .daemon = All()})
                .error()
                .message,
            "unknown capability \"CAP_FOO\" to add");
  EXPECT_EQ(ComputeCapabilities({.privileged = false, .add = {}, .drop = {"CAP_BAR"}, .ambient = {}, .daemon = All()})
                .error()
                .message,
            "unknown capability \"CAP_BAR\" to drop");
}

}  // namespace
}  // namespace portcullis::oci
