#include "runtime/container/exec_filter.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/strings.h"

namespace portcullis::runtime {
namespace {

TEST(CheckExecFilterTest, WhatCrunLost) {
  const struct {
    const char* state;   // a file in the OCI runtime's folder
    const char* filter;  // "": there is none
    const char* spec;
    bool good;
  } kCases[] = {
      {"status", "seccomp.bpf", R"({"linux":{"seccomp":{}}})", true},
      {"status", "", R"({"linux":{"seccomp":{}}})", false},
      {"status", "", R"({"linux":{}})", true},
      {"status", "", "{", false},
      {"state.json", "", R"({"linux":{"seccomp":{}}})", true},
  };
  for (const auto& c : kCases) {
    const std::string folder = ::testing::TempDir() + "/exec-filter-" + base::RandomHex(4);
    ASSERT_TRUE(base::MakeDirs(folder));
    for (const std::string& name : {std::string(c.state), std::string(c.filter)}) {
      if (!name.empty()) {
        ASSERT_TRUE(base::WriteFileAtomic(folder + "/" + name, "x"));
      }
    }
    ASSERT_TRUE(base::WriteFileAtomic(folder + "/config.json", c.spec));
    EXPECT_EQ(CheckExecFilter(folder, folder).has_value(), c.good) << c.state << " " << c.filter << " " << c.spec;
    EXPECT_TRUE(base::RemoveTree(folder));
  }
}

}  // namespace
}  // namespace portcullis::runtime
