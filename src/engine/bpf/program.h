// A seccomp filter as the kernel takes it: a program of classic BPF over one `struct seccomp_data` (linux/seccomp.h):
//
//   offset 0   nr                    number of the call, as user space passed it
//   offset 4   arch                  AUDIT_ARCH_* of the call
//   offset 8   instruction pointer   two 32-bit words
//   offset 16  six arguments         64 bits each, two 32-bit words
//
// Only what filters use is here: absolute loads of 32-bit words, jumps on constants, AND with a constant, return of a
// constant. That is also the set that the kernel's allow bitmap understands (kernel/seccomp.c, seccomp_is_const_allow).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace portcullis::bpf {

// The layout of `struct sock_filter` (linux/filter.h), so that a program can be handed to the kernel as it is.
struct Insn {
  uint16_t code = 0;
  uint8_t jt = 0;  // distance of the jump when the test holds; 0 is the next instruction
  uint8_t jf = 0;
  uint32_t k = 0;
  bool operator==(const Insn&) const = default;
};
static_assert(sizeof(Insn) == 8);

using Program = std::vector<Insn>;

inline constexpr size_t kMaxInstructions = 4096;  // BPF_MAXINSNS

// Operation codes (linux/bpf_common.h), by the names that bpf_dbg and libseccomp print.
inline constexpr uint16_t kLoad = 0x20;  // ld [k]
inline constexpr uint16_t kAnd = 0x54;   // and #k
inline constexpr uint16_t kJump = 0x05;  // ja k
inline constexpr uint16_t kJumpEq = 0x15;
inline constexpr uint16_t kJumpGt = 0x25;
inline constexpr uint16_t kJumpGe = 0x35;
inline constexpr uint16_t kJumpSet = 0x45;
inline constexpr uint16_t kReturn = 0x06;  // ret #k

// Offsets into seccomp_data.
inline constexpr uint32_t kNrOffset = 0;
inline constexpr uint32_t kArchOffset = 4;
inline constexpr uint32_t kArgsOffset = 16;
inline constexpr uint32_t kDataSize = 64;

// Offset of one half of an argument, on machines of this byte order (little endian: low half first).
uint32_t ArgOffset(uint32_t index, bool high);

// What the filter looks at.
struct Data {
  uint32_t arch = 0;
  uint32_t nr = 0;
  std::array<uint64_t, 6> args{};
};

// The 32-bit word at an offset of seccomp_data; the instruction pointer reads as 0.
uint32_t WordAt(const Data& data, uint32_t offset);

// Errors (kInvalidArgument), naming the instruction: empty or longer than 4096, an operation that this subset lacks, a
// load outside of seccomp_data or off a word border, a jump past the end, an end that does not return. What the
// kernel's seccomp_check_filter refuses is refused; so are the operations that filters here never use.
Result<void> Check(std::span<const Insn> program);

struct Outcome {
  uint32_t value = 0;           // what the filter returns: SECCOMP_RET_* and data
  size_t steps = 0;             // instructions that ran, the return included
  bool looked_at_args = false;  // read more than nr and arch: such a call cannot be in the kernel's bitmap
};

// Runs a program that Check accepts.
Outcome Run(std::span<const Insn> program, const Data& data);

// The instruction with the most steps before any return, over all paths (also those that no input takes).
size_t LongestPath(std::span<const Insn> program);

// Raw bytes, as `run.oci.seccomp_bpf_data` (before base64), PTRACE_SECCOMP_GET_FILTER and `crun`'s seccomp.bpf have
// them: 8 bytes an instruction, in the byte order of this machine.
std::string ToBytes(std::span<const Insn> program);
// Error when the size is no multiple of 8 or Check refuses.
Result<Program> FromBytes(std::string_view bytes, std::string_view name);

// "SCMP_ACT_ERRNO(38)": a return value in words.
std::string ReturnText(uint32_t value);

}  // namespace portcullis::bpf
