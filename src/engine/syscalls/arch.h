// The architectures (ABIs) that seccomp tells apart, under every name that users, runtimes and the kernel have for
// them.
//
//   SCMP name         Docker name   GOARCH    audit value (seccomp_data.arch)
//   SCMP_ARCH_X86_64  amd64         amd64     0xc000003e
//   SCMP_ARCH_X86     x86           386       0x40000003
//   SCMP_ARCH_X32     x32           -         0xc000003e, told apart by bit 30 of the number
//
// Sources: OCI runtime-spec (LinuxSeccompArg names), linux/audit.h, Docker's profile dialect (`includes.arches`).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace portcullis::syscalls {

enum class Arch : uint8_t {
  kX86_64,
  kX86,
  kX32,
  kAarch64,
  kArm,
  kRiscv64,
  kS390x,
  kS390,
  kPpc64le,
  kPpc64,
  kPpc,
  kMips,
  kMips64,
  kMips64n32,
  kMipsel,
  kMipsel64,
  kMipsel64n32,
  kLoongarch64,
  // Known to the OCI specification, but without a table of numbers here: no syscall name resolves on them.
  kParisc,
  kParisc64,
  kM68k,
  kSh,
  kSheb,
};

inline constexpr size_t kArchCount = 23;

struct ArchInfo {
  Arch arch;
  std::string_view scmp_name;    // "SCMP_ARCH_X86_64", as OCI and Docker profiles spell it
  std::string_view docker_name;  // "amd64", as `includes.arches` spells it; "" when Docker has none
  std::string_view go_name;      // GOARCH; "" when Go has none
  uint32_t audit_arch;           // AUDIT_ARCH_*: what the kernel puts into seccomp_data.arch
  int bits;                      // width of the arguments that the ABI passes (32 for x32 and mips n32)
};

// Every architecture, in the order of the enum.
std::span<const ArchInfo> AllArchs();
const ArchInfo& InfoOf(Arch arch);

std::optional<Arch> ArchFromScmpName(std::string_view name);    // exact spelling: "SCMP_ARCH_X32"
std::optional<Arch> ArchFromDockerName(std::string_view name);  // "amd64"
std::optional<Arch> ArchFromGoName(std::string_view name);      // "386"

// The architecture of a call as the kernel reports it (`arch=c000003e syscall=1073741839` is x32).
std::optional<Arch> ArchFromAudit(uint32_t audit_arch, uint32_t number);

// The architecture that this program was built for.
Arch NativeArch();

// Bit 30: set in every x32 number.
inline constexpr uint32_t kX32Bit = 0x40000000;

}  // namespace portcullis::syscalls
