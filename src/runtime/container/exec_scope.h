// What belongs to one exec: a folder, a cgroup for what runs it (conmon, the OCI runtime) and one for the command, a
// child of the container's. All that the command starts stays in there, so it can all be ended, whatever it forked or
// whichever session it made. The folder names the cgroups, for the next process should this one be killed.
#pragma once

#include <string>

#include "base/result.h"
#include "runtime/container/cgroups.h"
#include "runtime/container/container_handle.h"

namespace portcullis::runtime {

class ExecScope {
 public:
  // `exec_dir` is where the folder is made.
  ExecScope(const Cgroups& cgroups, const ContainerHandle& handle, const std::string& exec_dir);
  // What the command left running in the background is the container's from now on.
  ~ExecScope();
  ExecScope(const ExecScope&) = delete;
  ExecScope& operator=(const ExecScope&) = delete;

  Result<void> Make() const;
  void KillAll() const;

  // Ends the execs of which an earlier process left folders in `exec_dir`.
  static void EndStale(const Cgroups& cgroups, const std::string& exec_dir);

 private:
  const Cgroups& cgroups_;
  const std::string container_;

 public:
  const std::string name;  // "exec-..."; also the command's cgroup, below the container's
  const std::string folder;
  const std::string cgroup;
  const std::string conmon_cgroup;
};

}  // namespace portcullis::runtime
