#include "insight/preflight/missing.h"

#include <gmock/gmock.h>

#include "insight/preflight/test_targets.h"

namespace portcullis::insight {
namespace {

using syscalls::Arch;
using testing::ElementsAre;

Enforced Containerd() {
  const Target target = TargetOf("containerd@2.2.4");
  return Enforce(target, BoundingOf(target, {}).value()).value();
}

TEST(AdditionFor, AllowsWhatWasSeenAndNoMore) {
  const Enforced base = Containerd();
  const std::vector<Needed> needed{{CallOf("io_uring_setup"), "/usr/bin/node"},
                                   {CallOf("socket", {{0, 38}, {1, 5}}), "/sbin/a"},
                                   {CallOf("socket", {{0, 38}}), "/sbin/b"},
                                   {CallOf("clone", {{0, 0x10000011}}), ""},
                                   {CallOf("personality", {{0, 0x40000}}), "/bin/gdb\n"},
                                   {CallOf("keyctl"), ""}};
  const Addition addition = AdditionFor(base, needed);
  EXPECT_TRUE(addition.impossible.empty());
  const std::string text = DeltaText(addition, "RuntimeDefault@containerd-2.2.4");
  EXPECT_EQ(text, R"(base: RuntimeDefault@containerd-2.2.4
allow:
  - {names: [clone], args: [{index: 0, value: 0x7e020000, valueTwo: 0x10000000, op: SCMP_CMP_MASKED_EQ}]}
  - io_uring_setup  # /usr/bin/node
  - keyctl
  - {names: [personality], args: [{index: 0, value: 0x40000, op: SCMP_CMP_EQ}]}  # /bin/gdb?
  - {names: [socket], args: [{index: 0, value: 0x26, op: SCMP_CMP_EQ}]}  # /sbin/a, /sbin/b
)");
  // What is written is what the delta verbs read, and the profile that they make lets exactly these through.
  const auto delta = algebra::ParseDelta(text, "delta.yaml");
  ASSERT_TRUE(delta) << delta.error().message;
  const auto profile = algebra::Apply(base.profile, *delta, Arch::kX86_64);
  ASSERT_TRUE(profile) << profile.error().message;
  const Enforced with{*profile, filter::Describe(*profile), Arch::kX86_64};
  for (const Needed& one : needed) EXPECT_TRUE(LetsThrough(Possible(with, one.call)->front())) << one.call.number;
  for (const Call& call : {CallOf("socket", {{0, 40}}), CallOf("clone", {{0, 0x20000}}), CallOf("io_uring_enter"),
                           CallOf("personality", {{0, 1}})}) {
    EXPECT_FALSE(LetsThrough(Possible(with, call)->front())) << call.number;
  }
}

TEST(AdditionFor, SaysWhatCannotBe) {
  Target target = TargetOf("containerd@2.2.4");
  target.profile.arch_map.clear();
  const Enforced base = Enforce(target, BoundingOf(target, {}).value()).value();
  Call unknown = CallOf("read");
  unknown.number = 9999;
  const Addition addition =
      AdditionFor(base, std::vector<Needed>{{CallOf("read", {}, CallResult::kAllowed, 0, "", Arch::kX86), ""},
                                            {unknown, ""},
                                            {CallOf("socket"), ""},
                                            {CallOf("socket", {{0, 38}}), ""}});
  EXPECT_THAT(addition.impossible, ElementsAre("call 3 of SCMP_ARCH_X86", "call 9999 of SCMP_ARCH_X86_64"));
  // One socket of unknown arguments: the whole call, and no entry beside it.
  ASSERT_EQ(addition.delta.allow.size(), 1u);
  EXPECT_EQ(EntryText(addition.delta.allow[0]), "socket");
  EXPECT_EQ(addition.comments[0], "with any arguments, since they were not seen");
}

TEST(AddToDeltaText, KeepsWhatWasWritten) {
  const Enforced base = Containerd();
  const Addition addition = AdditionFor(base, std::vector<Needed>{{CallOf("keyctl"), "/bin/k"}});
  const std::string entry = "- keyctl  # /bin/k\n";
  const struct {
    std::string before;
    std::string after;
  } kCases[] = {
      {"base: containerd\nallow:\n  - io_uring_setup  # ours\n",
       "base: containerd\nallow:\n  - io_uring_setup  # ours\n  " + entry},
      {"# redis\nallow:\n- io_uring_setup\n- names: [personality]\n  args: [{index: 0, value: 1, op: SCMP_CMP_EQ}]\n\n"
       "# never\ndeny:\n  - keyctl\nbase: containerd",
       "# redis\nallow:\n- io_uring_setup\n- names: [personality]\n  args: [{index: 0, value: 1, op: SCMP_CMP_EQ}]\n" +
           entry + "\n# never\ndeny:\n  - keyctl\nbase: containerd\n"},
      {"base: containerd\ndeny: [mount]\n", "base: containerd\ndeny: [mount]\nallow:\n  " + entry},
  };
  for (const auto& c : kCases) {
    const auto text = AddToDeltaText(c.before, addition, "x.yaml");
    ASSERT_TRUE(text) << text.error().message;
    EXPECT_EQ(*text, c.after);
  }
  for (const char* other : {"{\"allow\": [\"mount\"]}\n", "allow: [mount]\n"}) {
    const auto text = AddToDeltaText(other, addition, "x.yaml");
    ASSERT_FALSE(text) << *text;
    EXPECT_NE(
        text.error().message.find("x.yaml: its allow list is not one of lines; add these entries to it:\n  " + entry),
        std::string::npos)
        << text.error().message;
  }
}

TEST(DeniesOnPurpose, WhatItsOwnListDenies) {
  const Enforced base = Containerd();
  const auto delta = algebra::ParseDelta(
      "base: containerd\nallow: [keyctl]\ndeny:\n  - mount\n"
      "  - {names: [socket], args: [{index: 0, value: 38, op: SCMP_CMP_EQ}]}\n",
      "x.yaml");
  ASSERT_TRUE(delta) << delta.error().message;
  EXPECT_TRUE(DeniesOnPurpose(*delta, base, CallOf("mount")).value());
  EXPECT_TRUE(DeniesOnPurpose(*delta, base, CallOf("socket", {{0, 38}})).value());
  EXPECT_TRUE(DeniesOnPurpose(*delta, base, CallOf("socket")).value()) << "it may be";
  EXPECT_FALSE(DeniesOnPurpose(*delta, base, CallOf("socket", {{0, 40}})).value());
  EXPECT_FALSE(DeniesOnPurpose(*delta, base, CallOf("keyctl")).value());
  EXPECT_FALSE(DeniesOnPurpose(*delta, base, CallOf("unshare")).value()) << "that is the base's";
}

TEST(OnlySeen, KeepsTheAnswersOfWhatWasSeen) {
  const Enforced base = Containerd();
  std::set<std::string> seen = RuntimeCalls();
  seen.insert({"socket", "clone", "clone3", "openat"});
  const auto minimal = OnlySeen(base.profile, seen, Arch::kX86_64);
  ASSERT_TRUE(minimal) << minimal.error().message;
  const Enforced small{*minimal, filter::Describe(*minimal), Arch::kX86_64};
  EXPECT_TRUE(LetsThrough(Possible(small, CallOf("openat"))->front()));
  EXPECT_TRUE(LetsThrough(Possible(small, CallOf("execve"))->front()));
  EXPECT_TRUE(LetsThrough(Possible(small, CallOf("socket", {{0, 2}}))->front()));
  EXPECT_EQ(ErrnoOf(Possible(small, CallOf("socket", {{0, 38}}))->front()), EPERM);
  EXPECT_EQ(ErrnoOf(Possible(small, CallOf("clone3"))->front()), ENOSYS);
  EXPECT_EQ(ErrnoOf(Possible(small, CallOf("bind"))->front()), EPERM);
}

}  // namespace
}  // namespace portcullis::insight
