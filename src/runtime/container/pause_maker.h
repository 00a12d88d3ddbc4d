// Makes a pod's pause process with our own helper portcullis-pause, in a few milliseconds and without a monitor.
//
//   ASSIGN_OR_RETURN(auto maker, PauseMaker::Open(FindProgram("portcullis-pause"), cgroups));
//   ASSIGN_OR_RETURN(PauseProcess pause, maker->Make(handle, spec, filter, deadline));
//   ... remember pause.pid and pause.start_time_ticks; OpenPause(...) finds the process again after a restart
//
// The process belongs to nobody here (its parent is init), so it outlives this one. Its end is seen on its pidfd
// (process_watcher.h). It runs from a read-only mount of the helper's file that exists for it alone, so that nothing
// that reaches /proc/<pid>/exe can write to the host's program.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/container/cgroups.h"
#include "runtime/container/container_handle.h"
#include "spec/oci/runtime_spec.h"

namespace portcullis::runtime {

struct PauseFilter {
  int file = -1;  // sealed memory file with the program; the caller's
  uint32_t flags = 0;
};

struct PauseProcess {
  pid_t pid = -1;
  uint64_t start_time_ticks = 0;  // with the pid it names the process for good
  base::UniqueFd pidfd;
};

class PauseMaker {
 public:
  // kNotFound: no such program; kFailedPrecondition: the kernel has no mount_setattr(2) (before 5.12).
  static Result<std::unique_ptr<PauseMaker>> Open(const std::string& program, const Cgroups& cgroups);

  // kUnimplemented: the spec asks for what the helper does not do, and nothing was made. After any other error
  // something may be left in the cgroup: Cgroups::Destroy.
  Result<PauseProcess> Make(const ContainerHandle& handle, const oci::Spec& spec,
                            const std::optional<PauseFilter>& filter, std::chrono::milliseconds timeout) const;

 private:
  PauseMaker(base::UniqueFd program, const Cgroups& cgroups) : program_(std::move(program)), cgroups_(cgroups) {}
  Result<void> PrepareCgroup(const ContainerHandle& handle, const oci::Spec& spec, pid_t pid) const;

  base::UniqueFd program_;
  const Cgroups& cgroups_;
};

// The process if it still runs; kNotFound when it has ended, whoever has the pid now.
Result<base::UniqueFd> OpenPause(pid_t pid, uint64_t start_time_ticks);

}  // namespace portcullis::runtime
