// What the runtime must not forget when it is killed: its sandboxes and containers, one row each.
//
//   ASSIGN_OR_RETURN(auto store, Store::Open("/var/lib/portcullis/state.db"));
//   TRY(store->Add(sandbox));             // before anything is made; kAlreadyExists when the name is taken
//   sandbox.step = SandboxStep::kReady;
//   TRY(store->Update(sandbox));          // after everything is made
//
// A row is written before the first thing is made and removed after the last thing is gone. So a row in step kCreating
// or kRemoving at start-up is a half-made thing whose leftovers are to be removed, and what has no row at all is a
// leftover. Rows reserve names: (pod name, namespace, uid, attempt) and (sandbox, container name, attempt) exist once.
// Configurations are kept as the CRI messages that the client sent (JSON). Thread-safe; one process at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cri/types.h"
#include "runtime/store/database.h"

namespace portcullis::runtime {

enum class SandboxStep { kCreating, kReady, kNotReady, kRemoving };
enum class ContainerStep { kCreating, kCreated, kRunning, kExited, kRemoving };

struct SandboxRow {
  std::string id;
  cri::PodSandboxConfig config;
  std::string runtime_handler;
  SandboxStep step = SandboxStep::kCreating;
  int64_t created_at = 0;  // nanoseconds since 1970
  int64_t pid = 0;         // of the pause process; 0 when it does not run
  // When the pause process began, in clock ticks since boot, if it is our own; 0: the OCI runtime and conmon made it.
  uint64_t pause_start = 0;
  std::string image_id;    // of the pause image
  std::string netns_path;  // "" with host network
  std::vector<std::string> ips;
  std::string network_result;  // CNI's ADD result as JSON text, or ""
  std::string cgroup_parent;   // "/kubepods/pod<uid>": where the cgroups of its containers are
  std::string seccomp;         // what was decided, for people: "RuntimeDefault (containerd@2.2.4)"
  std::vector<std::string> warnings;

  bool operator==(const SandboxRow&) const = default;
};

struct ContainerRow {
  std::string id;
  std::string sandbox_id;
  cri::ContainerConfig config;
  ContainerStep step = ContainerStep::kCreating;
  int64_t created_at = 0;
  int64_t started_at = 0;
  int64_t finished_at = 0;
  int32_t exit_code = 0;
  std::string reason;  // "Completed", "Error", "OOMKilled", "StartError"; "" while it has not exited
  std::string message;
  int64_t pid = 0;
  std::string image_id;     // "sha256:..."
  std::string image_ref;    // name@digest, or the id when it has none
  std::string log_path;     // absolute, "" for none
  std::string stop_signal;  // "SIGTERM": from the configuration or the image
  cri::LinuxContainerUser user;
  std::string seccomp;
  std::vector<std::string> warnings;

  bool operator==(const ContainerRow&) const = default;
};

class Store {
 public:
  static Result<std::unique_ptr<Store>> Open(const std::string& path);

  // kAlreadyExists when the id or the name is taken; the text names the holder.
  Result<void> Add(const SandboxRow& row);
  Result<void> Add(const ContainerRow& row);
  // Everything but id and name may change. kNotFound when there is no such row.
  Result<void> Update(const SandboxRow& row);
  Result<void> Update(const ContainerRow& row);
  // Absent is fine. A sandbox with containers is kFailedPrecondition.
  Result<void> RemoveSandbox(const std::string& id);
  Result<void> RemoveContainer(const std::string& id);

  Result<std::vector<SandboxRow>> Sandboxes();  // oldest first
  Result<std::vector<ContainerRow>> Containers();

  // Cgroups that this runtime made, and so may remove when no sandbox needs them; adding twice is fine.
  Result<void> AddCgroup(const std::string& path);
  Result<void> RemoveCgroup(const std::string& path);
  Result<std::vector<std::string>> Cgroups();

  // Small settings of the whole store, such as the kernel's boot id.
  Result<std::optional<std::string>> Setting(const std::string& key);
  Result<void> SetSetting(const std::string& key, const std::string& value);

 private:
  explicit Store(Database db) : db_(std::move(db)) {}

  std::mutex mutex_;
  Database db_;
};

}  // namespace portcullis::runtime
