// What the recorder reads from outside. First byte modulo 3: an ELF file of a container, a moment that the runtime
// tells, a bundle's config.json and a process's cgroups.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/unique_fd.h"
#include "cli/record/bundle_workload.h"
#include "cli/record/container_cgroup.h"
#include "insight/moments/moment.h"
#include "insight/recorder/symbol.h"

using namespace portcullis;

namespace {

void TryElf(std::string_view text) {
  uint64_t offset = 0;
  if (text.size() < sizeof(offset)) return;
  std::memcpy(&offset, text.data(), sizeof(offset));
  text.remove_prefix(sizeof(offset));
  static const base::UniqueFd file(::memfd_create("recorder_fuzz", MFD_CLOEXEC));
  if (::ftruncate(file.get(), 0) != 0 ||
      ::pwrite(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    std::abort();
  }
  (void)insight::SymbolAt(file.get(), offset % 65536);
}

void TryMoment(std::string_view text) {
  const auto moment = insight::ParseMoment(text);
  if (!moment) return;
  const auto again = insight::ParseMoment(insight::FormatMoment(*moment));
  if (!again || *again != *moment) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 3 == 0) {
    TryElf(text);
  } else if (data[0] % 3 == 1) {
    TryMoment(text);
  } else {
    (void)cli::WorkloadOfBundle(text, "fuzz");
    for (const auto& [controller, path] : cli::CgroupPaths(text)) (void)cli::CgroupOfContainer(path, controller);
  }
  return 0;
}
