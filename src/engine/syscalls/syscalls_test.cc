#include "engine/syscalls/syscalls.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace portcullis::syscalls {
namespace {

std::string SharedPath(const std::string& relative) {
  const char* root = std::getenv("PORTCULLIS_SHARED");
  return (root != nullptr ? std::string(root) : std::string(PORTCULLIS_SOURCE_DIR "/../shared")) + "/" + relative;
}

std::vector<std::string> Fields(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream stream(line);
  for (std::string field; std::getline(stream, field, '\t');) fields.push_back(field);
  return fields;
}

TEST(Syscalls, KnownNumbers) {
  const struct {
    Arch arch;
    std::string_view name;
    uint32_t number;
  } kCases[] = {
      {Arch::kX86_64, "read", 0},          {Arch::kX86, "read", 3},
      {Arch::kX32, "write", 0x40000001},   {Arch::kX32, "readv", 0x40000203},
      {Arch::kAarch64, "openat", 56},      {Arch::kRiscv64, "riscv_hwprobe", 258},
      {Arch::kS390x, "chown", 212},        {Arch::kS390, "chown", 182},
      {Arch::kPpc64le, "spu_run", 278},    {Arch::kPpc, "_llseek", 140},
      {Arch::kMips, "openat2", 4437},      {Arch::kMipsel64, "read", 5000},
      {Arch::kMips64n32, "openat2", 6437}, {Arch::kLoongarch64, "clone3", 435},
      {Arch::kX86_64, "uretprobe", 335},   {Arch::kArm, "set_tls", 983045},
      {Arch::kX86, "socketcall", 102},     {Arch::kS390, "mseal", 462},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(NumberOf(c.arch, c.name), c.number) << InfoOf(c.arch).scmp_name << " " << c.name;
    bool found = false;
    for (const Entry& entry : NamesOf(c.arch, c.number)) found |= entry.name == c.name;
    EXPECT_TRUE(found) << c.name;
  }
}

TEST(Syscalls, AbsentThingsAreAbsent) {
  EXPECT_EQ(NumberOf(Arch::kX86_64, "socketcall"), std::nullopt);
  EXPECT_EQ(NumberOf(Arch::kAarch64, "open"), std::nullopt);
  EXPECT_EQ(NumberOf(Arch::kX86_64, ""), std::nullopt);
  EXPECT_EQ(NumberOf(Arch::kX86_64, "zzz"), std::nullopt);
  EXPECT_EQ(NameOf(Arch::kX86_64, 5000), std::nullopt);
  EXPECT_EQ(NumberOf(Arch::kParisc, "read"), std::nullopt);
  EXPECT_FALSE(HasTable(Arch::kM68k));
  EXPECT_TRUE(ByNumber(Arch::kSheb).empty());
  EXPECT_FALSE(IsKnownName("frobnicate"));
  EXPECT_TRUE(IsKnownName("socketcall"));
}

TEST(Syscalls, FirstNameOfANumber) {
  EXPECT_EQ(NameOf(Arch::kArm, 341), "arm_sync_file_range");
  EXPECT_EQ(NameOf(Arch::kX32, 0x40000001), "write");
  EXPECT_EQ(NameOf(Arch::kX32, 1), std::nullopt);
}

TEST(Syscalls, KernelThatIntroducedACall) {
  EXPECT_EQ(SinceOf("openat2"), (KernelRelease{5, 6}));
  EXPECT_EQ(SinceOf("listns"), (KernelRelease{6, 19}));
  EXPECT_EQ(SinceOf("read"), std::nullopt);
  EXPECT_EQ(SinceOf("frobnicate"), std::nullopt);
}

TEST(Syscalls, TablesAreSortedAndComplete) {
  for (const ArchInfo& info : AllArchs()) {
    uint32_t last = 0;
    for (const Entry& entry : ByNumber(info.arch)) {
      EXPECT_GE(entry.number, last);
      last = entry.number;
      EXPECT_EQ(NumberOf(info.arch, entry.name), entry.number);
      EXPECT_TRUE(IsKnownName(entry.name));
    }
    if (HasTable(info.arch)) {
      EXPECT_GT(ByNumber(info.arch).size(), 300u) << info.scmp_name;
    }
  }
}

TEST(Arch, NamesRoundTrip) {
  size_t index = 0;
  for (const ArchInfo& info : AllArchs()) {
    EXPECT_EQ(static_cast<size_t>(info.arch), index++);
    EXPECT_EQ(ArchFromScmpName(info.scmp_name), info.arch);
    if (!info.docker_name.empty()) {
      EXPECT_EQ(ArchFromDockerName(info.docker_name), info.arch);
    }
    if (!info.go_name.empty()) {
      EXPECT_EQ(ArchFromGoName(info.go_name), info.arch);
    }
  }
  EXPECT_EQ(ArchFromScmpName("SCMP_ARCH_x86"), std::nullopt);
  EXPECT_EQ(ArchFromScmpName(""), std::nullopt);
  EXPECT_EQ(ArchFromDockerName(""), std::nullopt);
  EXPECT_EQ(ArchFromGoName("x86"), std::nullopt);
}

TEST(Arch, FromAuditRecord) {
  EXPECT_EQ(ArchFromAudit(0xc000003e, 0), Arch::kX86_64);
  EXPECT_EQ(ArchFromAudit(0xc000003e, 0x40000001), Arch::kX32);
  EXPECT_EQ(ArchFromAudit(0xc000003e, 0xffffffff), Arch::kX86_64);
  EXPECT_EQ(ArchFromAudit(0x40000003, 0x40000001), Arch::kX86);
  EXPECT_EQ(ArchFromAudit(0xe0000008, 6000), Arch::kMipsel64n32);
  EXPECT_EQ(ArchFromAudit(1, 0), std::nullopt);
}

// Every number of the shared table, both ways.
TEST(Syscalls, AgreesWithTheSharedTable) {
  std::ifstream file(SharedPath("syscalls/syscalls.tsv"));
  if (!file) GTEST_SKIP() << "no shared table here";
  const std::map<std::string, std::vector<Arch>> kColumns = {
      {"x86_64", {Arch::kX86_64}},
      {"i386", {Arch::kX86}},
      {"x32", {Arch::kX32}},
      {"aarch64", {Arch::kAarch64}},
      {"arm", {Arch::kArm}},
      {"riscv64", {Arch::kRiscv64}},
      {"s390x", {Arch::kS390x}},
      {"ppc64", {Arch::kPpc64, Arch::kPpc64le}},
      {"loongarch64", {Arch::kLoongarch64}},
      {"mips", {Arch::kMips, Arch::kMipsel}},
      {"mips64", {Arch::kMips64, Arch::kMipsel64}},
      {"mips64n32", {Arch::kMips64n32, Arch::kMipsel64n32}},
  };
  std::vector<std::string> header;
  std::map<Arch, size_t> counts;
  size_t rows = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#")) continue;
    const auto fields = Fields(line);
    if (header.empty()) {
      header = fields;
      continue;
    }
    ++rows;
    const std::string& name = fields[0];
    std::string since;
    if (const auto release = SinceOf(name)) since = fmt::format("{}.{}", release->major, release->minor);
    EXPECT_EQ(since, fields[1]) << name;
    for (size_t column = 2; column < header.size(); ++column) {
      const auto archs = kColumns.find(header[column]);
      if (archs == kColumns.end()) continue;
      for (const Arch arch : archs->second) {
        const auto number = NumberOf(arch, name);
        if (number) ++counts[arch];
        EXPECT_EQ(number ? std::to_string(*number) : "-", fields[column]) << name << " on " << header[column];
      }
    }
  }
  EXPECT_GT(rows, 500u);
  for (const auto& [arch, count] : counts) {
    EXPECT_EQ(count, ByNumber(arch).size()) << InfoOf(arch).scmp_name << " has calls that the shared table lacks";
  }
}

