#include "engine/seccomp/profile_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engine/seccomp/library.h"
#include "engine/seccomp/test_shared.h"

namespace portcullis::seccomp {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

// Every field of both dialects, each with a value that is not its default.
constexpr std::string_view kEverything = R"({
  "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "defaultErrno": "ENOSYS",
  "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
              {"architecture": "SCMP_ARCH_RISCV64", "subArchitectures": null}],
  "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC",
            "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
  "listenerPath": "/run/agent.sock", "listenerMetadata": "me",
  "x-note": {"author": ["a", 1]},
  "syscalls": [
    {"names": ["read", "write"], "action": "SCMP_ACT_ALLOW", "args": [], "comment": "io", "includes": {}, "excludes": {}},
    {"name": "socket", "action": "SCMP_ACT_ERRNO", "errnoRet": 22, "errno": "EINVAL",
     "args": [{"index": 0, "value": 16, "op": "SCMP_CMP_EQ"},
              {"index": 2, "value": 18446744073709551615, "valueTwo": 9, "op": "SCMP_CMP_MASKED_EQ"}],
     "includes": {"caps": ["CAP_SYS_ADMIN"], "arches": ["amd64"], "minKernel": "4.8"},
     "excludes": {"caps": ["CAP_BPF"], "arches": ["s390"], "minKernel": "6.1"}},
    {"names": ["getpid"], "action": "SCMP_ACT_KILL"}, {"names": ["gettid"], "action": "SCMP_ACT_KILL_THREAD"},
    {"names": ["getppid"], "action": "SCMP_ACT_NOTIFY"}
  ]})";

TEST(ParseProfile, ReadsEveryField) {
  const auto profile = ParseProfile(kEverything, "all.json");
  ASSERT_TRUE(profile) << profile.error().message;
  EXPECT_EQ(profile->default_errno_ret, 38u);
  EXPECT_EQ(profile->default_errno_name, "ENOSYS");
  ASSERT_EQ(profile->arch_map.size(), 2u);
  EXPECT_EQ(profile->arch_map[0].sub_architectures, (std::vector<Arch>{Arch::kX86, Arch::kX32}));
  EXPECT_TRUE(profile->arch_map[1].sub_architectures.empty());
  EXPECT_EQ(profile->flags.size(), 4u);
  EXPECT_EQ(profile->listener_metadata, "me");
  ASSERT_EQ(profile->syscalls.size(), 5u);
  EXPECT_EQ(profile->syscalls[0].comment, "io");
  const Rule& socket = profile->syscalls[1];
  EXPECT_TRUE(socket.singular_name);
  EXPECT_EQ(socket.errno_name, "EINVAL");
  EXPECT_EQ(socket.args[1], (Arg{2, UINT64_MAX, 9, CompareOp::kMaskedEqual}));
  EXPECT_EQ(socket.includes.min_kernel, (KernelVersion{4, 8}));
  EXPECT_EQ(socket.excludes.arches, std::vector<std::string>{"s390"});
  EXPECT_TRUE(UsesConditionalDialect(*profile));
}

TEST(ParseProfile, WritesBackWithoutLoss) {
  const auto profile = ParseProfile(kEverything, "all.json");
  ASSERT_TRUE(profile);
  const json written = ToJson(*profile);
  const auto again = ProfileFromJson(written, "again");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, *profile);
  EXPECT_EQ(ToJson(*again), written);
  EXPECT_EQ(written["x-note"], json::parse(R"({"author": ["a", 1]})"));
  EXPECT_EQ(written["syscalls"][1]["name"], "socket");
  EXPECT_FALSE(written["syscalls"][0].contains("args"));
  EXPECT_FALSE(written["syscalls"][0].contains("includes"));
  EXPECT_EQ(written["syscalls"][2]["action"], "SCMP_ACT_KILL");
  EXPECT_FALSE(written["syscalls"][1]["args"][0].contains("valueTwo"));
}

struct ErrorCase {
  std::string_view text;
  std::string_view want;  // in the error
};

