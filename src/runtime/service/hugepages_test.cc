#include "runtime/service/hugepages.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/strings.h"

namespace portcullis::runtime {
namespace {

class HugepagesTest : public testing::Test {
 protected:
  void SetUp() override { root_ = std::filesystem::temp_directory_path() / ("hugepages-test-" + base::RandomHex(6)); }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void Put(const std::string& file, const std::string& text) {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  Cgroups Detect() const { return *Cgroups::Detect(root_); }

  // What is left of the limits that a kubelet sends for a pod with some pages of 2 MB.
  std::map<std::string, uint64_t> Kept(std::vector<std::string>& notes) const {
    oci::Resources resources;
    resources.hugepage_limits = {{"2MB", 4194304}, {"1GB", 0}};
    KeepPossibleHugepageLimits(Detect(), resources, notes);
    return resources.hugepage_limits;
  }

  std::filesystem::path root_;
};

TEST_F(HugepagesTest, AHierarchyOfTheController) {
  Put("memory/cgroup.procs", "");
  std::vector<std::string> notes;
  EXPECT_TRUE(Kept(notes).empty());
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_TRUE(notes[0].find("4194304 bytes for huge pages of 2MB has no effect") != std::string::npos) << notes[0];

  Put("hugetlb/cgroup.procs", "");
  notes.clear();
  EXPECT_EQ(Kept(notes).size(), 2u);
  EXPECT_TRUE(notes.empty());
}

TEST_F(HugepagesTest, TheControllerOfAUnifiedHierarchy) {
  Put("cgroup.controllers", "cpuset cpu io memory pids\n");
  std::vector<std::string> notes;
  EXPECT_TRUE(Kept(notes).empty());
  EXPECT_EQ(notes.size(), 1u);

  Put("cgroup.controllers", "cpuset cpu io memory hugetlb pids\n");
  notes.clear();
  EXPECT_EQ(Kept(notes).size(), 2u);
  EXPECT_TRUE(notes.empty());
}

}  // namespace
}  // namespace portcullis::runtime
