#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "insight/live/audit_control.h"
#include "insight/live/netlink_socket.h"
#include "insight/live/proc_events.h"
#include "insight/live/process_owners.h"
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
  // Executed in a container, by its monitor.
  owners.SetCgroup(30, "0::/kubepods/crio-conmon-" + kContainer + "\n");
  owners.Forked(30, 31);
  EXPECT_TRUE((*owners.OwnerOf(31))->is_monitor);
  owners.MissedExec(31);
  EXPECT_EQ((*owners.OwnerOf(31))->container_id, kContainer);
  EXPECT_FALSE((*owners.OwnerOf(31))->is_monitor);
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

TEST(AuditStatus, LossesSinceAReset) {
  EXPECT_EQ(LostSince(3, 3), 0u);
  EXPECT_EQ(LostSince(3, 10), 7u);
  EXPECT_EQ(LostSince(3, 2), 2u) << "set to 0 in between";
}

// A socket that has `datagrams` to read, without a kernel's name, as netlink's have.
base::UniqueFd Filled(const std::vector<std::string>& datagrams) {
  int ends[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
  const base::UniqueFd writer(ends[1]);
  for (const std::string& one : datagrams)
    EXPECT_EQ(::write(writer.get(), one.data(), one.size()), static_cast<ssize_t>(one.size()));
  return base::UniqueFd(ends[0]);
}

TEST(Netlink, WhatIsBeingTakenSurvivesReadingAnotherSocket) {
  const base::UniqueFd records = Filled({"a record of a process that has ended", "another"});
  const base::UniqueFd events = Filled({"its end, and the end of all its children"});
  std::vector<std::string> seen;
  const auto read = ReadNetlink(records.get(), [&](std::span<const char> datagram) {
    EXPECT_TRUE(ReadNetlink(events.get(), [](std::span<const char>) {}));
    seen.emplace_back(datagram.data(), datagram.size());
  });
  ASSERT_TRUE(read);
  EXPECT_THAT(seen, testing::ElementsAre("a record of a process that has ended", "another"));
}

std::string Message(uint16_t type, const std::string& payload, uint32_t length) {
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_len = length;
  return std::string(reinterpret_cast<const char*>(&header), sizeof(header)) + payload;
}

TEST(Netlink, MessagesOfADatagram) {
  const auto messages = [](const std::string& datagram) {
    std::vector<std::string> out;
    ForEachNetlinkMessage(datagram, [&](const nlmsghdr& one, std::span<const char> payload) {
      out.push_back(fmt::format("{} {}", one.nlmsg_type, std::string_view(payload.data(), payload.size())));
    });
    return out;
  };
  const std::string odd = Message(1, "abcde", NLMSG_HDRLEN + 5) + std::string(3, '\0');
  EXPECT_THAT(messages(odd + Message(2, "", NLMSG_HDRLEN)), testing::ElementsAre("1 abcde", "2 "));
  EXPECT_THAT(messages(odd + Message(2, "xy", NLMSG_HDRLEN + 3)), testing::ElementsAre("1 abcde")) << "cut off";
  EXPECT_THAT(messages(Message(3, "", 0) + Message(4, "", UINT32_MAX)), testing::ElementsAre("3 "));
  EXPECT_THAT(messages("short"), testing::IsEmpty());
}

std::string Event(const proc_event& event, uint32_t connector = CN_IDX_PROC) {
  cn_msg message{};
  message.id = {.idx = connector, .val = CN_VAL_PROC};
  message.len = sizeof(event);
  return Message(NLMSG_DONE,
                 std::string(reinterpret_cast<const char*>(&message), sizeof(message)) +
                     std::string(reinterpret_cast<const char*>(&event), sizeof(event)),
                 NLMSG_HDRLEN + sizeof(message) + sizeof(event));
}

TEST(ProcEvents, ProcessesAndNotThreads) {
  proc_event fork{};
  fork.what = proc_event::PROC_EVENT_FORK;
  fork.event_data.fork = {.parent_pid = 11, .parent_tgid = 10, .child_pid = 20, .child_tgid = 20};
  EXPECT_EQ(ParseProcEvent(Event(fork)), (ProcEvent{ProcEvent::Kind::kFork, 20, 10}));
  EXPECT_FALSE(ParseProcEvent(Event(fork, CN_IDX_PROC + 1)));
  fork.event_data.fork.child_pid = 21;
  EXPECT_FALSE(ParseProcEvent(Event(fork))) << "a thread";
  proc_event exit{};
  exit.what = proc_event::PROC_EVENT_EXIT;
  exit.event_data.exit.process_pid = exit.event_data.exit.process_tgid = 7;
  EXPECT_EQ(ParseProcEvent(Event(exit)), (ProcEvent{ProcEvent::Kind::kExit, 7, 0}));
  EXPECT_EQ(ParseProcEvent(Event(exit) + "longer"), (ProcEvent{ProcEvent::Kind::kExit, 7, 0})) << "of a later kernel";
  EXPECT_FALSE(ParseProcEvent(Event(exit).substr(0, NLMSG_HDRLEN + 5)));
}

}  // namespace
}  // namespace portcullis::insight
