#include "insight/evidence/audit_log.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "insight/evidence/audit_record.h"

namespace portcullis::insight {
namespace {

constexpr const char* kFields =
    "auid=4294967295 uid=33 gid=0 ses=4294967295 pid=3591 comm=6D79202261707022 exe=\"/opt/t/logtest\" sig=0 "
    "arch=c000003e syscall=110 compat=0 ip=0x7f54b942c829 code=0x50000";
const std::string kStamped = std::string("audit(1625740283.502:574): ") + kFields;

// The same record as every carrier writes it.
TEST(AuditRecord, EveryCarrier) {
  for (const std::string& line : {
           "type=SECCOMP msg=" + kStamped,
           "node=web1 type=SECCOMP msg=" + kStamped,
           "type=UNKNOWN[1326] msg=" + kStamped,
           "type=1326 msg=" + kStamped,
           "type=SECCOMP msg=" + kStamped + "\x1d" +
               "AUID=\"unset\" UID=\"www-data\" GID=\"root\" ARCH=x86_64 SYSCALL=x",
           "type=SECCOMP msg=" + kStamped + "AUID=\"unset\" UID=\"www-data\"",
           "audit: type=1326 " + kStamped,
           "[ 3535.304332] audit: type=1326 " + kStamped,
           "5,876,3535304332,-;audit: type=1326 " + kStamped,
           "Jul  8 10:31:23 host kernel: [  270.853767] audit: type=1326 " + kStamped,
           "2024-05-03T10:31:23.123456+02:00 host kernel: [  270.853767] audit: type=1326 " + kStamped,
           "2024-05-03T10:31:23.123456+02:00 host kernel: audit: type=1326 " + kStamped,
           "Jul 08 10:31:23 host audisp-syslog[12]: type=SECCOMP msg=" + kStamped,
       }) {
    const AuditLine parsed = ParseAuditLine(line);
    ASSERT_EQ(parsed.kind, LineKind::kRecord) << line;
    const AuditRecord& record = parsed.record;
    EXPECT_EQ(record.time_unix_nanos, 1625740283502000000) << line;
    EXPECT_EQ(record.serial, 574u);
    EXPECT_EQ(record.pid, 3591u);
    EXPECT_EQ(record.uid, 33u);
    EXPECT_EQ(DecodeAuditString(record.comm), "my \"app\"");
    EXPECT_EQ(DecodeAuditString(record.exe), "/opt/t/logtest");
    EXPECT_EQ(record.arch, 0xc000003eu);
    EXPECT_EQ(record.number, 110u);
    EXPECT_EQ(record.ip, 0x7f54b942c829u);
    EXPECT_EQ(record.code, 0x50000u) << line;
    EXPECT_FALSE(record.compat);
  }
}

TEST(AuditRecord, MarksOfOurOwnAreNoRecords) {
  const auto with = [](const std::string& number, const std::string& code) {
    return "audit(1625740283.502:574): pid=1 arch=c000003e syscall=" + number + " code=" + code;
  };
  EXPECT_EQ(ParseAuditLine("type=SECCOMP msg=" + with("788529153", "0x7ffc0000")).kind, LineKind::kOther);
  EXPECT_TRUE(IsAuditMark(*ParseAuditPayload(with("788529153", "0x7ffc0000"))));
  EXPECT_FALSE(IsAuditMark(*ParseAuditPayload(with("788529153", "0x50000")))) << "it is only logged";
  EXPECT_FALSE(IsAuditMark(*ParseAuditPayload(with("805306368", "0x7ffc0000"))));
  EXPECT_EQ(ParseAuditLine("type=SECCOMP msg=" + with("41", "0x7ffc0000")).kind, LineKind::kRecord);
}

TEST(AuditRecord, TheJournalsTextHasNoTimeOfItsOwn) {
  const AuditLine parsed = ParseAuditLine(std::string("Jul 08 10:31:23 host audit[4709]: SECCOMP ") + kFields);
  ASSERT_EQ(parsed.kind, LineKind::kRecord);
  EXPECT_EQ(parsed.record.time_unix_nanos, 0);
  EXPECT_EQ(parsed.record.number, 110u);
}

TEST(AuditRecord, OrderAndUnknownFieldsDoNotMatter) {
  const AuditLine parsed = ParseAuditLine(
      "type=SECCOMP msg=audit(1.000:2): subj=cri-containerd.apparmor.d (enforce) new=1 code=0x7ffc0000 "
      "syscall=1073741839 "
      "arch=40000003 compat=1 pid=1 exe=(null) comm=\"a b\"");
  ASSERT_EQ(parsed.kind, LineKind::kRecord);
  EXPECT_TRUE(parsed.record.compat);
  EXPECT_EQ(parsed.record.number, 1073741839u);
  EXPECT_EQ(parsed.record.code, 0x7ffc0000u);
  EXPECT_EQ(DecodeAuditString(parsed.record.comm), "a b");
  EXPECT_EQ(DecodeAuditString(parsed.record.exe), "");
}

TEST(AuditRecord, DamageIsToldAndNeverBelieved) {
  const std::string good = "type=SECCOMP msg=" + kStamped;
  // Cut anywhere, it is never another record.
  for (size_t length = std::string("type=SECC").size(); length < good.size(); ++length) {
    EXPECT_EQ(ParseAuditLine(good.substr(0, length)).kind, LineKind::kDamaged) << good.substr(0, length);
  }
  for (const char* bad :
       {"pid=x", "arch=zz", "syscall=-1", "syscall=99999999999", "code=50000z", "compat=2", "comm=\"a"}) {
    EXPECT_EQ(
        ParseAuditLine("type=SECCOMP msg=audit(1.000:2): pid=1 arch=c000003e syscall=1 code=0x0 " + std::string(bad))
            .kind,
        LineKind::kDamaged)
        << bad;
  }
  EXPECT_EQ(ParseAuditLine("type=SECCOMP msg=audit(1.0000:2): pid=1 arch=c000003e syscall=1 code=0x0").kind,
            LineKind::kDamaged);
}

TEST(AuditRecord, ImitationsInOtherProgramsMessagesAreForeign) {
  for (const std::string& line : {"Jul  8 10:31:23 host app[7]: audit: type=1326 " + kStamped,
                                  "Jul  8 10:31:23 host app: type=SECCOMP msg=" + kStamped,
                                  "Jul  8 10:31:23 host app[7]: [  270.8] audit: type=1326 " + kStamped,
                                  "Jul  8 10:31:23 host app: audit[1]x: SECCOMP " + std::string(kFields)}) {
    EXPECT_EQ(ParseAuditLine(line).kind, LineKind::kForeign) << line;
  }
  EXPECT_EQ(ParseAuditLine("type=USER_CMD msg=audit(1.000:2): cmd=\"type=SECCOMP msg=" + kStamped).kind,
            LineKind::kOther);
  EXPECT_EQ(ParseAuditLine("type=SYSCALL msg=audit(1.000:2): arch=c000003e syscall=1").kind, LineKind::kOther);
  EXPECT_EQ(ParseAuditLine("").kind, LineKind::kOther);
}

TEST(AuditRecord, LossesThatTheLogTells) {
  const auto loss = [](const char* line) {
    const AuditLine parsed = ParseAuditLine(line);
    EXPECT_EQ(parsed.kind, LineKind::kLostCount) << line;
    return std::make_pair(std::string(parsed.lost_where), parsed.lost);
  };
  EXPECT_EQ(loss("Jul  8 host kernel: kauditd_printk_skb: 293 callbacks suppressed"),
            std::make_pair(std::string("printk"), uint64_t{293}));
  EXPECT_EQ(loss("[1.2] audit: audit_lost=17 audit_rate_limit=0 audit_backlog_limit=64"),
            std::make_pair(std::string("audit"), uint64_t{17}));
  EXPECT_EQ(loss("[1.2] audit: backlog limit exceeded"), std::make_pair(std::string("audit"), uint64_t{0}));
  EXPECT_EQ(loss("Jul 8 host rsyslogd: imuxsock[pid 3]: 48 messages lost due to rate-limiting"),
            std::make_pair(std::string("syslog"), uint64_t{48}));
  EXPECT_EQ(loss("Jul 8 host systemd-journald[9]: Suppressed 12 messages from x.service"),
            std::make_pair(std::string("journal"), uint64_t{12}));
}

TEST(AuditRecord, Payload) {
  const auto record = ParseAuditPayload(kStamped + std::string("\0", 1));
  ASSERT_TRUE(record);
  EXPECT_EQ(record->number, 110u);
  EXPECT_FALSE(ParseAuditPayload("audit(1.000:2): pid=1"));
}

TEST(AuditRecord, Strings) {
  EXPECT_EQ(DecodeAuditString("\"a\""), "a");
  EXPECT_EQ(DecodeAuditString("2F62696E2F782028646561642900"), std::string("/bin/x (dead)\0", 14));
  EXPECT_EQ(DecodeAuditString("xyz"), "xyz");
  EXPECT_EQ(DecodeAuditString(""), "");
}

TEST(AuditLog, PiecesOfAnySizeGiveTheSame) {
  std::string text;
  for (int i = 0; i < 50; ++i) {
    text += "type=SYSCALL msg=audit(1.000:2): arch=c000003e\n";
    text += "type=SECCOMP msg=" + kStamped + "\n";
    text += "[1.2] audit: audit_lost=" + std::to_string(i / 10) + " audit_rate_limit=0\n";
  }
  for (const size_t size : {size_t{1}, size_t{7}, size_t{100}, text.size()}) {
    AuditLogReader reader;
    for (size_t at = 0; at < text.size(); at += size) reader.Feed(std::string_view(text).substr(at, size));
    reader.EndFile();
    EXPECT_EQ(reader.counts().records, 50u);
    EXPECT_EQ(reader.counts().lines, 150u);
    const Evidence evidence = reader.Take();
    ASSERT_EQ(evidence.calls().size(), 1u);
    EXPECT_EQ(evidence.calls().begin()->second.count, 50u);
    EXPECT_EQ(evidence.calls().begin()->first.result, CallResult::kErrno);
    ASSERT_EQ(evidence.completeness.losses.size(), 1u);
    EXPECT_EQ(evidence.completeness.losses[0].count, 4u) << "a counter since boot, not a sum";
  }
}

TEST(AuditLog, AnOverlongLineIsDamageAndTheNextOneCounts) {
  AuditLogReader reader;
  reader.Feed("type=SECCOMP " + std::string(200'000, 'x'));
  reader.Feed("xxx\ntype=SECCOMP msg=" + kStamped);
  reader.EndFile();
  EXPECT_EQ(reader.counts().damaged, 1u);
  EXPECT_EQ(reader.counts().records, 1u);
  EXPECT_FALSE(reader.Take().IsComplete());
}

TEST(AuditLog, JournalExport) {
  AuditLogReader reader;
  reader.Feed(
      "__CURSOR=s\n_TRANSPORT=audit\n_AUDIT_TYPE=1326\n_SOURCE_REALTIME_TIMESTAMP=1625740283502000\nMESSAGE=SECCOMP " +
      std::string(kFields) + "\n\n__CURSOR=t\nMESSAGE=audit: type=1326 " + kStamped + "\n\n" +
      "__CURSOR=u\n_TRANSPORT=syslog\nMESSAGE=SECCOMP " + kFields + "\n\n");
  reader.EndFile();
  EXPECT_EQ(reader.counts().records, 2u) << "a message of syslog is no record of the audit socket";
  EXPECT_EQ(reader.counts().journal, 1u);
  const Evidence evidence = reader.Take();
  ASSERT_EQ(evidence.calls().size(), 1u);
  EXPECT_EQ(evidence.calls().begin()->second.first, 1625740283502000000);
}

TEST(AuditLog, CompressedFiles) {
  const std::string path = testing::TempDir() + "audit.log";
  for (const std::string& tool : {std::string(), std::string("gzip"), std::string("zstd -q"), std::string("xz")}) {
    {
      std::ofstream file(path);
      file << "type=SECCOMP msg=" << kStamped << "\n";
    }
    std::string name = path;
    if (!tool.empty()) {
      if (std::system((tool + " -f " + path + " 2>/dev/null").c_str()) != 0) continue;  // the tool is not installed
      name += tool == "gzip" ? ".gz" : tool == "xz" ? ".xz" : ".zst";
    }
    AuditLogReader reader;
    const auto read = reader.Read(name);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(reader.counts().records, 1u) << name;
    std::remove(name.c_str());
    std::remove(path.c_str());
  }
  AuditLogReader reader;
  EXPECT_EQ(reader.Read("/nonexistent/audit.log").error().code, Code::kNotFound);
  EXPECT_EQ(reader.Read("/").error().code, Code::kInvalidArgument);
  EXPECT_TRUE(reader.Read("/dev/null"));
}

}  // namespace
}  // namespace portcullis::insight
