#include "insight/preflight/knowledge.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>

#include "engine/syscalls/syscalls.h"

namespace portcullis::insight {
namespace {

TEST(Knowledge, EveryEntryIsWellFormed) {
  std::set<std::string_view> names;
  ASSERT_GT(AllKnown().size(), 50u);
  for (const KnownCall& entry : AllKnown()) {
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name << " twice";
    EXPECT_FALSE(entry.calls.empty()) << entry.name;
    for (const std::string_view call : entry.calls)
      EXPECT_TRUE(syscalls::IsKnownName(call)) << entry.name << ": " << call;
    for (const std::string_view call : entry.instead) {
      EXPECT_TRUE(syscalls::IsKnownName(call)) << entry.name << ": " << call;
    }
    for (const std::string_view arch : entry.archs) {
      EXPECT_TRUE(syscalls::ArchFromDockerName(arch)) << entry.name << ": " << arch;
    }
    for (const ArgumentPattern& pattern : entry.arguments) {
      EXPECT_EQ(pattern.value & ~pattern.mask, 0u) << entry.name << ": can never match";
    }
    for (const std::string_view text : {entry.about, entry.remedy}) {
      EXPECT_TRUE(text.size() > 5 && text.ends_with('.')) << entry.name << ": " << text;
    }
    EXPECT_EQ(entry.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"), std::string_view::npos)
        << entry.name;
  }
}

// An entry that another one hides in every circumstance is a mistake.
TEST(Knowledge, EveryEntryCanBeFound) {
  for (const KnownCall& entry : AllKnown()) {
    std::vector<CallArgument> arguments;
    for (const ArgumentPattern& pattern : entry.arguments) arguments.push_back({pattern.index, pattern.value});
    std::string caller(entry.executables.empty() ? "" : entry.executables[0]);
    std::erase(caller, '*');
    bool found = false;
    for (const int answer : {entry.answers.empty() ? EPERM : entry.answers[0]}) {
      for (const std::string_view call : entry.calls) {
        const KnownCall* best = FindKnown({.syscall = call,
                                           .arch = entry.archs.empty() ? "amd64" : entry.archs[0],
                                           .arguments = arguments,
                                           .answer = answer,
                                           .was = entry.was.empty() ? std::nullopt : std::optional(entry.was[0]),
                                           .executable = caller});
        found = found || best == &entry;
      }
    }
    EXPECT_TRUE(found) << entry.name;
  }
}

std::string Known(std::string_view syscall, int answer, std::string_view executable = "",
                  std::vector<CallArgument> args = {}, std::string_view arch = "amd64") {
  const KnownCall* known = FindKnown({.syscall = syscall,
                                      .arch = arch,
                                      .arguments = args,
                                      .answer = answer,
                                      .was = std::nullopt,
                                      .executable = executable});
  return known == nullptr ? "" : std::string(known->name);
}

TEST(Knowledge, AnswerAndCallerDecide) {
  EXPECT_EQ(Known("clone3", ENOSYS), "clone3-enosys");
  EXPECT_EQ(Known("clone3", EPERM), "clone3-eperm");
  EXPECT_EQ(Known("io_uring_setup", EPERM), "io-uring");
  EXPECT_EQ(Known("io_uring_setup", kKilled), "io-uring-killed");
  EXPECT_EQ(Known("io_uring_setup", EPERM, "/usr/lib/postgresql/18/bin/postgres"), "io-uring-postgres");
  EXPECT_EQ(Known("mbind", EPERM, "/usr/sbin/mysqld"), "numa-policy");
  EXPECT_EQ(Known("mbind", EPERM, "/usr/bin/numactl"), "numactl");
  EXPECT_EQ(Known("socket", EPERM, "/usr/bin/node", {{0, 38}}), "af-alg");
  EXPECT_EQ(Known("socket", EPERM, "/usr/sbin/cryptsetup", {{0, 38}}), "af-alg-tools");
  EXPECT_EQ(Known("socket", EPERM, "", {{0, 40}}), "af-vsock");
  EXPECT_EQ(Known("socket", EPERM), "old-families");
  EXPECT_EQ(Known("unshare", EPERM, "/opt/chrome/chrome", {{0, 0x10000000}}), "user-namespace-browser");
  EXPECT_EQ(Known("unshare", EPERM, "/opt/chrome/chrome"), "user-namespace-browser");
  EXPECT_EQ(Known("unshare", EPERM, "/bin/x", {{0, 0x10000000}}), "user-namespace");
  EXPECT_EQ(Known("unshare", EPERM, "/bin/x", {{0, 0x20000}}), "other-namespaces");
  EXPECT_EQ(Known("futex_time64", EPERM, "", {}, "x86"), "time64");
  EXPECT_EQ(Known("futex_time64", EPERM), "");
  EXPECT_EQ(Known("read", EPERM), "");
}

TEST(MatchesPattern, StarsAndQuestionMarks) {
  const struct {
    const char* pattern;
    const char* text;
    bool want;
  } kCases[] = {{"chrome*", "chrome_crashpad", true},
                {"*shell*", "headless_shell", true},
                {"a?c", "abc", true},
                {"a?c", "ac", false},
                {"", "", true},
                {"*", "", true},
                {"ab", "abc", false},
                {"*ab", "aab", true},
                {"a*b*c", "axxbyyc", true},
                {"a*b*c", "axxbyy", false}};
  for (const auto& c : kCases) EXPECT_EQ(MatchesPattern(c.pattern, c.text), c.want) << c.pattern << " " << c.text;
}

}  // namespace
}  // namespace portcullis::insight
