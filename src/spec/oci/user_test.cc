#include "spec/oci/user.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace portcullis::oci {
namespace {

constexpr char kPasswd[] =
    "# comment\n"
    "root:x:0:0:root:/root:/bin/sh\n"
    "broken line\n"
    "odd:x:abc:1::/:\n"
    "nginx:x:101:102:nginx user:/var/cache/nginx:/bin/false\n"
    "33:x:1033:1034::/thirtythree:/bin/sh\n"
    "nohome:x:7:8\n"
    "huge:x:4294967296:1::/:";
constexpr char kGroup[] =
    "root:x:0:\nnginx:x:102:\nlogs:x:200:root,nginx\nadm:x:201:nginx\nadm2:x:201:nginx\nbad:x:y:nginx\nown:x:102:nginx";

TEST(ResolveUserTest, Table) {
  const struct {
    const char* user;
    ResolvedUser want;
  } kCases[] = {
      {"", {0, 0, {200}, "root", "/root"}},
      {"root", {0, 0, {200}, "root", "/root"}},
      {"nginx", {101, 102, {200, 201}, "nginx", "/var/cache/nginx"}},
      {"101", {101, 102, {200, 201}, "nginx", "/var/cache/nginx"}},
      {"nginx:nginx", {101, 102, {200, 201}, "nginx", "/var/cache/nginx"}},
      {"nginx:root", {101, 0, {200, 201, 102}, "nginx", "/var/cache/nginx"}},
      {"nginx:5", {101, 5, {200, 201, 102}, "nginx", "/var/cache/nginx"}},
      {"12345", {12345, 0, {}, "", "/"}},
      {"12345:logs", {12345, 200, {}, "", "/"}},
      {":logs", {0, 200, {}, "root", "/root"}},
      {"33", {1033, 1034, {}, "33", "/thirtythree"}},
      {"nohome", {7, 8, {}, "nohome", "/"}},
      {"2147483647", {2147483647, 0, {}, "", "/"}},
  };
  for (const auto& c : kCases) {
    const auto user = ResolveUser(kPasswd, kGroup, c.user);
    ASSERT_TRUE(user) << c.user << ": " << user.error().message;
    EXPECT_EQ(user->uid, c.want.uid) << c.user;
    EXPECT_EQ(user->gid, c.want.gid) << c.user;
    EXPECT_THAT(user->group_gids, ::testing::UnorderedElementsAreArray(c.want.group_gids)) << c.user;
    EXPECT_EQ(user->name, c.want.name) << c.user;
    EXPECT_EQ(user->home, c.want.home) << c.user;
  }
}

TEST(ResolveUserTest, NoFiles) {
  EXPECT_EQ(ResolveUser("", "", "")->uid, 0u);
  EXPECT_EQ(ResolveUser("", "", "7:8")->gid, 8u);
  EXPECT_EQ(ResolveUser("", "", "nginx").error().message,
            "unable to find user nginx: no matching entries in passwd file");
}

TEST(ResolveUserTest, Errors) {
  for (const char* bad : {"nobody", "2147483648", "4294967296", "99999999999999999999", "huge", "odd", "nginx:none",
                          "1:2:3", "-1", "1:-1"}) {
    EXPECT_FALSE(ResolveUser(kPasswd, kGroup, bad)) << bad;
  }
}

TEST(UserStringTest, Table) {
  EXPECT_EQ(*UserString("", {}, {}, "nginx:web"), "nginx:web");
  EXPECT_EQ(*UserString("", 0, {}, "nginx"), "0");
  EXPECT_EQ(*UserString("web", 7, {}, "nginx"), "web");
  EXPECT_EQ(*UserString("", 7, 8, ""), "7:8");
  EXPECT_EQ(*UserString("web", {}, 8, ""), "web:8");
  EXPECT_EQ(UserString("", {}, 8, "nginx").error().message, "user group \"8\" is specified without user");
  EXPECT_FALSE(UserString("", -1, {}, ""));
  EXPECT_FALSE(UserString("", 1, -1, ""));
}

}  // namespace
}  // namespace portcullis::oci