TEST(ParseProfile, StrictErrorsNameThePlace) {
  const ErrorCase kCases[] = {
      {"", "seccomp profile p: unexpected end of JSON input"},
      {"{", "seccomp profile p: "},
      {"[]", "expected an object, found array"},
      {"{}", "/defaultAction: required, but missing: the profile is empty"},
      {R"({"syscalls": []})", "/defaultAction: required, but missing"},
      {R"({"defaultAction": null})", "/defaultAction: required, but missing"},
      {R"({"defaultAction": 1})", "/defaultAction: expected a string, found a number"},
      {R"({"defaultAction": "SCMP_ACT_ALOW"})",
       R"(/defaultAction: unknown action "SCMP_ACT_ALOW" (did you mean "SCMP_ACT_ALLOW"?))"},
      {R"({"defaultaction": "SCMP_ACT_ALLOW"})", R"(/defaultaction: unknown key (did you mean "defaultAction"?))"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "sycalls": []})", R"(/sycalls: unknown key (did you mean "syscalls"?))"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "a/b~c": 1})", "/a~1b~0c: unknown key"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "defaultErrnoRet": -1})", "/defaultErrnoRet: expected a whole number"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "defaultErrnoRet": 1.5})", "found a fraction"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "defaultErrnoRet": 4294967296})",
       "/defaultErrnoRet: 4294967296 is more than"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "architectures": ["SCMP_ARCH_x86"]})",
       R"(/architectures/0: unknown architecture "SCMP_ARCH_x86" (did you mean "SCMP_ARCH_X86"?))"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "architectures": "SCMP_ARCH_X86"})",
       "/architectures: expected a list, found string"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "flags": ["LOG"]})", R"(/flags/0: unknown flag "LOG")"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "archMap": [{}]})", "/archMap/0/architecture: required, but missing"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "syscalls": [{"names": ["read"]}]})",
       "/syscalls/0/action: required, but missing"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "syscalls": [{"names": [1], "action": "SCMP_ACT_LOG"}]})",
       "/syscalls/0/names/0: expected a string"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "syscalls": [{"name": "a", "names": ["b"], "action": "SCMP_ACT_LOG"}]})",
       "use either 'name' or 'names'"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_LOG", "arg": []}]})",
       R"(/syscalls/0/arg: unknown key (did you mean "args"?))"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_LOG",
           "args": [{"index": 0, "value": 1, "op": "=="}]}]})",
       R"(/syscalls/0/args/0/op: unknown operator "==")"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_LOG", "args": [{"index": 0,
           "op": "SCMP_CMP_EQ"}]}]})",
       "/syscalls/0/args/0/value: required, but missing"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_LOG",
           "args": [{"index": 0, "value": 1}]}]})",
       "/syscalls/0/args/0/op: required, but missing"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_LOG",
           "includes": {"minKernel": "4"}}]})",
       R"(/syscalls/0/includes/minKernel: invalid minKernel "4")"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_LOG", "includes": {"cap": []}}]})",
       "/syscalls/0/includes/cap: unknown key"},
      {R"({"defaultAction": "SCMP_ACT_LOG", "defaultAction": "SCMP_ACT_LOG"})", "seccomp profile p: "},
  };
  for (const ErrorCase& c : kCases) {
    const auto profile = ParseProfile(c.text, "p");
    ASSERT_FALSE(profile) << c.text;
    EXPECT_EQ(profile.error().code, Code::kInvalidArgument) << c.text;
    EXPECT_THAT(profile.error().message, HasSubstr(std::string(c.want))) << c.text;
  }
}

TEST(ParseProfile, CollectsEveryProblem) {
  Diagnostics diagnostics;
  const auto profile =
      ParseProfile(R"({"defaultAction": "X", "bogus": 1, "syscalls": [{"names": ["a"], "action": "Y"}]})", "p",
                   ParseMode::kStrict, &diagnostics);
  EXPECT_FALSE(profile);
  EXPECT_EQ(diagnostics.size(), 3u);
  EXPECT_TRUE(HasErrors(diagnostics));
}

TEST(ParseProfile, LenientReportsWhatItIgnored) {
  Diagnostics diagnostics;
  const auto profile = ParseProfile(
      R"({"DefaultAction": "SCMP_ACT_ERRNO", "bogus": {"a": 1},
          "syscalls": [{"Names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{"op": "SCMP_CMP_EQ"}], "why": ""}]})",
      "p", ParseMode::kLenient, &diagnostics);
  ASSERT_TRUE(profile) << profile.error().message;
  EXPECT_EQ(profile->default_action, Action::kErrno);
  EXPECT_EQ(profile->syscalls[0].names, std::vector<std::string>{"read"});
  std::vector<std::string> fields;
  for (const Diagnostic& diagnostic : diagnostics) {
    EXPECT_EQ(diagnostic.severity, Severity::kWarning);
    fields.push_back(diagnostic.field);
  }
  EXPECT_THAT(fields, ::testing::UnorderedElementsAre("/DefaultAction", "/bogus", "/syscalls/0/Names",
                                                      "/syscalls/0/args/0/index", "/syscalls/0/args/0/value",
                                                      "/syscalls/0/why"));
}

TEST(ParseProfile, LenientStillRefusesWhatItCannotUnderstand) {
  for (
      const char* text : {
          R"({"defaultAction": "SCMP_ACT_ALOW"})",
          R"({"defaultAction": "SCMP_ACT_LOG", "DefaultAction": "SCMP_ACT_ALLOW"})",
          R"({"defaultAction": "SCMP_ACT_LOG", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_LOG", "args": [{"index": 0}]}]})",
          R"({})",
      }) {
    EXPECT_FALSE(ParseProfile(text, "p", ParseMode::kLenient)) << text;
  }
}