// The build machine's kernel headers, which are older or newer than the table: every name they have must be here.
TEST(Syscalls, AgreesWithTheKernelHeadersOfThisMachine) {
  const struct {
    std::string_view file;
    Arch arch;
  } kHeaders[] = {{"unistd_64.h", Arch::kX86_64}, {"unistd_32.h", Arch::kX86}, {"unistd_x32.h", Arch::kX32}};
  size_t compared = 0;
  for (const auto& header : kHeaders) {
    std::ifstream file(std::filesystem::path("/usr/include/x86_64-linux-gnu/asm") / header.file);
    for (std::string line; std::getline(file, line);) {
      std::string define, macro, value, bit, plus;
      std::istringstream words(line);
      words >> define >> macro >> value;
      if (define != "#define" || !macro.starts_with("__NR_")) continue;
      uint32_t base = 0;
      if (value == "(__X32_SYSCALL_BIT") {
        words >> plus >> value;
        base = kX32Bit;
      }
      const std::string name = macro.substr(5);
      EXPECT_EQ(NumberOf(header.arch, name), base + static_cast<uint32_t>(std::stoul(value))) << name;
      ++compared;
    }
  }
  if (compared == 0) GTEST_SKIP() << "no x86 kernel headers here";
  EXPECT_GT(compared, 900u);
}

}  // namespace
}  // namespace portcullis::syscalls
