#include "cli/profile/match.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "engine/filter/compile.h"

namespace portcullis::cli {
namespace {

using seccomp::Action;
using syscalls::Arch;

seccomp::ResolvedProfile Allow(std::vector<std::string> names) {
  seccomp::ResolvedProfile profile;
  profile.syscalls.push_back({.names = std::move(names), .action = Action::kAllow, .errno_ret = {}, .args = {}});
  return profile;
}

bpf::Program FilterOf(const seccomp::ResolvedProfile& profile, filter::NewerSyscalls newer) {
  const auto filter = filter::Compile(profile, {.native = Arch::kX86_64, .newer = newer});
  EXPECT_TRUE(filter);
  return filter->program;
}

TEST(MatchFilter, TellsCallsThatTheMakerDidNotKnow) {
  for (const auto newer : {filter::NewerSyscalls::kEnosys, filter::NewerSyscalls::kAsWritten}) {
    const auto match = MatchFilter(FilterOf(Allow({"read", "faccessat2"}), newer),
                                   Allow({"read", "statmount", "faccessat2"}), Arch::kX86_64);
    ASSERT_TRUE(match) << match.error().message;
    EXPECT_TRUE(match->equal);
    EXPECT_EQ(match->left_out, std::vector<std::string>{"statmount"});
  }
}

TEST(MatchFilter, ForgivesNothingElse) {
  const auto filter = [](std::vector<std::string> names) {
    return FilterOf(Allow(std::move(names)), filter::NewerSyscalls::kEnosys);
  };
  // An old call that is missing, a call too many, also a new one.
  for (const auto& names :
       {std::vector<std::string>{"read"}, {"read", "write", "getpid"}, {"read", "write", "statmount"}}) {
    const auto match = MatchFilter(filter(names), Allow({"read", "write"}), Arch::kX86_64);
    ASSERT_TRUE(match) << match.error().message;
    EXPECT_FALSE(match->equal) << names.size();
    EXPECT_TRUE(match->counterexample);
  }
  // Another errno for an old call.
  seccomp::ResolvedProfile other = Allow({"read", "write"});
  other.default_errno_ret = EACCES;
  const auto match =
      MatchFilter(FilterOf(other, filter::NewerSyscalls::kAsWritten), Allow({"read", "write"}), Arch::kX86_64);
  EXPECT_FALSE(match->equal);
}

}  // namespace
}  // namespace portcullis::cli
