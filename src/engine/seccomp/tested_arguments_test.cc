// What data/syscalls/arguments.tsv calls tested is what the default profiles test: recorders and readers of evidence go
// by the one, verdicts by the others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string_view>

#include "engine/seccomp/library.h"
#include "engine/seccomp/library_tables.h"
#include "engine/seccomp/resolve.h"
#include "engine/syscalls/constants.h"
#include "engine/syscalls/constants_table.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis::seccomp {
namespace {

using Tested = std::map<std::string_view, std::set<int>>;

// On whatever architecture.
Tested Marked() {
  Tested tested;
  for (const syscalls::ArgumentUse& use : syscalls::ArgumentUses()) {
    if (use.use == syscalls::ArgumentUse::kTested) tested[use.call].insert(use.index);
  }
  return tested;
}

TEST(TestedArguments, AreThoseOfEveryRuntimeTogether) {
  const Tested marked = Marked();
  EXPECT_EQ(marked.at("socket"), (std::set{0, 2}));    // family everywhere, protocol in containers-common
  EXPECT_EQ(marked.at("personality"), (std::set{0}));  // all
  EXPECT_EQ(marked.at("clone"), (std::set{0, 1}));     // flags, which s390 has second
  EXPECT_FALSE(marked.contains("read"));
  Tested tested;  // by any release
  for (const CompactRuntime& runtime : CompactRuntimes()) {
    for (const CompactRule& rule : runtime.rules) {
      for (const Arg& arg : rule.args) {
        for (const CompactName& name : rule.names) tested[name.name].insert(static_cast<int>(arg.index));
      }
    }
  }
  EXPECT_EQ(marked, tested);
}

// Marked on the very architectures where a release tests them.
TEST(TestedArguments, LeaveOutNoRuleOfAnyRelease) {
  for (const std::string& runtime : LibraryRuntimes()) {
    std::set<std::string> contents;
    for (const LibraryRelease& release : ReleasesOf(runtime)) {
      if (!contents.insert(release.content).second) continue;
      const auto found = FindDefaultProfile(fmt::format("{}@{}", runtime, release.release));
      ASSERT_TRUE(found) << runtime << " " << release.release;
      for (const syscalls::ArchInfo& info : syscalls::AllArchs()) {
        if (info.go_name.empty() || !syscalls::HasTable(info.arch)) continue;
        const auto resolved =
            Resolve(found->profile, {.host = info.arch, .kernel = KernelVersion{6, 18}, .flavour = found->flavour});
        ASSERT_TRUE(resolved) << runtime << " " << release.release << ": " << resolved.error().message;
        for (const ResolvedRule& rule : resolved->syscalls) {
          for (const Arg& arg : rule.args) {
            for (const std::string& name : rule.names) {
              EXPECT_TRUE(syscalls::IsTestedArgument(info.arch, name, static_cast<int>(arg.index)))
                  << runtime << " " << release.release << " " << info.go_name << " " << name;
            }
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace portcullis::seccomp
