#include "engine/bpf/program.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/try.h"

namespace portcullis::bpf {
namespace {

bool IsConditional(uint16_t code) { return code == kJumpEq || code == kJumpGt || code == kJumpGe || code == kJumpSet; }

}  // namespace

uint32_t ArgOffset(uint32_t index, bool high) {
  const bool second = (std::endian::native == std::endian::little) == high;
  return kArgsOffset + index * 8 + (second ? 4 : 0);
}

uint32_t WordAt(const Data& data, uint32_t offset) {
  if (offset == kNrOffset) return data.nr;
  if (offset == kArchOffset) return data.arch;
  if (offset < kArgsOffset) return 0;
  const uint64_t value = data.args.at((offset - kArgsOffset) / 8);
  const bool second = (offset - kArgsOffset) % 8 != 0;
  const bool high = (std::endian::native == std::endian::little) == second;
  return static_cast<uint32_t>(high ? value >> 32 : value);
}

Result<void> Check(std::span<const Insn> program) {
  if (program.empty()) return Fail(Code::kInvalidArgument, "the filter has no instruction");
  if (program.size() > kMaxInstructions) {
    return Fail(Code::kInvalidArgument, "the filter has {} instructions, the kernel takes at most {}", program.size(),
                kMaxInstructions);
  }
  for (size_t at = 0; at < program.size(); ++at) {
    const Insn& insn = program[at];
    const size_t left = program.size() - at - 1;  // instructions after this one
    if (insn.code == kReturn) continue;
    if (insn.code == kLoad) {
      if (insn.k % 4 != 0 || insn.k >= kDataSize) {
        return Fail(Code::kInvalidArgument, "instruction {}: loads from offset {}, outside of seccomp_data's words", at,
                    insn.k);
      }
    } else if (insn.code == kJump) {
      if (insn.k >= left) return Fail(Code::kInvalidArgument, "instruction {}: jumps past the end", at);
      continue;
    } else if (IsConditional(insn.code)) {
      if (std::max(insn.jt, insn.jf) >= left) {
        return Fail(Code::kInvalidArgument, "instruction {}: jumps past the end", at);
      }
      continue;
    } else if (insn.code != kAnd) {
      return Fail(Code::kInvalidArgument, "instruction {}: unknown operation {:#x}", at, insn.code);
    }
    if (left == 0) return Fail(Code::kInvalidArgument, "the filter ends without a return");
  }
  return {};
}

Outcome Run(std::span<const Insn> program, const Data& data) {
  Outcome outcome;
  uint32_t a = 0;
  for (size_t at = 0; at < program.size(); ++at) {
    const Insn& insn = program[at];
    ++outcome.steps;
    bool holds = false;
    switch (insn.code) {
      case kReturn:
        outcome.value = insn.k;
        return outcome;
      case kLoad:
        a = WordAt(data, insn.k);
        outcome.looked_at_args |= insn.k != kNrOffset && insn.k != kArchOffset;
        continue;
      case kAnd:
        a &= insn.k;
        continue;
      case kJump:
        at += insn.k;
        continue;
      case kJumpEq:
        holds = a == insn.k;
        break;
      case kJumpGt:
        holds = a > insn.k;
        break;
      case kJumpGe:
        holds = a >= insn.k;
        break;
      default:
        holds = (a & insn.k) != 0;
        break;
    }
    at += holds ? insn.jt : insn.jf;
  }
  return outcome;
}

size_t LongestPath(std::span<const Insn> program) {
  std::vector<size_t> steps(program.size(), 1);
  for (size_t at = program.size(); at-- > 0;) {
    const Insn& insn = program[at];
    if (insn.code == kReturn) continue;
    if (insn.code == kJump) {
      steps[at] = 1 + steps[at + 1 + insn.k];
    } else if (IsConditional(insn.code)) {
      steps[at] = 1 + std::max(steps[at + 1 + insn.jt], steps[at + 1 + insn.jf]);
    } else {
      steps[at] = 1 + steps[at + 1];
    }
  }
  return steps.empty() ? 0 : steps[0];
}

std::string ToBytes(std::span<const Insn> program) {
  std::string bytes(program.size() * sizeof(Insn), '\0');
  if (!program.empty()) std::memcpy(bytes.data(), program.data(), bytes.size());
  return bytes;
}

Result<Program> FromBytes(std::string_view bytes, std::string_view name) {
  if (bytes.size() % sizeof(Insn) != 0) {
    return Fail(Code::kInvalidArgument, "filter {}: {} bytes are no whole number of 8-byte instructions", name,
                bytes.size());
  }
  Program program(bytes.size() / sizeof(Insn));
  if (!bytes.empty()) std::memcpy(program.data(), bytes.data(), bytes.size());
  if (const auto good = Check(program); !good) return Wrap(good.error(), "filter {}", name);
  return program;
}

std::string ReturnText(uint32_t value) {
  const uint32_t data = value & 0xffff;
  switch (value & 0xffff0000) {
    case 0x80000000:
      return "SCMP_ACT_KILL_PROCESS";
    case 0x00000000:
      return "SCMP_ACT_KILL_THREAD";
    case 0x00030000:
      return "SCMP_ACT_TRAP";
    case 0x00050000:
      return fmt::format("SCMP_ACT_ERRNO({})", data);
    case 0x7fc00000:
      return "SCMP_ACT_NOTIFY";
    case 0x7ff00000:
      return fmt::format("SCMP_ACT_TRACE({})", data);
    case 0x7ffc0000:
      return "SCMP_ACT_LOG";
    case 0x7fff0000:
      return "SCMP_ACT_ALLOW";
    default:
      return fmt::format("unknown action {:#x}", value);  // the kernel kills the process
  }
}

}  // namespace portcullis::bpf
