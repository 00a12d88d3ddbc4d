#include "engine/filter/statistics.h"

#include "engine/syscalls/syscalls.h"

namespace portcullis::filter {

Statistics Measure(std::span<const bpf::Insn> program, Arch native) {
  Statistics statistics{.instructions = program.size(), .longest_path = bpf::LongestPath(program)};
  size_t steps = 0;
  std::optional<uint32_t> before;
  for (const syscalls::Entry& entry : syscalls::ByNumber(native)) {
    if (before == entry.number) continue;  // a second name
    before = entry.number;
    const bpf::Outcome outcome =
        bpf::Run(program, {.arch = syscalls::InfoOf(native).audit_arch, .nr = entry.number, .args = {}});
    ++statistics.known_calls;
    steps += outcome.steps;
    if (outcome.looked_at_args) {
      ++statistics.argument_tested;
    } else if (outcome.value == kReturnAllow) {
      ++statistics.served_by_bitmap;
    }
  }
  if (statistics.known_calls > 0) {
    statistics.average_path = static_cast<double>(steps) / static_cast<double>(statistics.known_calls);
  }
  return statistics;
}

}  // namespace portcullis::filter
