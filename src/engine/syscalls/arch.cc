#include "engine/syscalls/arch.h"

#include <algorithm>
#include <array>

namespace portcullis::syscalls {
namespace {

// Audit values: linux/audit.h (ELF machine, 0x80000000 for 64 bits, 0x40000000 for little endian, 0x20000000 for mips
// n32).
constexpr std::array<ArchInfo, kArchCount> kArchs = {{
    {Arch::kX86_64, "SCMP_ARCH_X86_64", "amd64", "amd64", 0xc000003e, 64},
    {Arch::kX86, "SCMP_ARCH_X86", "x86", "386", 0x40000003, 32},
    {Arch::kX32, "SCMP_ARCH_X32", "x32", "", 0xc000003e, 32},
    {Arch::kAarch64, "SCMP_ARCH_AARCH64", "arm64", "arm64", 0xc00000b7, 64},
    {Arch::kArm, "SCMP_ARCH_ARM", "arm", "arm", 0x40000028, 32},
    {Arch::kRiscv64, "SCMP_ARCH_RISCV64", "riscv64", "riscv64", 0xc00000f3, 64},
    {Arch::kS390x, "SCMP_ARCH_S390X", "s390x", "s390x", 0x80000016, 64},
    {Arch::kS390, "SCMP_ARCH_S390", "s390", "", 0x00000016, 32},
    {Arch::kPpc64le, "SCMP_ARCH_PPC64LE", "ppc64le", "ppc64le", 0xc0000015, 64},
    {Arch::kPpc64, "SCMP_ARCH_PPC64", "ppc64", "ppc64", 0x80000015, 64},
    {Arch::kPpc, "SCMP_ARCH_PPC", "ppc", "", 0x00000014, 32},
    {Arch::kMips, "SCMP_ARCH_MIPS", "mips", "mips", 0x00000008, 32},
    {Arch::kMips64, "SCMP_ARCH_MIPS64", "mips64", "mips64", 0x80000008, 64},
    {Arch::kMips64n32, "SCMP_ARCH_MIPS64N32", "mips64n32", "", 0xa0000008, 32},
    {Arch::kMipsel, "SCMP_ARCH_MIPSEL", "mipsel", "mipsle", 0x40000008, 32},
    {Arch::kMipsel64, "SCMP_ARCH_MIPSEL64", "mipsel64", "mips64le", 0xc0000008, 64},
    {Arch::kMipsel64n32, "SCMP_ARCH_MIPSEL64N32", "mipsel64n32", "", 0xe0000008, 32},
    {Arch::kLoongarch64, "SCMP_ARCH_LOONGARCH64", "loong64", "loong64", 0xc0000102, 64},
    {Arch::kParisc, "SCMP_ARCH_PARISC", "", "", 0x0000000f, 32},
    {Arch::kParisc64, "SCMP_ARCH_PARISC64", "", "", 0x8000000f, 64},
    {Arch::kM68k, "SCMP_ARCH_M68K", "", "", 0x00000004, 32},
    {Arch::kSh, "SCMP_ARCH_SH", "", "", 0x4000002a, 32},
    {Arch::kSheb, "SCMP_ARCH_SHEB", "", "", 0x0000002a, 32},
}};

std::optional<Arch> FindBy(std::string_view ArchInfo::* field, std::string_view name) {
  if (name.empty()) return std::nullopt;
  const auto found = std::ranges::find(kArchs, name, field);
  if (found == kArchs.end()) return std::nullopt;
  return found->arch;
}

}  // namespace

std::span<const ArchInfo> AllArchs() { return kArchs; }

const ArchInfo& InfoOf(Arch arch) { return kArchs[static_cast<size_t>(arch)]; }

std::optional<Arch> ArchFromScmpName(std::string_view name) { return FindBy(&ArchInfo::scmp_name, name); }

std::optional<Arch> ArchFromDockerName(std::string_view name) { return FindBy(&ArchInfo::docker_name, name); }

std::optional<Arch> ArchFromGoName(std::string_view name) { return FindBy(&ArchInfo::go_name, name); }

std::optional<Arch> ArchFromAudit(uint32_t audit_arch, uint32_t number) {
  const auto found = std::ranges::find(kArchs, audit_arch, &ArchInfo::audit_arch);
  if (found == kArchs.end()) return std::nullopt;
  const bool x32 = found->arch == Arch::kX86_64 && (number & kX32Bit) != 0 && number != UINT32_MAX;
  return x32 ? Arch::kX32 : found->arch;
}

Arch NativeArch() {
#if defined(__x86_64__) && defined(__ILP32__)
  return Arch::kX32;
#elif defined(__x86_64__)
  return Arch::kX86_64;
#elif defined(__i386__)
  return Arch::kX86;
#elif defined(__aarch64__)
  return Arch::kAarch64;
#elif defined(__arm__)
  return Arch::kArm;
#elif defined(__riscv) && __riscv_xlen == 64
  return Arch::kRiscv64;
#elif defined(__s390x__)
  return Arch::kS390x;
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
  return Arch::kPpc64le;
#elif defined(__powerpc64__)
  return Arch::kPpc64;
#elif defined(__powerpc__)
  return Arch::kPpc;
#elif defined(__mips64) && defined(__MIPSEL__)
  return Arch::kMipsel64;
#elif defined(__mips64)
  return Arch::kMips64;
#elif defined(__mips__) && defined(__MIPSEL__)
  return Arch::kMipsel;
#elif defined(__mips__)
  return Arch::kMips;
#elif defined(__loongarch64)
  return Arch::kLoongarch64;
#else
#error "portcullis does not know the system calls of this architecture"
#endif
}

}  // namespace portcullis::syscalls
