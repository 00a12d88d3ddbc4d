#include "engine/seccomp/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engine/seccomp/library.h"
#include "engine/seccomp/profile_json.h"
#include "engine/seccomp/resolve.h"

namespace portcullis::seccomp {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST(CheckUsable, RefusesWithThePlace) {
  const struct {
    std::string_view text;
    std::string_view want;
  } kCases[] = {
      {R"({"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1})",
       "/defaultErrnoRet: an errno was given, but SCMP_ACT_ALLOW takes none"},
      {R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 4096})",
       "/defaultErrnoRet: errno 4096 is more than 4095"},
      {R"({"defaultAction": "SCMP_ACT_NOTIFY", "listenerPath": "/l"})",
       "/defaultAction: SCMP_ACT_NOTIFY cannot be the default"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "listenerMetadata": "m"})",
       "/listenerMetadata: given without listenerPath"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "syscalls": [{"names": [], "action": "SCMP_ACT_ALLOW"}]})",
       "/syscalls/0/names: the rule names no"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "syscalls": [{"names": [""], "action": "SCMP_ACT_ALLOW"}]})",
       "/syscalls/0/names/0: the name is empty"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_KILL", "errnoRet": 1}]})",
       "/syscalls/0/errnoRet: an errno was given"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_ERRNO", "errnoRet": 65541}]})",
       "/syscalls/0/errnoRet: errno 65541 is more"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_NOTIFY"}]})",
       "/syscalls/0/action: SCMP_ACT_NOTIFY needs listenerPath"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "listenerPath": "/l", "syscalls": [{"names": ["read", "write"], "action": "SCMP_ACT_NOTIFY"}]})",
       "/syscalls/0/action: SCMP_ACT_NOTIFY on write"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_ALLOW",
           "args": [{"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}]}]})",
       "/syscalls/0/args/0/index: 6 is no argument"},
  };
  for (const auto& c : kCases) {
    const auto profile = ParseProfile(c.text, "p");
    ASSERT_TRUE(profile) << profile.error().message;
    const auto usable = CheckUsable(*profile, "p");
    ASSERT_FALSE(usable) << c.text;
    EXPECT_EQ(usable.error().code, Code::kInvalidArgument);
    EXPECT_THAT(usable.error().message, HasSubstr("seccomp profile p: " + std::string(c.want)));
    const auto resolved = FromJson(json::parse(c.text), "p");
    ASSERT_TRUE(resolved);
    const auto resolved_usable = CheckUsable(*resolved, "p");
    ASSERT_FALSE(resolved_usable);
    EXPECT_EQ(resolved_usable.error().message, usable.error().message);
  }
}

TEST(CheckUsable, RefusesInTheConditionalDialectOnly) {
  const struct {
    std::string_view text;
    std::string_view want;
  } kCases[] = {
      {R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "ENONE"})", "/defaultErrno: unknown errno ENONE"},
      {R"({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_ALLOW", "errno": "EPERM"}]})",
       "/syscalls/0/errno: an errno was given"},
      {R"({"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_ARM"], "archMap": [{"architecture": "SCMP_ARCH_ARM"}]})",
       "/archMap: 'architectures' and 'archMap' were specified"},
  };
  for (const auto& c : kCases) {
    const auto profile = ParseProfile(c.text, "p");
    ASSERT_TRUE(profile) << profile.error().message;
    const auto usable = CheckUsable(*profile, "p");
    ASSERT_FALSE(usable) << c.text;
    EXPECT_THAT(usable.error().message, HasSubstr(std::string(c.want)));
  }
}

TEST(CheckUsable, Limits) {
  const Rule rule{.names = {"read"}, .action = Action::kAllow};
  Profile profile{.default_action = Action::kErrno, .syscalls = std::vector<Rule>(kMaxRules, rule)};
  EXPECT_TRUE(CheckUsable(profile, "p"));
  profile.syscalls.push_back(rule);
  EXPECT_FALSE(CheckUsable(profile, "p"));
  profile.syscalls = {rule};
  profile.syscalls[0].names.assign(kMaxNames + 1, "read");
  EXPECT_FALSE(CheckUsable(profile, "p"));
  profile.syscalls[0].names = {std::string(kMaxNameLength + 1, 'a')};
  EXPECT_FALSE(CheckUsable(profile, "p"));
  profile.syscalls[0] = rule;
  profile.syscalls[0].args.assign(kMaxArgsPerRule + 1, Arg{});
  EXPECT_FALSE(CheckUsable(profile, "p"));
}

