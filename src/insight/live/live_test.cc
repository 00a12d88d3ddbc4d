#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/audit.h>

#include <cstring>

#include "insight/live/audit_control.h"
#include "insight/live/process_owners.h"
#include "insight/live/process_stat.h"
#include "insight/live/serial_gaps.h"

namespace portcullis::insight {
namespace {

TEST(SerialGaps, CountsWhatNeverCame) {
  SerialGaps gaps;
  for (const uint64_t serial : {10, 11, 11, 13, 12, 14}) gaps.Seen(serial);
  EXPECT_EQ(gaps.Missing(), 0u) << "overtaken is not lost";
  gaps.Seen(18);
  EXPECT_EQ(gaps.Missing(), 3u);
  gaps.Seen(16);
  gaps.Seen(0);
  EXPECT_EQ(gaps.Missing(), 2u);
  gaps.Seen(18 + 1 + 200000);
  EXPECT_EQ(gaps.Missing(), 200002u);
}

TEST(SerialGaps, MemoryIsBounded) {
  SerialGaps gaps;
  for (uint64_t serial = 1; serial < 400000; serial += 2) gaps.Seen(serial);
  EXPECT_EQ(gaps.Missing(), 199999u);
}

const std::string kContainer(64, 'a');
std::string Cgroup(const std::string& id) { return "0::/kubepods/burstable/pod1/" + id + "\n"; }

TEST(ProcessOwners, ChildrenHaveTheirParents) {
  ProcessOwners owners;
  EXPECT_FALSE(owners.OwnerOf(1));
  owners.SetCgroup(1, "0::/init.scope\n");
  ASSERT_TRUE(owners.OwnerOf(1));
  EXPECT_FALSE(*owners.OwnerOf(1)) << "known to be in none";
  // A runtime makes a process, moves it, and it ends.
  owners.Forked(1, 7);
  owners.SetCgroup(7, Cgroup(kContainer));
  owners.Forked(7, 8);
  owners.Exited(8);
  owners.Exited(7);
  ASSERT_TRUE(owners.OwnerOf(8) && *owners.OwnerOf(8));
  EXPECT_EQ((*owners.OwnerOf(8))->container_id, kContainer);
  // The pid again, elsewhere.
  owners.Forked(1, 8);
  EXPECT_FALSE(*owners.OwnerOf(8));
  owners.Forked(99, 9);
  EXPECT_FALSE(owners.OwnerOf(9)) << "of an unknown parent";
  // Gone before its cgroup could be read: in the container it stayed, else nobody knows.
  owners.SetCgroup(20, Cgroup(kContainer));
  owners.Forked(20, 21);
  owners.MissedExec(21);
  EXPECT_EQ((*owners.OwnerOf(21))->container_id, kContainer);
  owners.Forked(1, 22);
  owners.MissedExec(22);
  EXPECT_FALSE(owners.OwnerOf(22));
}

TEST(ProcessOwners, EndedOnesAreForgottenInTheirTurn) {
  ProcessOwners owners;
  owners.SetCgroup(1, Cgroup(kContainer));
  owners.Forked(1, 2);
  owners.Exited(2);
  owners.Forked(1, 2);  // the pid again, and alive
  for (uint32_t pid = 10; pid < 10 + ProcessOwners::kMaxEnded + 5; ++pid) {
    owners.Forked(1, pid);
    owners.Exited(pid);
  }
  EXPECT_FALSE(owners.OwnerOf(10));
  EXPECT_TRUE(owners.OwnerOf(2)) << "it has not ended this time";
  EXPECT_TRUE(owners.OwnerOf(10 + ProcessOwners::kMaxEnded));
}

TEST(ProcessOwners, MissedEventsMakeAllUnknown) {
  ProcessOwners owners;
  owners.SetCgroup(1, Cgroup(kContainer));
  owners.Forked(1, 2);
  owners.Exited(2);
  owners.Forget();
  EXPECT_FALSE(owners.OwnerOf(1));
  EXPECT_FALSE(owners.OwnerOf(2));
}

TEST(ProcessStat, BehindANameOfAnyKind) {
  const std::string rest = " S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 1 2";
  const auto stat = ParseProcessStat("7 (a) b 5)" + rest);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->start_ticks, 4711u);
  EXPECT_FALSE(stat->is_exiting);
  EXPECT_TRUE(ParseProcessStat("7 (true) Z 1 7 7 0 -1 4228356 1 2 3 4 5 6 7 8 20 0 1 0 4711 1 2")->is_exiting);
  const std::string whole = "7 (a)" + rest;
  for (size_t size = 0; size < whole.find("4711"); ++size)
    EXPECT_FALSE(ParseProcessStat(whole.substr(0, size))) << size;
}

struct Condition {
  uint32_t field, operation, value;
};

std::string Rule(uint32_t list, const std::vector<Condition>& conditions, const std::string& strings = "") {
  audit_rule_data data{};
  data.flags = list;
  data.action = AUDIT_NEVER;
  data.field_count = static_cast<uint32_t>(conditions.size());
  for (size_t i = 0; i < conditions.size(); ++i) {
    data.fields[i] = conditions[i].field;
    data.fieldflags[i] = conditions[i].operation;
    data.values[i] = conditions[i].value;
  }
  return std::string(reinterpret_cast<const char*>(&data), offsetof(audit_rule_data, buf)) + strings;
}

TEST(AuditRules, WhatHidesSeccompRecords) {
  EXPECT_EQ(HidesSeccomp(Rule(AUDIT_FILTER_EXCLUDE, {{AUDIT_MSGTYPE, AUDIT_EQUAL, 1326}})),
            (ExcludeRule{"-a never,exclude -F msgtype=SECCOMP", true}));
  EXPECT_EQ(HidesSeccomp(Rule(AUDIT_FILTER_EXCLUDE, {{AUDIT_MSGTYPE, AUDIT_GREATER_THAN_OR_EQUAL, 1300}})),
            (ExcludeRule{"-a never,exclude -F msgtype>=1300", true}));
  EXPECT_EQ(
      HidesSeccomp(Rule(AUDIT_FILTER_EXCLUDE, {{AUDIT_MSGTYPE, AUDIT_NOT_EQUAL, 1300}, {AUDIT_UID, AUDIT_EQUAL, 0}})),
      (ExcludeRule{"-a never,exclude -F msgtype!=1300 -F uid=0", false}));
  EXPECT_EQ(HidesSeccomp(Rule(AUDIT_FILTER_EXCLUDE, {{AUDIT_EXE, AUDIT_EQUAL, 8}}, "/bin/app")),
            (ExcludeRule{"-a never,exclude -F exe=/bin/app", false}));
  EXPECT_FALSE(HidesSeccomp(Rule(AUDIT_FILTER_EXCLUDE, {{AUDIT_MSGTYPE, AUDIT_EQUAL, 1300}})));
  EXPECT_FALSE(HidesSeccomp(Rule(AUDIT_FILTER_EXIT, {{AUDIT_UID, AUDIT_EQUAL, 0}})));
  const std::string rule = Rule(AUDIT_FILTER_EXCLUDE, {{AUDIT_EXE, AUDIT_EQUAL, 4000}}, "/bin");
  EXPECT_TRUE(HidesSeccomp(rule)) << "a length beyond the message is cut";
  for (size_t size = 0; size < offsetof(audit_rule_data, buf); size += 7)
    EXPECT_FALSE(HidesSeccomp(rule.substr(0, size)));
}

}  // namespace
}  // namespace portcullis::insight
