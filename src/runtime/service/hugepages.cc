#include "runtime/service/hugepages.h"

#include <algorithm>

#include "base/files.h"
#include "base/strings.h"

namespace portcullis::runtime {

bool HasHugetlb(const Cgroups& cgroups) {
  const std::string root = cgroups.DirectoryOf("hugetlb", "");
  if (cgroups.layout() != CgroupLayout::kUnified) return !root.empty();
  const auto controllers = base::ReadFile(root + "/cgroup.controllers");
  if (!controllers) return false;
  const std::vector<std::string> names = base::Split(base::Trim(*controllers), ' ');
  return std::ranges::find(names, "hugetlb") != names.end();
}

void KeepPossibleHugepageLimits(const Cgroups& cgroups, oci::Resources& resources, std::vector<std::string>& notes) {
  if (resources.hugepage_limits.empty() || HasHugetlb(cgroups)) return;
  for (const auto& [size, bytes] : resources.hugepage_limits) {
    if (bytes == 0) continue;
    notes.push_back(fmt::format(
        "the limit of {} bytes for huge pages of {} has no effect: this host has no hugetlb cgroup controller", bytes,
        size));
  }
  resources.hugepage_limits.clear();
}

}  // namespace portcullis::runtime
