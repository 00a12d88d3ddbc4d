// What the kernel program counted, as read from its maps, and the Evidence that it makes.
//
// Pure. The structures are those of bpf/counts.h.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/syscalls/arch.h"
#include "insight/evidence/evidence.h"
#include "insight/recorder/bpf/counts.h"

namespace portcullis::insight {

struct KernelFile {
  std::string path;  // as the task's root sees it; a memfd's name
  std::string comm;
};

struct KernelCounts {
  std::vector<std::pair<rec_key, rec_value>> calls;  // summed over processors
  std::map<uint32_t, KernelFile> files;
  rec_losses losses = {};
  uint64_t missed_runs = 0;             // of the kernel program: events that it was not called for
  uint64_t dropped_workloads = 0;       // containers for which there was no room
  int64_t monotonic_to_unix_nanos = 0;  // CLOCK_REALTIME - CLOCK_MONOTONIC
  syscalls::Arch native = syscalls::Arch::kX86_64;
};

// "/usr/bin/redis-server" from the components as the kernel program wrote them: the last first, each with its NUL.
std::string PathOf(const rec_file& file);

// One value of all processors' parts.
rec_value SumOf(std::span<const rec_value> parts);

// The function at an offset of a file of a workload: "mount+0xb"; "" when not known.
using FindSymbol = std::function<std::string(size_t workload, const std::string& path, uint64_t offset)>;

// `workloads[i]` is workload i of the maps.
Evidence ToEvidence(const KernelCounts& counts, std::span<const Workload> workloads,
                    const FindSymbol& find_symbol = {});

}  // namespace portcullis::insight
