#include "cli/evidence/evidence_table.h"

#include <gtest/gtest.h>

namespace portcullis::cli {
namespace {

constexpr uint32_t kX86_64 = 0xc000003e;

insight::Evidence Sample() {
  insight::Evidence evidence;
  const size_t web = evidence.AddWorkload({.pod_namespace = "default", .pod = "web", .container = "c"});
  evidence.Add({.workload = web,
                .executable = "/bin/a",
                .audit_arch = kX86_64,
                .number = 0,
                .result = insight::CallResult::kAllowed},
               {.count = 9});
  evidence.Add({.workload = web,
                .executable = "/bin/\x1b[31m",
                .audit_arch = kX86_64,
                .number = 165,
                .result = insight::CallResult::kErrno},
               {.count = 20, .first = 1, .last = 1625740283502000000});
  evidence.Add({.workload = web, .comm = "b", .audit_arch = 7, .number = 9999, .result = insight::CallResult::kLogged},
               {.count = 3});
  return evidence;
}

TEST(EvidenceTable, TheMostFrequentFirst) {
  const std::string text = EvidenceTable(Sample(), {});
  const size_t mount = text.find("mount");
  ASSERT_NE(mount, std::string::npos) << text;
  EXPECT_LT(mount, text.find("read")) << text;
  EXPECT_NE(text.find("default/web/c"), std::string::npos) << text;
  EXPECT_NE(text.find("2021-07-08T10:31:23Z"), std::string::npos) << text;
  EXPECT_NE(text.find("syscall_9999"), std::string::npos) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << "nothing of a program's name reaches the terminal as it is";
}

TEST(EvidenceTable, OnlyDeniedAndOnlySo_many) {
  const std::string text = EvidenceTable(Sample(), {.max_rows = 1, .denied_only = true});
  EXPECT_EQ(text.find("/bin/a"), std::string::npos) << text;
  EXPECT_NE(text.find("... and 1 more"), std::string::npos) << text;
}

TEST(EvidenceTable, WhatIsMissingIsSaid) {
  insight::Evidence evidence = Sample();
  EXPECT_EQ(CompletenessText(evidence), "");
  evidence.completeness = {
      .losses = {{"printk", 293, "suppressed"}, {"audit", 0, "x"}}, .unseen = {"arguments"}, .cut_off = true};
  EXPECT_EQ(CompletenessText(evidence),
            "INCOMPLETE: 293 lost (printk: suppressed)\nINCOMPLETE: an unknown number lost (audit: x)\n"
            "INCOMPLETE: the trace has no end, its writer was stopped\nnot visible to this source: arguments\n");
}

TEST(EvidenceTable, NamesOfArchitectures) {
  EXPECT_EQ(ArchText(kX86_64, 1), "x86_64");
  EXPECT_EQ(ArchText(kX86_64, 0x40000001), "x32");
  EXPECT_EQ(ArchText(0x40000003, 102), "x86");
  EXPECT_EQ(SyscallText(0x40000003, 102), "socketcall");
  EXPECT_EQ(ArchText(7, 1), "7");
  EXPECT_EQ(CallText({.audit_arch = kX86_64, .number = 41, .arguments = {{0, 38}, {1, 5}, {2, 0}}}),
            "socket(AF_ALG, SOCK_SEQPACKET, 0)");
  EXPECT_EQ(CallText({.audit_arch = 7, .number = 41, .arguments = {{0, 38}}}), "syscall_41");
}

}  // namespace
}  // namespace portcullis::cli
