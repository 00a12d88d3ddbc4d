#include "runtime/service/compiled_filters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/files.h"
#include "engine/seccomp/library.h"
#include "engine/seccomp/resolve.h"

namespace portcullis::runtime {
namespace {

namespace fs = std::filesystem;

class CompiledFiltersTest : public ::testing::Test {
 protected:
  CompiledFiltersTest() : folder_(fs::temp_directory_path() / ("filters-" + std::to_string(::getpid()))) {}
  ~CompiledFiltersTest() override { fs::remove_all(folder_); }

  static seccomp::ResolvedProfile Profile(uint32_t errno_ret) {
    seccomp::ResolvedProfile profile;
    profile.default_action = seccomp::Action::kErrno;
    profile.default_errno_ret = errno_ret;
    profile.syscalls = {{.names = {"read", "write", "exit_group"},
                         .action = seccomp::Action::kAllow,
                         .errno_ret = std::nullopt,
                         .args = {}}};
    return profile;
  }
  std::vector<fs::path> Files() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder_)) files.push_back(entry.path());
    return files;
  }

  fs::path folder_;
};

TEST_F(CompiledFiltersTest, KeepsOneFilePerContentAndErrnosCount) {
  CompiledFilters filters(folder_.string());
  const auto first = filters.Get(Profile(1));
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(*filters.Get(Profile(1)), *first);
  EXPECT_EQ(Files().size(), 1u);
  const auto other = filters.Get(Profile(13));
  ASSERT_TRUE(other);
  EXPECT_NE(*other, *first) << "crun's own cache mixes these two up";
  EXPECT_EQ(Files().size(), 2u);
  EXPECT_EQ(fs::status(Files()[0]).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(CompiledFiltersTest, AStoredFilterThatIsNotTheProfileIsMadeAnew) {
  const std::string good = *CompiledFilters(folder_.string()).Get(Profile(1));
  const fs::path file = Files()[0];
  const std::string bytes = *base::ReadFile(file.string());
  std::string allow_all(8, '\0');
  allow_all[0] = 0x06;  // ret #0x7fff0000
  allow_all[6] = static_cast<char>(0xff);
  allow_all[7] = 0x7f;
  for (const std::string& bad : {allow_all, std::string("1234567"), std::string()}) {
    std::ofstream(file, std::ios::trunc) << bad;
    EXPECT_EQ(*CompiledFilters(folder_.string()).Get(Profile(1)), good);
    EXPECT_EQ(*base::ReadFile(file.string()), bytes);
  }
}

TEST_F(CompiledFiltersTest, AFolderThatCannotBeWrittenIsNoError) {
  std::ofstream(folder_.string()) << "a file";
  EXPECT_TRUE(CompiledFilters(folder_.string()).Get(Profile(1)));
}

TEST_F(CompiledFiltersTest, ListenersAreLeftToTheOciRuntime) {
  seccomp::ResolvedProfile profile = Profile(1);
  profile.syscalls[0].action = seccomp::Action::kNotify;
  const auto filter = CompiledFilters(folder_.string()).Get(profile);
  ASSERT_FALSE(filter);
  EXPECT_EQ(filter.error().code, Code::kFailedPrecondition);
}

}  // namespace
}  // namespace portcullis::runtime