TEST(ParseProfile, SizeAndDiagnosticsAreBounded) {
  const auto large = ParseProfile(std::string(kMaxProfileBytes + 1, ' '), "p");
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, Code::kResourceExhausted);
  std::string many = R"({"defaultAction": "SCMP_ACT_LOG", "syscalls": [)";
  for (int index = 0; index < 5000; ++index) many += "1,";
  many += "1]}";
  Diagnostics diagnostics;
  EXPECT_FALSE(ParseProfile(many, "p", ParseMode::kStrict, &diagnostics));
  EXPECT_LT(diagnostics.size(), 100u);
}

TEST(ParseProfile, ErrorAfterManyWarningsIsKept) {
  std::string text = R"({"defaultAction": "SCMP_ACT_LOG", )";
  for (int index = 0; index < 200; ++index) text += fmt::format("\"a{}\": 1, ", index);
  text += R"("syscalls": 5})";
  EXPECT_FALSE(ParseProfile(text, "p", ParseMode::kLenient));
}

TEST(ParseLocalhostProfile, ChecksAndWarns) {
  Diagnostics warnings;
  const auto profile = ParseLocalhostProfile(kEverything, "all.json", &warnings);
  ASSERT_TRUE(profile) << profile.error().message;
  EXPECT_FALSE(warnings.empty());
  EXPECT_FALSE(HasErrors(warnings));
  const auto unusable = ParseLocalhostProfile(
      R"({"defaultAction": "SCMP_ACT_LOG", "syscalls": [{"names": [], "action": "SCMP_ACT_ALLOW"}]})", "p");
  ASSERT_FALSE(unusable);
  EXPECT_THAT(unusable.error().message, HasSubstr("/syscalls/0/names: the rule names no system call"));
  warnings.clear();
  ASSERT_TRUE(ParseLocalhostProfile(
      R"({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
          "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13}]})",
      "plain", &warnings));
  EXPECT_TRUE(warnings.empty()) << FormatDiagnostic(warnings.front());
}

TEST(ResolvedJson, RefusesTheConditionalDialect) {
  for (
      const char* text : {
          R"({"defaultAction": "SCMP_ACT_LOG", "archMap": []})",
          R"({"defaultAction": "SCMP_ACT_LOG", "defaultErrno": "EPERM"})",
          R"({"defaultAction": "SCMP_ACT_LOG", "x-note": 1})",
          R"({"defaultAction": "SCMP_ACT_LOG", "syscalls": [{"name": "a", "action": "SCMP_ACT_LOG"}]})",
          R"({"defaultAction": "SCMP_ACT_LOG", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_LOG", "includes": {}}]})",
      }) {
    EXPECT_FALSE(FromJson(json::parse(text), "p")) << text;
  }
}

TEST(ResolvedJson, RoundTripsTheSamplesByteForByte) {
  for (const char* path :
       {"samples/containerd/seccomp-runtimedefault.json", "samples/crio/seccomp-runtimedefault.json"}) {
    const auto sample = SharedJson(path);
    if (!sample) GTEST_SKIP() << "no samples here";
    const auto resolved = FromJson(*sample, path);
    ASSERT_TRUE(resolved) << resolved.error().message;
    EXPECT_EQ(ToJson(*resolved).dump(), sample->dump());
  }
}

TEST(ResolvedJson, AbsentThingsAreAbsent) {
  const json written = ToJson(ResolvedProfile{.default_action = Action::kAllow});
  EXPECT_EQ(written.dump(), R"({"defaultAction":"SCMP_ACT_ALLOW"})");
}

}  // namespace
}  // namespace portcullis::seccomp