TEST(CheckUsable, AcceptsTheUsual) {
  const auto profile = ParseProfile(R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 0, "listenerPath": "/l",
      "listenerMetadata": "m", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_NOTIFY"},
      {"names": ["write"], "action": "SCMP_ACT_TRACE", "errnoRet": 4095}]})",
                                    "p");
  ASSERT_TRUE(profile);
  EXPECT_TRUE(CheckUsable(*profile, "p"));
}

std::vector<std::string> Fields(const Diagnostics& diagnostics) {
  std::vector<std::string> fields;
  for (const Diagnostic& diagnostic : diagnostics) {
    EXPECT_EQ(diagnostic.severity, Severity::kWarning);
    EXPECT_EQ(diagnostic.file, "p");
    fields.push_back(diagnostic.field);
  }
  return fields;
}

TEST(LintPortability, NamesWhatContainerdWouldDoDifferently) {
  const auto profile = ParseProfile(R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "ENOSYS",
      "archMap": [{"architecture": "SCMP_ARCH_X86_64"}], "syscalls": [
        {"name": "read", "action": "SCMP_ACT_ALLOW"},
        {"names": ["mount", "mountt"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"], "minKernel": "4.8"}},
        {"names": ["bpf"], "action": "SCMP_ACT_ERRNO", "errno": "EPERM", "errnoRet": 1,
         "excludes": {"caps": ["SYS_ADMIN"], "arches": ["x86_64"]}}]})",
                                    "p");
  ASSERT_TRUE(profile);
  EXPECT_THAT(Fields(LintPortability(*profile, "p")),
              UnorderedElementsAre("/archMap", "/defaultErrno", "/syscalls/0/name", "/syscalls/1/includes",
                                   "/syscalls/1/includes/minKernel", "/syscalls/1/names/1", "/syscalls/2/excludes",
                                   "/syscalls/2/excludes/caps/0", "/syscalls/2/excludes/arches/0"));
}

TEST(LintPortability, IsBounded) {
  Profile profile{.default_action = Action::kErrno,
                  .syscalls = {{.names = std::vector<std::string>(1000, "nosuchcall")}}};
  EXPECT_EQ(LintPortability(profile, "p").size(), kMaxWarnings);
}

// Lints rules of socket with default ERRNO: each entry is the "args" list of one rule, with its action.
Diagnostics LintRules(const std::vector<std::pair<std::string, std::string>>& rules) {
  json profile = {{"defaultAction", "SCMP_ACT_ERRNO"}};
  for (const auto& [action, args] : rules) {
    json list = json::array();
    std::istringstream stream(args);
    for (std::string op; stream >> op;) {
      uint64_t index = 0;
      uint64_t value = 0;
      uint64_t two = 0;
      stream >> index >> value;
      if (op == "MASKED_EQ") stream >> two;
      list.push_back({{"op", "SCMP_CMP_" + op}, {"index", index}, {"value", value}, {"valueTwo", two}});
    }
    profile["syscalls"].push_back({{"names", {"socket"}}, {"action", "SCMP_ACT_" + action}, {"args", list}});
  }
  const auto resolved = FromJson(profile, "p");
  EXPECT_TRUE(resolved) << resolved.error().message;
  return LintForLibseccomp(*resolved, "p");
}

TEST(LintForLibseccomp, FindsThePatternThatNeverFinishes) {
  const auto first = LintRules({{"ALLOW", "LE 0 40 LT 1 3"}, {"ALLOW", "LE 0 40 NE 1 38"}});
  ASSERT_EQ(first.size(), 1u);
  EXPECT_THAT(first[0].message, HasSubstr("never finishes"));
  EXPECT_EQ(first[0].field, "/syscalls/1/args");
  // Written in another order of arguments, and among other rules.
  EXPECT_THAT(LintRules({{"ALLOW", "GT 2 9"}, {"ALLOW", "GE 1 3 NE 0 4"}, {"ALLOW", "EQ 1 3 NE 0 4"}})[0].message,
              HasSubstr("never finishes"));
  // The other order of rules, or an equality in front, is not the pattern.
  for (const auto& rules :
       {std::vector<std::pair<std::string, std::string>>{{"ALLOW", "LE 0 40 NE 1 38"}, {"ALLOW", "LE 0 40 LT 1 3"}},
        {{"ALLOW", "EQ 0 40 LT 1 3"}, {"ALLOW", "EQ 0 40 NE 1 38"}}}) {
    for (const Diagnostic& diagnostic : LintRules(rules))
      EXPECT_THAT(diagnostic.message, Not(HasSubstr("never finishes")));
  }
}

