// The runtime's sandboxes and containers in memory, and in the store behind them: what is changed here is on disk
// first.
//
// Rows are handed out as copies. A change is a function applied to the row while no other change is made, so that an
// exit reported by the watcher and an operation under way never overwrite each other; who only reads does not wait for
// the disk of who changes. Longer work on one pod is made serial with LockPod. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/store/store.h"

namespace portcullis::runtime {

// Held while a pod's sandbox or containers are made or removed.
class PodLock {
 public:
  explicit PodLock(std::shared_ptr<std::mutex> mutex) : mutex_(std::move(mutex)), lock_(*mutex_) {}
  PodLock(std::shared_ptr<std::mutex> mutex, std::try_to_lock_t how) : mutex_(std::move(mutex)), lock_(*mutex_, how) {}
  bool IsHeld() const { return lock_.owns_lock(); }

 private:
  std::shared_ptr<std::mutex> mutex_;  // the sandbox may go while it is locked
  std::unique_lock<std::mutex> lock_;
};

class Registry {
 public:
  // Reads all rows.
  static Result<std::unique_ptr<Registry>> Load(std::unique_ptr<Store> store);

  // Waits for whoever holds it.
  PodLock LockPod(const std::string& sandbox_id);
  // nullopt when somebody holds it.
  std::optional<PodLock> TryLockPod(const std::string& sandbox_id);
  size_t LockedPods() const;  // how many pods are locked, or waited for

  Result<void> Add(const SandboxRow& row);
  Result<void> Add(const ContainerRow& row);

  // `id` is a whole id or a prefix that fits exactly one. kNotFound; kInvalidArgument when it fits several.
  Result<SandboxRow> Sandbox(const std::string& id) const;
  Result<ContainerRow> Container(const std::string& id) const;

  std::vector<SandboxRow> Sandboxes() const;  // oldest first
  std::vector<ContainerRow> Containers() const;
  std::vector<ContainerRow> ContainersOf(const std::string& sandbox_id) const;

  // Whole ids only. The row after the change.
  Result<SandboxRow> ChangeSandbox(const std::string& id, const std::function<void(SandboxRow&)>& change);
  Result<ContainerRow> ChangeContainer(const std::string& id, const std::function<void(ContainerRow&)>& change);

  Result<void> RemoveSandbox(const std::string& id);
  Result<void> RemoveContainer(const std::string& id);

  // True once the container does not run (exited, or gone); false when the deadline passes first.
  bool WaitContainerStopped(const std::string& id, std::chrono::steady_clock::time_point deadline) const;
  // The same for a sandbox's pause process.
  bool WaitSandboxStopped(const std::string& id, std::chrono::steady_clock::time_point deadline) const;

  Store& store() { return *store_; }

 private:
  explicit Registry(std::unique_ptr<Store> store) : store_(std::move(store)) {}
  std::shared_ptr<std::mutex> PodMutex(const std::string& sandbox_id);
  template <class Row>
  Result<Row> Change(std::map<std::string, Row>& rows, std::string_view kind, const std::string& id,
                     const std::function<void(Row&)>& change);

  std::unique_ptr<Store> store_;
  std::mutex write_mutex_;    // held from the look at a row until it is changed on disk and here; taken before the next
  mutable std::mutex mutex_;  // of what follows, never held while the disk is written
  mutable std::condition_variable changed_;
  std::map<std::string, SandboxRow> sandboxes_;
  std::map<std::string, ContainerRow> containers_;
  std::map<std::string, std::weak_ptr<std::mutex>> pod_locks_;  // alive while somebody holds it or waits
};

}  // namespace portcullis::runtime
