#include "runtime/service/oom.h"

#include "base/files.h"
#include "base/strings.h"

namespace portcullis::runtime {

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
