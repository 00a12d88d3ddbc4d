#include "insight/recorder/call_table.h"

#include <gtest/gtest.h>

#include <array>

#include "engine/syscalls/syscalls.h"

namespace portcullis::insight {
namespace {

using syscalls::Arch;

using Table = std::array<rec_call_info, REC_MAX_NUMBERS>;

const rec_call_info& Of(const Table& table, Arch arch, std::string_view name) {
  return table.at(syscalls::NumberOf(arch, name).value());
}

TEST(CallTable, KeepsWhatDefaultProfilesTestOnEachArchitecture) {
  for (const Arch arch : {Arch::kX86_64, Arch::kX86, Arch::kAarch64, Arch::kArm}) {
    Table table = {};
    ASSERT_TRUE(FillCallTable(arch, table));
    EXPECT_EQ(Of(table, arch, "socket").args, 0b101);
    EXPECT_EQ(Of(table, arch, "personality").args, 0b1);
    EXPECT_NE(Of(table, arch, "clone").args & 1, 0);
    EXPECT_EQ(Of(table, arch, "unshare").args, 0b1) << "what is known about it depends on its flags";
    EXPECT_EQ(Of(table, arch, "read").args, 0);
  }
}

TEST(CallTable, KnowsWhatTellsPhasesApart) {
  Table table = {};
  ASSERT_TRUE(FillCallTable(Arch::kX86_64, table));
  EXPECT_EQ(Of(table, Arch::kX86_64, "listen").kind, REC_CALL_LISTENS);
  EXPECT_EQ(Of(table, Arch::kX86_64, "epoll_wait").kind, REC_CALL_WAITS);
  EXPECT_EQ(Of(table, Arch::kX86_64, "execve").kind, REC_CALL_EXECS);
  EXPECT_EQ(Of(table, Arch::kX86_64, "clone").kind, REC_CALL_FORKS);
  EXPECT_EQ(Of(table, Arch::kX86_64, "read").kind, 0);
}

TEST(CallTable, TheOther32BitArchitecture) {
  EXPECT_EQ(CompatOf(Arch::kX86_64), Arch::kX86);
  EXPECT_EQ(CompatOf(Arch::kAarch64), Arch::kArm);
  EXPECT_EQ(CompatOf(Arch::kRiscv64), std::nullopt);
}

}  // namespace
}  // namespace portcullis::insight
