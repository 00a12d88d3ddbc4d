#include "runtime/network/plugin_processes.h"

#include <signal.h>
#include <unistd.h>

#include <map>
#include <set>
#include <string_view>

#include "base/files.h"
#include "base/strings.h"
#include "host/proc/process.h"

namespace portcullis::runtime {
namespace {

constexpr int kRounds = 5;
constexpr size_t kMaxEnvironment = 4u << 20;

bool Bears(pid_t pid, const std::string& variable) {
  const auto environment = base::ReadFile(fmt::format("/proc/{}/environ", pid), kMaxEnvironment);
  if (!environment) return false;
  const std::string_view text = *environment;
  return text.starts_with(variable) || text.find(std::string(1, '\0') + variable) != std::string_view::npos;
}

std::set<pid_t> Find(const std::string& variable) {
  std::map<pid_t, pid_t> parents;
  std::set<pid_t> found;
  const auto names = base::ListDir("/proc");
  if (!names) return found;
  for (const std::string& name : *names) {
    const auto number = base::ParseUint(name);
    if (!number) continue;
    const auto pid = static_cast<pid_t>(*number);
    const auto stat = host::ReadStat(pid);
    if (pid == ::getpid() || !stat || stat->state == 'Z' || stat->state == 'X') continue;
    parents[pid] = stat->parent;
    if (Bears(pid, variable)) found.insert(pid);
  }
  for (bool grown = true; grown;) {
    grown = false;
    for (const auto& [pid, parent] : parents) grown = (found.contains(parent) && found.insert(pid).second) || grown;
  }
  return found;
}

}  // namespace

void KillProcessesOfCall(const std::string& mark) {
  const std::string variable = fmt::format("{}={}", kCallVariable, mark);
  for (int round = 0; round < kRounds; ++round) {
    const std::set<pid_t> found = Find(variable);
    if (found.empty()) return;
    for (const pid_t pid : found) ::kill(pid, SIGKILL);
  }
}

}  // namespace portcullis::runtime
