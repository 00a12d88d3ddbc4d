// What a filter costs: figures for `portcullis profile compile --format stats` and the status.
#pragma once

#include <cstddef>
#include <span>

#include "engine/bpf/program.h"
#include "engine/filter/behaviour.h"

namespace portcullis::filter {

struct Statistics {
  size_t instructions = 0;
  size_t longest_path = 0;      // instructions, over all paths
  double average_path = 0;      // over the calls that the native architecture's table has, arguments 0
  size_t known_calls = 0;       // of the native architecture
  size_t served_by_bitmap = 0;  // of these: allowed without running the filter (kernel 5.11 and later)
  size_t argument_tested = 0;   // of these: the filter reads an argument
};

Statistics Measure(std::span<const bpf::Insn> program, Arch native = syscalls::NativeArch());

}  // namespace portcullis::filter
