#include "runtime/service/oom.h"

#include "base/files.h"
#include "base/strings.h"

namespace portcullis::runtime {
namespace {

uint64_t KillsInside(const Cgroups& cgroups, const std::string& cgroup) {
  const auto text = base::ReadFile(cgroups.DirectoryOf("memory", cgroup) + "/memory.events", 4096);
  return text ? OomKillCount(*text) : 0;
}

}  // namespace

uint64_t OomLedger::Book(const Cgroups& cgroups, const std::string& parent, const std::vector<std::string>& living) {
  if (cgroups.layout() != CgroupLayout::kUnified) return 0;
  std::lock_guard lock(mutex_);
  // The parent first: what is killed between the two looks counts as a living one's, never as ours.
  const uint64_t all = KillsInside(cgroups, parent);
  uint64_t known = booked_[parent];
  for (const std::string& cgroup : living) known += KillsInside(cgroups, cgroup);
  if (all <= known) return 0;
  booked_[parent] += all - known;
  return all - known;
}

void OomLedger::Forget(const std::string& parent) {
  std::lock_guard lock(mutex_);
  booked_.erase(parent);
}

uint64_t OomKillCount(std::string_view text) {
  constexpr std::string_view kKey = "oom_kill ";
  for (const std::string& line : base::Split(text, '\n')) {
    if (!line.starts_with(kKey)) continue;
    return base::ParseUint(base::Trim(std::string_view(line).substr(kKey.size()))).value_or(0);
  }
  return 0;
}

bool WasOomKilled(const std::string& bundle, const Cgroups& cgroups, const std::string& cgroup) {
  if (base::Exists(bundle + "/oom")) return true;
  const std::string directory = cgroups.DirectoryOf("memory", cgroup);
  if (directory.empty()) return false;
  for (const char* file : {"/memory.events", "/memory.oom_control"}) {
    if (auto text = base::ReadFile(directory + file, 4096); text && OomKillCount(*text) > 0) return true;
  }
  return false;
}

}  // namespace portcullis::runtime
