#include "host/systemd/unit_names.h"

#include <gtest/gtest.h>

namespace portcullis::host {
namespace {

TEST(UnitNames, CgroupOfSlice) {
  const struct {
    const char* slice;
    const char* expected;  // "error" when it is no slice
  } cases[] = {
      {"-.slice", "/"},
      {"a.slice", "/a.slice"},
      {"a-b.slice", "/a.slice/a-b.slice"},
      {"kubepods-burstable-pod1_2.slice", "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice"},
      {"a\\x2db.slice", "/a\\x2db.slice"},
      {"", "error"},
      {".slice", "error"},
      {"-a.slice", "error"},
      {"a-.slice", "error"},
      {"a--b.slice", "error"},
      {"--.slice", "error"},
      {"a.scope", "error"},
      {"a/b.slice", "error"},
      {"a b.slice", "error"},
      {"a", "error"},
  };
  for (const auto& c : cases) EXPECT_EQ(CgroupOfSlice(c.slice).value_or("error"), c.expected) << c.slice;
  EXPECT_EQ(CgroupOfSlice("a--b.slice").error().message, "invalid slice name \"a--b.slice\"");
  std::string longest(250, 'a');
  longest += ".slice";
  EXPECT_FALSE(CgroupOfSlice(longest)) << "a unit's name has 255 characters at most";
}

TEST(UnitNames, PathsOfUnits) {
  const struct {
    const char* path;
    const char* slice;
    const char* scope;
  } cases[] = {
      {"/a.slice", "/a.slice", ""},
      {"/a.slice/a-b.slice", "/a.slice/a-b.slice", ""},
      {"/a.slice/a-b.slice/x.scope", "/a.slice/a-b.slice", "/a.slice/a-b.slice/x.scope"},
      {"/a.slice/x.scope/exec/y.slice", "/a.slice", "/a.slice/x.scope"},
      {"/a.slice/s.service/x.scope", "/a.slice", ""},
      {"/x.scope", "", ""},
      {"/kubepods/pod1", "", ""},
      {"/kubepods/a.slice", "", ""},
      {"", "", ""},
      {"/", "", ""},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(SplitUnits(c.path).slice, c.slice) << c.path;
    EXPECT_EQ(SplitUnits(c.path).scope, c.scope) << c.path;
  }
  EXPECT_TRUE(IsSlicePath("/a.slice"));
  EXPECT_FALSE(IsSlicePath("/a.slice/x.scope"));
  EXPECT_FALSE(IsSlicePath(""));
  EXPECT_TRUE(IsScopePath("/a.slice/x.scope"));
  EXPECT_FALSE(IsScopePath("/a.slice/x.scope/exec"));
  EXPECT_EQ(LastPart("/a.slice/a-b.slice"), "a-b.slice");
}

}  // namespace
}  // namespace portcullis::host
