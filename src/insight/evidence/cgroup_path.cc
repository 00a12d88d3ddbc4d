#include "insight/evidence/cgroup_path.h"

#include <algorithm>

#include "host/proc/proc_files.h"

namespace portcullis::insight {
namespace {

constexpr size_t kIdDigits = 64;
constexpr size_t kUidDigits = 32;

bool IsLowerHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool AllLowerHex(std::string_view text) { return std::ranges::all_of(text, IsLowerHex); }

// The 64 digits at a component's end, before ".scope"; what stands in front of them must end in '-' or ':' or be empty.
std::string_view IdIn(std::string_view component) {
  if (component.ends_with(".scope")) component.remove_suffix(std::string_view(".scope").size());
  if (component.size() < kIdDigits) return {};
  const std::string_view id = component.substr(component.size() - kIdDigits);
  if (!AllLowerHex(id)) return {};
  const std::string_view before = component.substr(0, component.size() - kIdDigits);
  return before.empty() || before.ends_with('-') || before.ends_with(':') ? id : std::string_view();
}

// "pod<uid>" at the component's end, before ".slice" or ':'.
std::string UidIn(std::string_view component) {
  if (const size_t colon = component.find(':'); colon != std::string_view::npos) component = component.substr(0, colon);
  if (component.ends_with(".slice")) component.remove_suffix(std::string_view(".slice").size());
  const size_t pod = component.rfind("pod");
  if (pod == std::string_view::npos || (pod > 0 && component[pod - 1] != '-')) return "";
  std::string uid(component.substr(pod + 3));
  std::ranges::replace(uid, '_', '-');
  std::string digits = uid;
  std::erase(digits, '-');
  if (digits.size() != kUidDigits || !AllLowerHex(digits)) return "";
  const bool dashed = uid.size() == 36 && uid[8] == '-' && uid[13] == '-' && uid[18] == '-' && uid[23] == '-';
  return uid.size() == kUidDigits || dashed ? uid : "";
}

// A pod of Podman under the cgroupfs driver: its id alone, with its containers and their monitors right below.
bool IsPodOfPodman(std::string_view component, std::string_view below) {
  const std::string_view next = below.substr(0, below.find('/'));
  return component.size() == kIdDigits && (next.starts_with("libpod-") || next == "conmon");
}

}  // namespace

std::optional<CgroupOwner> OwnerOfCgroup(std::string_view path) {
  CgroupOwner owner;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view component = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (std::string uid = UidIn(component); !uid.empty()) owner.pod_uid = std::move(uid);
    const std::string_view id = IdIn(component);
    if (id.empty() || IsPodOfPodman(component, path)) continue;
    if (owner.outer_id.empty()) owner.outer_id = id;
    owner.container_id = id;
    owner.is_monitor = component.find("conmon-") != std::string_view::npos;
  }
  if (owner.container_id.empty()) return std::nullopt;
  return owner;
}

std::optional<CgroupOwner> OwnerOfCgroupFile(std::string_view text) {
  std::optional<CgroupOwner> best;
  std::pair<bool, size_t> best_rank;
  for (const host::ProcessCgroup& cgroup : host::ParseCgroups(text)) {
    auto owner = OwnerOfCgroup(cgroup.path);
    if (!owner) continue;
    // On hybrid hosts what is executed in a container may stay in its monitor's cgroup of the unified hierarchy.
    const std::pair rank(!owner->is_monitor, cgroup.path.size());
    if (best && rank <= best_rank) continue;
    best = std::move(owner);
    best_rank = rank;
  }
  return best;
}

}  // namespace portcullis::insight
