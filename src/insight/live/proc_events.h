// The kernel's process events (fork, exec, exit, and changes of identity) through the proc connector, so that processes
// which end at once are known all the same.
//
//   ASSIGN_OR_RETURN(ProcEvents events, ProcEvents::Open());
//   TRY(events.Read([&](const ProcEvent& event) { … }));       // what is there, without waiting
//
// Needs CAP_NET_ADMIN, the initial pid, user and network namespaces, CONFIG_PROC_EVENTS. Source: linux/cn_proc.h.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "base/result.h"
#include "base/unique_fd.h"

namespace portcullis::insight {

struct ProcEvent {
  // kChange: it has another user, group, session or name. An OCI runtime's process does that when it is in its
  // container's cgroup, well before the container's program runs.
  enum class Kind { kFork, kExec, kChange, kExit };
  Kind kind = Kind::kFork;
  uint32_t pid = 0;     // process, not thread
  uint32_t parent = 0;  // kFork
  bool operator==(const ProcEvent&) const = default;
};

// One datagram of the connector; nullopt: of another connector, of a thread, or nothing that matters here. Pure.
std::optional<ProcEvent> ParseProcEvent(std::span<const char> datagram);

class ProcEvents {
 public:
  // Fails where the kernel does not confirm that it sends events.
  static Result<ProcEvents> Open();

  int fd() const { return fd_.get(); }
  // False: events were dropped since the last time, because they were not read in time.
  Result<bool> Read(const std::function<void(const ProcEvent&)>& take);

 private:
  base::UniqueFd fd_;
};

}  // namespace portcullis::insight
