// The moments of a container's life that others may watch (recorders of src/insight, wired by the CLI).
//
// OnCreated comes between create and start: the process exists, in its cgroup, and waits; what is attached to the pid
// or the cgroup id then misses nothing of the workload. Calls come from the thread at work and must be quick: the
// container waits for them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace portcullis::runtime {

struct ContainerCreatedEvent {
  std::string id;
  std::string name;
  std::string bundle;
  pid_t pid = -1;
  std::string cgroup;
  uint64_t cgroup_id = 0;  // inode, see Cgroups::CgroupId
};

struct ContainerExecEvent {
  std::string id;
  std::vector<std::string> command;
};

// The stop signal is about to be sent.
struct ContainerStoppingEvent {
  std::string id;
  int signal = 0;  // 0: no grace, everything is killed
};

struct ContainerExitEvent {
  std::string id;
  int exit_code = 0;  // 128+signal when killed
  int64_t finished_at_unix_nanos = 0;
};

class ContainerObserver {
 public:
  virtual ~ContainerObserver() = default;
  virtual void OnCreated(const ContainerCreatedEvent&) {}
  virtual void OnExec(const ContainerExecEvent&) {}
  virtual void OnStopping(const ContainerStoppingEvent&) {}
  virtual void OnExit(const ContainerExitEvent&) {}
};

// Those who watch. Thread-safe.
class ObserverList {
 public:
  void Add(std::shared_ptr<ContainerObserver> observer);
  void Created(const ContainerCreatedEvent& event) const;
  void Exec(const ContainerExecEvent& event) const;
  void Stopping(const ContainerStoppingEvent& event) const;
  void Exit(const ContainerExitEvent& event) const;

 private:
  std::vector<std::shared_ptr<ContainerObserver>> Snapshot() const;

  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<ContainerObserver>> observers_;
};

}  // namespace portcullis::runtime
