#include "engine/filter/disassemble.h"

#include <fmt/core.h>

#include <optional>
#include <vector>

#include "engine/syscalls/arch.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis::filter {
namespace {

// What is known at one place, whatever the path that led there.
struct Place {
  bool reached = false;
  std::optional<uint32_t> word;  // offset of the word in the accumulator; nullopt: several, or none
  std::optional<uint32_t> arch;  // value of seccomp_data.arch; nullopt: several
};

void Merge(Place& into, const Place& from) {
  if (!into.reached) {
    into = from;
    into.reached = true;
    return;
  }
  if (into.word != from.word) into.word.reset();
  if (into.arch != from.arch) into.arch.reset();
}

std::vector<Place> FollowPlaces(std::span<const bpf::Insn> program) {
  std::vector<Place> places(program.size());
  places[0].reached = true;
  for (size_t at = 0; at < program.size(); ++at) {
    const bpf::Insn& insn = program[at];
    Place after = places[at];
    if (!after.reached || insn.code == bpf::kReturn) continue;
    if (insn.code == bpf::kLoad) {
      after.word = insn.k;
      Merge(places[at + 1], after);
    } else if (insn.code == bpf::kAnd) {
      Merge(places[at + 1], after);
    } else if (insn.code == bpf::kJump) {
      Merge(places[at + 1 + insn.k], after);
    } else {
      Merge(places[at + 1 + insn.jf], after);
      if (insn.code == bpf::kJumpEq && after.word == bpf::kArchOffset) after.arch = insn.k;
      Merge(places[at + 1 + insn.jt], after);
    }
  }
  return places;
}

std::string WordName(uint32_t offset) {
  if (offset == bpf::kNrOffset) return "number";
  if (offset == bpf::kArchOffset) return "architecture";
  if (offset < bpf::kArgsOffset) return "instruction pointer";
  const uint32_t index = (offset - bpf::kArgsOffset) / 8;
  return fmt::format("argument {}, {} half", index, bpf::ArgOffset(index, true) == offset ? "high" : "low");
}

std::string ArchNames(uint32_t audit_arch) {
  for (const auto& info : syscalls::AllArchs()) {
    if (info.audit_arch == audit_arch) return std::string(info.scmp_name);
  }
  return "";
}

std::string NumberName(uint32_t audit_arch, uint32_t number) {
  const auto arch = syscalls::ArchFromAudit(audit_arch, number);
  const auto name = arch ? syscalls::NameOf(*arch, number) : std::nullopt;
  return name ? std::string(*name) : "";
}

std::string Comment(const bpf::Insn& insn, const Place& place) {
  if (insn.code == bpf::kReturn) return bpf::ReturnText(insn.k);
  if (insn.code == bpf::kLoad) return WordName(insn.k);
  if (insn.code == bpf::kAnd || insn.code == bpf::kJump || insn.code == bpf::kJumpSet) return "";
  if (place.word == bpf::kArchOffset) return ArchNames(insn.k);
  if (place.word == bpf::kNrOffset && place.arch) return NumberName(*place.arch, insn.k);
  return "";
}

std::string Operation(const bpf::Insn& insn, size_t at) {
  const auto jump = [&](const char* name) {
    return fmt::format("{:<4} #{:<#12x} t {:04}  f {:04}", name, insn.k, at + 1 + insn.jt, at + 1 + insn.jf);
  };
  switch (insn.code) {
    case bpf::kLoad:
      return fmt::format("ld   [{}]", insn.k);
    case bpf::kAnd:
      return fmt::format("and  #{:#x}", insn.k);
    case bpf::kJump:
      return fmt::format("ja   {:04}", at + 1 + insn.k);
    case bpf::kJumpEq:
      return jump("jeq");
    case bpf::kJumpGt:
      return jump("jgt");
    case bpf::kJumpGe:
      return jump("jge");
    case bpf::kJumpSet:
      return jump("jset");
    default:
      return fmt::format("ret  #{:#x}", insn.k);
  }
}

}  // namespace

std::string Disassemble(std::span<const bpf::Insn> program) {
  const std::vector<Place> places = FollowPlaces(program);
  std::string text;
  for (size_t at = 0; at < program.size(); ++at) {
    const std::string operation = Operation(program[at], at);
    const std::string comment = Comment(program[at], places[at]);
    text += comment.empty() ? fmt::format("{:04}  {}\n", at, operation)
                            : fmt::format("{:04}  {:<36}; {}\n", at, operation, comment);
  }
  return text;
}

std::string ToCArray(std::span<const bpf::Insn> program, const std::string& name) {
  const std::vector<Place> places = FollowPlaces(program);
  std::string text = fmt::format("static const struct sock_filter {}[{}] = {{\n", name, program.size());
  for (size_t at = 0; at < program.size(); ++at) {
    const bpf::Insn& insn = program[at];
    const std::string comment = Comment(insn, places[at]);
    const std::string fields = fmt::format("{{{:#04x}, {}, {}, {:#x}}},", insn.code, insn.jt, insn.jf, insn.k);
    text += comment.empty() ? fmt::format("    {}\n", fields) : fmt::format("    {:<36}/* {} */\n", fields, comment);
  }
  return text + "};\n";
}

}  // namespace portcullis::filter