TEST(LintForLibseccomp, SafeSubset) {
  // One test a rule with 32-bit values; or equalities alone, of any width and number.
  EXPECT_THAT(LintRules({{"ALLOW", "LT 0 38"}, {"ALLOW", "EQ 0 39"}, {"ALLOW", "GT 0 40"}}), IsEmpty());
  EXPECT_THAT(LintRules({{"ALLOW", "EQ 0 99999999999 EQ 1 3"}, {"ALLOW", "MASKED_EQ 0 255 1"}}), IsEmpty());
  EXPECT_THAT(LintRules({{"ALLOW", "LE 0 1 GE 2 3"}}), IsEmpty()) << "a single rule compiles right";
  for (const auto& rules :
       {std::vector<std::pair<std::string, std::string>>{{"ALLOW", "GE 1 3 LE 0 2"}, {"ALLOW", "GT 0 1"}},
        {{"ALLOW", "LE 0 1"}, {"ALLOW", "GE 0 4294967336"}}}) {
    const auto found = LintRules(rules);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_THAT(found[0].message, HasSubstr("can allow more than is written"));
  }
}

TEST(LintForLibseccomp, DifferentActions) {
  EXPECT_THAT(LintRules({{"ALLOW", "EQ 0 1"}, {"LOG", "EQ 0 2"}}), IsEmpty());
  EXPECT_THAT(LintRules({{"ALLOW", "LT 0 5"}, {"LOG", "GE 0 5"}}), IsEmpty());
  EXPECT_THAT(LintRules({{"ALLOW", "NE 0 5"}, {"LOG", "EQ 0 5"}}), IsEmpty());
  EXPECT_THAT(LintRules({{"ALLOW", "MASKED_EQ 0 12 4"}, {"LOG", "MASKED_EQ 0 6 2"}}), IsEmpty());
  EXPECT_THAT(LintRules({{"ALLOW", "LT 0 5"}, {"LOG", "EQ 0 4"}})[0].message, HasSubstr("overlap"));
  EXPECT_THAT(LintRules({{"ALLOW", "EQ 0 5"}, {"LOG", "EQ 1 5"}})[0].message, HasSubstr("overlap"));
  EXPECT_THAT(LintRules({{"ALLOW", "EQ 0 5"}, {"LOG", "EQ 0 5"}})[0].message, HasSubstr("refuses"));
  EXPECT_THAT(LintRules({{"ALLOW", ""}, {"LOG", "EQ 0 5"}})[0].message, HasSubstr("has no effect"));
  EXPECT_THAT(Fields(LintRules({{"LOG", ""}, {"ALLOW", ""}})), ElementsAre("/syscalls/1"));
  EXPECT_THAT(LintRules({{"ERRNO", "EQ 0 5"}, {"ALLOW", "EQ 0 5"}}), IsEmpty()) << "the default action is skipped";
}

TEST(LintForLibseccomp, TestsThatSurprise) {
  EXPECT_THAT(LintRules({{"ALLOW", "MASKED_EQ 0 15 16"}})[0].message, HasSubstr("can never match"));
  EXPECT_THAT(LintRules({{"ALLOW", "GE 0 1 LE 0 3"}})[0].message, HasSubstr("any of them is enough"));
}

TEST(LintForLibseccomp, ManyRulesOfOneCallAreBounded) {
  std::vector<std::pair<std::string, std::string>> rules;
  for (int index = 0; index < 200; ++index) rules.emplace_back("ALLOW", fmt::format("EQ 0 {}", index));
  const auto found = LintRules(rules);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0].message, HasSubstr("too many"));
}

TEST(LintForLibseccomp, SilentOnContainerdAndDocker) {
  for (const char* name : {"containerd", "docker"}) {
    const auto found = FindDefaultProfile(name);
    ASSERT_TRUE(found);
    const auto resolved = Resolve(found->profile, {.kernel = KernelVersion{6, 18}, .flavour = found->flavour});
    ASSERT_TRUE(resolved);
    EXPECT_THAT(Fields(LintForLibseccomp(*resolved, "p")), IsEmpty()) << name;
  }
}

}  // namespace
}  // namespace portcullis::seccomp
