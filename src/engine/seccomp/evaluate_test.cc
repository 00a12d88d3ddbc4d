#include "engine/seccomp/evaluate.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "engine/seccomp/capabilities.h"
#include "engine/seccomp/library.h"
#include "engine/seccomp/names.h"
#include "engine/seccomp/profile_json.h"
#include "engine/seccomp/resolve.h"
#include "engine/seccomp/test_shared.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis::seccomp {
namespace {

using nlohmann::json;

ResolvedProfile Parse(std::string_view text) {
  auto profile = FromJson(json::parse(text), "test");
  EXPECT_TRUE(profile) << profile.error().message;
  return profile.value_or(ResolvedProfile{});
}

Decision Call(const ResolvedProfile& profile, std::string_view name, CallArgs args = {}, Arch arch = Arch::kX86_64) {
  return Evaluate(profile, arch, syscalls::NumberOf(arch, name).value(), args, Arch::kX86_64);
}

// An answer in words: "ALLOW", "ERRNO 38", and the rule that decided.
std::string Words(const Decision& decision) {
  std::string text(ActionName(decision.action).substr(9));
  if (TakesErrno(decision.action)) text += fmt::format(" {}", decision.data);
  if (decision.rule) text += fmt::format(" by {}", *decision.rule);
  return decision.foreign_arch ? text + " foreign" : text;
}

TEST(Matches, EveryOperatorAtItsBoundaries) {
  const uint64_t kBig = 0x1'0000'0000;
  const struct {
    CompareOp op;
    bool below, equal, above;
  } kCases[] = {
      {CompareOp::kNotEqual, true, false, true},     {CompareOp::kLess, true, false, false},
      {CompareOp::kLessEqual, true, true, false},    {CompareOp::kEqual, false, true, false},
      {CompareOp::kGreaterEqual, false, true, true}, {CompareOp::kGreater, false, false, true},
  };
  for (const auto& c : kCases) {
    for (const uint64_t value : {uint64_t{1}, kBig, UINT64_MAX - 1}) {
      const Arg test{0, value, 0, c.op};
      EXPECT_EQ(Matches(test, value - 1), c.below) << CompareOpName(c.op);
      EXPECT_EQ(Matches(test, value), c.equal) << CompareOpName(c.op);
      EXPECT_EQ(Matches(test, value + 1), c.above) << CompareOpName(c.op);
    }
  }
  const Arg masked{0, 0xff00, 0x1200, CompareOp::kMaskedEqual};
  EXPECT_TRUE(Matches(masked, 0x12ab));
  EXPECT_TRUE(Matches(masked, kBig | 0x1200));
  EXPECT_FALSE(Matches(masked, 0x1300));
  EXPECT_FALSE(Matches({0, 0xf0, 0x101, CompareOp::kMaskedEqual}, 0x101));
}

TEST(Evaluate, OrderOfRules) {
  const ResolvedProfile profile = Parse(R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "syscalls": [
      {"names": ["read"], "action": "SCMP_ACT_LOG", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]},
      {"names": ["read"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5},
      {"names": ["read"], "action": "SCMP_ACT_ALLOW"},
      {"names": ["write"], "action": "SCMP_ACT_LOG", "args": [{"index": 0, "value": 3, "op": "SCMP_CMP_GE"}]},
      {"names": ["write"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_GE"}]},
      {"names": ["open"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
      {"names": ["open"], "action": "SCMP_ACT_TRACE", "args": [{"index": 1, "value": 0, "op": "SCMP_CMP_EQ"}]},
      {"names": ["close"], "action": "SCMP_ACT_ERRNO"},
      {"names": ["dup"], "action": "SCMP_ACT_KILL"},
      {"names": ["nosuchcall"], "action": "SCMP_ACT_ALLOW"}]})");
  EXPECT_EQ(Words(Call(profile, "read", {1})), "ERRNO 5 by 1") << "the first rule without arguments wins";
  EXPECT_EQ(Words(Call(profile, "write", {5})), "LOG by 3");
  EXPECT_EQ(Words(Call(profile, "write", {2})), "ALLOW by 4");
  EXPECT_EQ(Words(Call(profile, "write", {0})), "ERRNO 38");
  EXPECT_EQ(Words(Call(profile, "open")), "TRACE 1 by 6") << "a rule equal to the default does not exist";
  EXPECT_EQ(Words(Call(profile, "open", {0, 1})), "ERRNO 38");
  EXPECT_EQ(Words(Call(profile, "close")), "ERRNO 1 by 7") << "EPERM, whatever defaultErrnoRet is";
  EXPECT_EQ(Words(Call(profile, "dup")), "KILL_THREAD by 8");
  EXPECT_EQ(Words(Evaluate(profile, Arch::kX86_64, 9999, {}, Arch::kX86_64)), "ERRNO 38");
}

TEST(Evaluate, SeveralTests) {
  const ResolvedProfile profile = Parse(R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
      {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 22,
       "args": [{"index": 0, "value": 16, "op": "SCMP_CMP_EQ"}, {"index": 2, "value": 9, "op": "SCMP_CMP_EQ"}]},
      {"names": ["clone"], "action": "SCMP_ACT_ERRNO",
       "args": [{"index": 0, "value": 1, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"},
                {"index": 0, "value": 2, "valueTwo": 2, "op": "SCMP_CMP_MASKED_EQ"}]},
      {"names": ["dup"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 9, "value": 0, "op": "SCMP_CMP_EQ"}]}]})");
  EXPECT_EQ(Words(Call(profile, "socket", {16, 0, 9})), "ERRNO 22 by 0");
  EXPECT_EQ(Words(Call(profile, "socket", {16, 0, 8})), "ALLOW");
  EXPECT_EQ(Words(Call(profile, "clone", {2})), "ERRNO 1 by 1") << "tests of one argument: any is enough";
  EXPECT_EQ(Words(Call(profile, "clone", {4})), "ALLOW");
  EXPECT_EQ(Words(Call(profile, "dup")), "ALLOW") << "there is no tenth argument";
}

TEST(Evaluate, Architectures) {
  const ResolvedProfile native = Parse(R"({"defaultAction": "SCMP_ACT_ALLOW"})");
  const ResolvedProfile with_x32 =
      Parse(R"({"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"],
      "syscalls": [{"names": ["personality"], "action": "SCMP_ACT_ALLOW",
                    "args": [{"index": 0, "value": 4294967295, "op": "SCMP_CMP_EQ"}]}]})");
  EXPECT_EQ(Words(Call(native, "read", {}, Arch::kX86)), "KILL_THREAD foreign");
  EXPECT_EQ(Words(Call(native, "read", {}, Arch::kX32)), "KILL_THREAD foreign");
  EXPECT_EQ(Words(Evaluate(native, Arch::kX86_64, 0x40000000, {}, Arch::kX86_64)), "KILL_THREAD foreign");
  EXPECT_EQ(Words(Evaluate(native, Arch::kX86_64, UINT32_MAX, {}, Arch::kX86_64)), "ALLOW");
  EXPECT_EQ(Words(Call(with_x32, "read")), "ERRNO 1") << "the native architecture is always in";
  EXPECT_EQ(Words(Call(with_x32, "personality", {0xffffffff})), "ALLOW by 0");
  EXPECT_EQ(Words(Call(with_x32, "personality", {UINT64_MAX})), "ERRNO 1") << "64 bits are compared";
  EXPECT_EQ(Words(Call(with_x32, "personality", {UINT64_MAX}, Arch::kX86)), "ALLOW by 0") << "32 bits are all there is";
  EXPECT_EQ(Words(Call(with_x32, "personality", {UINT64_MAX}, Arch::kX32)), "ALLOW by 0");
  EXPECT_EQ(Words(Evaluate(with_x32, Arch::kX86_64, 0x40000000 + 135, {0xffffffff}, Arch::kX86_64)), "ALLOW by 0");
  EXPECT_EQ(Words(Call(with_x32, "read", {}, Arch::kAarch64)), "KILL_THREAD foreign");
}

// All argument vectors made of the values that the rules of a call compare with, and their neighbours.
std::vector<CallArgs> BoundaryArgs(const ResolvedProfile& profile, std::string_view name) {
  std::array<std::set<uint64_t>, 6> values;
  for (auto& set : values) set = {0};
  for (const ResolvedRule& rule : profile.syscalls) {
    if (std::ranges::find(rule.names, name) == rule.names.end()) continue;
    for (const Arg& arg : rule.args) {
      for (const uint64_t value : {arg.value, arg.value_two}) values[arg.index].insert({value - 1, value, value + 1});
    }
  }
  std::vector<CallArgs> all = {CallArgs{}};
  for (size_t index = 0; index < values.size(); ++index) {
    std::vector<CallArgs> next;
    for (const CallArgs& args : all) {
      for (const uint64_t value : values[index]) {
        next.push_back(args);
        next.back()[index] = value;
      }
    }
    all = std::move(next);
  }
  return all;
}

// How a call is treated, in the words of the golden file: "" when always allowed, "args" when arguments decide.
std::string Disposition(const ResolvedProfile& profile, const syscalls::Entry& entry) {
  std::optional<std::string> answer;
  for (const CallArgs& args : BoundaryArgs(profile, entry.name)) {
    const Decision decision = Evaluate(profile, Arch::kX86_64, entry.number, args, Arch::kX86_64);
    std::string words = decision.action == Action::kAllow ? "" : ErrnoName(decision.data);
    if (answer && *answer != words) return "args";
    answer = std::move(words);
  }
  return *answer;
}

ResolvedProfile ResolveFor(const std::string& name, const std::string& capabilities) {
  std::vector<std::string> bounding;
  if (capabilities == "docker14") bounding = DockerDefaultCapabilities();
  if (capabilities == "crio9") bounding = CriODefaultCapabilities();
  if (capabilities == "all") bounding.assign(CapabilityNames().begin(), CapabilityNames().end());
  const auto found = FindDefaultProfile(name);
  EXPECT_TRUE(found);
  const auto resolved =
      Resolve(found->profile,
              {.bounding = bounding, .host = Arch::kX86_64, .kernel = KernelVersion{6, 18}, .flavour = found->flavour});
  EXPECT_TRUE(resolved);
  return *resolved;
}

// libseccomp's own filters, interpreted, of four default profiles with four capability sets: every x86_64 call of
// Linux 7.2.
TEST(Evaluate, AgreesWithLibseccompOnTheDefaultProfiles) {
  const auto golden = SharedJson("profiles/golden/effective-x86_64.json");
  if (!golden) GTEST_SKIP() << "no golden file here";
  const std::map<std::string, std::string> kProfiles = {
      {"containerd", "containerd"},
      {"moby", "docker"},
      {"containers-common", "containers-common@0.67.0-599-gf0ddf1a745"},
      {"cri-o-effective", "cri-o"}};
  size_t compared = 0;
  for (const auto& [key, entry] : golden->items()) {
    if (!entry.is_object()) continue;
    const size_t slash = key.find('/');
    const ResolvedProfile resolved = ResolveFor(kProfiles.at(key.substr(0, slash)), key.substr(slash + 1));
    std::map<std::string, std::string> want;
    for (const auto& [disposition, names] : entry[entry.contains("both") ? "both" : "crun"].items()) {
      for (const std::string name : names) want[name] = disposition;
    }
    for (const syscalls::Entry& call : syscalls::ByNumber(Arch::kX86_64)) {
      const auto expected = want.find(std::string(call.name));
      EXPECT_EQ(Disposition(resolved, call), expected == want.end() ? "" : expected->second) << key << " " << call.name;
      ++compared;
    }
  }
  EXPECT_GT(compared, 16u * 380u);
}

// What CRI-O 1.37-dev showed: newer than our newest release, but the same answers to every call of every architecture.
TEST(Evaluate, EqualsTheCriOSample) {
  const auto sample = SharedJson("samples/crio/seccomp-runtimedefault.json");
  if (!sample) GTEST_SKIP() << "no samples here";
  const auto theirs = FromJson(*sample, "sample");
  ASSERT_TRUE(theirs);
  const ResolvedProfile ours = ResolveFor("cri-o", "crio9");
  EXPECT_EQ(ours.architectures, theirs->architectures);
  for (const Arch arch : ours.architectures) {
    for (const syscalls::Entry& call : syscalls::ByNumber(arch)) {
      for (const CallArgs& args : BoundaryArgs(ours, call.name)) {
        Decision mine = Evaluate(ours, arch, call.number, args, Arch::kX86_64);
        Decision other = Evaluate(*theirs, arch, call.number, args, Arch::kX86_64);
        mine.rule = other.rule = std::nullopt;
        ASSERT_EQ(Words(mine), Words(other)) << call.name << " " << args[0] << " " << args[2];
      }
    }
  }
}

std::string Words(const std::vector<Decision>& decisions) {
  std::string text;
  for (const Decision& decision : decisions) text += (text.empty() ? "" : ", ") + Words(decision);
  return text;
}

TEST(EvaluatePartly, TellsWhatUnknownArgumentsCanDo) {
  const ResolvedProfile profile =
      Parse(R"({"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64"],"syscalls":[
    {"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":38,"op":"SCMP_CMP_LT"}]},
    {"names":["socket"],"action":"SCMP_ACT_ERRNO","errnoRet":22,
     "args":[{"index":0,"value":40,"op":"SCMP_CMP_EQ"},{"index":2,"value":9,"op":"SCMP_CMP_EQ"}]},
    {"names":["clone"],"action":"SCMP_ACT_ALLOW",
     "args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"},{"index":0,"value":2,"op":"SCMP_CMP_EQ"}]},
    {"names":["read"],"action":"SCMP_ACT_ALLOW"}]})");
  const auto partly = [&](std::string_view name, const KnownArgs& args, Arch arch = Arch::kX86_64) {
    return Words(EvaluatePartly(profile, arch, syscalls::NumberOf(arch, name).value(), args, Arch::kX86_64));
  };
  EXPECT_EQ(partly("socket", {}), "ALLOW by 0, ERRNO 22 by 1, ERRNO 1");
  EXPECT_EQ(partly("socket", {2}), "ALLOW by 0");
  EXPECT_EQ(partly("socket", {39}), "ERRNO 1");
  EXPECT_EQ(partly("socket", {40}), "ERRNO 22 by 1, ERRNO 1");
  EXPECT_EQ(partly("socket", {40, std::nullopt, 9}), "ERRNO 22 by 1");
  EXPECT_EQ(partly("socket", {std::nullopt, std::nullopt, 8}), "ALLOW by 0, ERRNO 1");
  // One argument tested twice: either is enough.
  EXPECT_EQ(partly("clone", {2}), "ALLOW by 2");
  EXPECT_EQ(partly("clone", {3}), "ERRNO 1");
  EXPECT_EQ(partly("clone", {}), "ALLOW by 2, ERRNO 1");
  EXPECT_EQ(partly("read", {}), "ALLOW by 3");
  EXPECT_EQ(partly("mount", {}), "ERRNO 1");
  EXPECT_EQ(partly("read", {}, Arch::kX86), "KILL_THREAD foreign");
}

// Of every default profile: what no argument is known of covers every answer; with all known it is Evaluate.
TEST(EvaluatePartly, AgreesWithEvaluate) {
  for (const char* runtime : {"containerd", "cri-o", "docker", "containers-common"}) {
    const ResolvedProfile profile = ResolveFor(runtime, "docker14");
    for (const Arch arch : profile.architectures) {
      for (const syscalls::Entry& call : syscalls::ByNumber(arch)) {
        const auto possible = EvaluatePartly(profile, arch, call.number, {}, Arch::kX86_64);
        for (const CallArgs& args : BoundaryArgs(profile, call.name)) {
          const Decision exact = Evaluate(profile, arch, call.number, args, Arch::kX86_64);
          EXPECT_NE(std::ranges::find(possible, exact), possible.end()) << runtime << " " << call.name;
          KnownArgs known;
          std::ranges::copy(args, known.begin());
          EXPECT_EQ(EvaluatePartly(profile, arch, call.number, known, Arch::kX86_64), std::vector{exact});
        }
      }
    }
  }
}

}  // namespace
}  // namespace portcullis::seccomp
