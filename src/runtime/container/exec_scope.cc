#include "runtime/container/exec_scope.h"

#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"

namespace portcullis::runtime {
namespace {

constexpr std::chrono::milliseconds kKillTimeout = std::chrono::seconds(10);
constexpr char kCgroupsFile[] = "/cgroups";

void Report(const std::string& name, const Result<void>& result) {
  if (!result)
    base::LogWarning("cleaning up after an exec failed", {{"exec", name}, {"error", result.error().message}});
}

}  // namespace

ExecScope::ExecScope(const Cgroups& cgroups, const ContainerHandle& handle, const std::string& exec_dir)
    : cgroups_(cgroups),
      container_(handle.Cgroup()),
      name("exec-" + base::RandomHex(8)),
      folder(exec_dir + "/" + name),
      cgroup(handle.Cgroup() + "/" + name),
      conmon_cgroup(handle.ConmonCgroup() + "/" + name) {}

Result<void> ExecScope::Make() const {
  TRY(base::MakeDirs(folder + "/sockets", 0700));
  TRY(base::WriteFileAtomic(folder + kCgroupsFile, conmon_cgroup + "\n" + cgroup + "\n", 0600,
                            base::Lasting::kUntilReboot));
  TRY(cgroups_.Create(conmon_cgroup));
  return cgroups_.Create(cgroup);
}

void ExecScope::KillAll() const {
  Report(name, cgroups_.KillAll(cgroup, kKillTimeout));
  Report(name, cgroups_.KillAll(conmon_cgroup, kKillTimeout));
  Report(name, cgroups_.KillAll(cgroup, kKillTimeout));  // what conmon's runtime moved over meanwhile
}

ExecScope::~ExecScope() {
  for (const pid_t pid : cgroups_.Processes(cgroup)) {
    if (const auto moved = cgroups_.AddProcess(container_, pid); !moved) continue;  // it has ended
  }
  Report(name, cgroups_.Destroy(cgroup, kKillTimeout));
  Report(name, cgroups_.Destroy(conmon_cgroup, kKillTimeout));
  Report(name, base::RemoveTree(folder));
}

void ExecScope::EndStale(const Cgroups& cgroups, const std::string& exec_dir) {
  const auto names = base::ListDir(exec_dir);
  if (!names) return;  // no exec has ever run
  for (const std::string& name : *names) {
    const std::string folder = exec_dir + "/" + name;
    if (const auto text = base::ReadFile(folder + kCgroupsFile, 64u << 10)) {
      for (const std::string& cgroup : base::Split(*text, '\n')) {
        // Only what an exec makes: a damaged file must not end anything else.
        if (cgroup.starts_with('/') && cgroup.ends_with("/" + name))
          Report(name, cgroups.Destroy(cgroup, kKillTimeout));
      }
    }
    Report(name, base::RemoveTree(folder));
  }
}

}  // namespace portcullis::runtime
