#include "insight/evidence/audit_merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace portcullis::insight {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr uint32_t kX86_64 = 0xc000003e;
constexpr uint32_t kSocket = 41;
constexpr uint32_t kGetppid = 110;
const Workload kWeb{.pod = "web", .container = "nginx"};

Call CallOf(uint32_t number, CallResult result, std::vector<CallArgument> arguments = {},
            Phase phase = Phase::kServing) {
  return {.executable = "/bin/app",
          .comm = "app",
          .phase = phase,
          .audit_arch = kX86_64,
          .number = number,
          .arguments = std::move(arguments),
          .result = result};
}

// Both begin with one workload, of the same values; that of the recording is not the first.
struct Both {
  Evidence recorded;
  Evidence records;

  Both() {
    recorded.AddWorkload({.pod = "other"});
    records.AddWorkload(kWeb);
  }
  void Record(Call call, uint64_t count) {
    call.workload = recorded.AddWorkload(kWeb);
    recorded.Add(std::move(call), {.count = count, .first = 5, .last = 9, .address = 7});
  }
  void Told(Call call, uint64_t count) {
    call.workload = 0;
    call.arguments.clear();
    records.Add(std::move(call), {.count = count, .first = 6, .last = 6, .address = 8});
  }
  // "logged 2", and its first argument
  std::multiset<std::string> After(const AuditMerge& what) {
    MergeAuditRecords(records, what, recorded);
    std::multiset<std::string> out;
    for (const auto& [call, facts] : recorded.calls()) {
      EXPECT_EQ(recorded.workloads()[call.workload], kWeb);
      std::string one = fmt::format("{} {}", NameOf(call.result), facts.count);
      if (!call.arguments.empty()) one += fmt::format(" of {}", call.arguments[0].value);
      out.insert(one);
    }
    return out;
  }
};

TEST(MergeAuditRecords, LoggedCallsCountOnceAndKeepTheirArguments) {
  Both both;
  both.Record(CallOf(kSocket, CallResult::kAllowed, {{0, 38}}), 3);
  both.Told(CallOf(kSocket, CallResult::kLogged), 3);
  EXPECT_THAT(both.After({.logged = true}), UnorderedElementsAre("logged 3 of 38"));
  EXPECT_EQ(both.recorded.calls().begin()->second.first, 5);
  EXPECT_THAT(both.recorded.completeness.unseen, IsEmpty());
}

TEST(MergeAuditRecords, SomeOfAlikeCalls) {
  Both both;
  both.Record(CallOf(kGetppid, CallResult::kAllowed, {}, Phase::kInit), 4);
  both.Record(CallOf(kGetppid, CallResult::kAllowed), 1);
  both.Told(CallOf(kGetppid, CallResult::kLogged), 3);
  EXPECT_THAT(both.After({.logged = true}), UnorderedElementsAre("logged 1", "logged 2", "allowed 2"));
}

TEST(MergeAuditRecords, WhichOfSeveralIsNotGuessed) {
  Both both;
  both.Record(CallOf(kSocket, CallResult::kAllowed, {{0, 38}}), 1);
  both.Record(CallOf(kSocket, CallResult::kAllowed, {{0, 2}}), 4);
  both.Told(CallOf(kSocket, CallResult::kLogged), 1);
  EXPECT_THAT(both.After({.logged = true}), UnorderedElementsAre("allowed 1 of 38", "allowed 4 of 2"));
  EXPECT_THAT(
      both.recorded.completeness.unseen,
      UnorderedElementsAre(std::string(unseen::kOnlyLogged) + ": 1 of 5 calls of socket by /bin/app, with which "
                                                              "arguments the audit records do not tell"));
}

TEST(MergeAuditRecords, ATrapThatWasAKill) {
  Both both;
  both.Record(CallOf(kSocket, CallResult::kTrap, {{0, 38}}), 1);
  both.Told(CallOf(kSocket, CallResult::kKillProcess, {}, Phase::kInit), 1);
  EXPECT_THAT(both.After({.kills = true}), UnorderedElementsAre("killProcess 1 of 38"));
}

TEST(MergeAuditRecords, AKillThatNobodySawIsThereWithoutArguments) {
  Both both;
  both.Record(CallOf(kSocket, CallResult::kAllowed, {{0, 2}}), 4);
  both.Told(CallOf(kSocket, CallResult::kKillThread), 2);
  EXPECT_THAT(both.After({.kills = true}), UnorderedElementsAre("killThread 2", "allowed 4 of 2"));
  EXPECT_EQ(both.recorded.completeness.unseen.size(), 1u);
}

TEST(MergeAuditRecords, WhatTheRecorderTellsItselfIsLeftAlone) {
  for (const AuditMerge what : {AuditMerge{}, AuditMerge{.logged = true}, AuditMerge{.kills = true}}) {
    Both both;
    both.Record(CallOf(kSocket, CallResult::kErrno), 1);
    both.Record(CallOf(kGetppid, what.logged ? CallResult::kKillProcess : CallResult::kLogged), 1);
    both.Told(CallOf(kSocket, CallResult::kErrno), 1);
    both.Told(CallOf(kGetppid, what.logged ? CallResult::kKillProcess : CallResult::kLogged), 1);
    EXPECT_EQ(both.After(what).size(), 2u);
  }
}

TEST(MergeAuditRecords, ProgramsAreToldApartAndFilesThatAreGoneAreNot) {
  Both both;
  Call other = CallOf(kGetppid, CallResult::kAllowed);
  other.executable = "/bin/other";
  both.Record(other, 9);
  both.Record(CallOf(kGetppid, CallResult::kAllowed), 2);
  Call gone = CallOf(kGetppid, CallResult::kLogged);
  gone.executable = "/bin/app (deleted)";
  gone.comm = "a-thread";
  both.Told(gone, 2);
  EXPECT_THAT(both.After({.logged = true}), UnorderedElementsAre("allowed 9", "logged 2"));
}

}  // namespace
}  // namespace portcullis::insight
