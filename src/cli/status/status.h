// `portcullis status`: for each container the seccomp profile that was declared, the one in effect, who decided, and
// what the kernel says about the process. Works with any CRI runtime; what only our node writes down (declared, decided
// by) is shown as unknown for others.
//
//   ASSIGN_OR_RETURN(auto rows, CollectStatus(api, {.node_default_on = true}));
//   std::cout << StatusTable(rows);
#pragma once

#include <sys/types.h>

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cri/runtime_api.h"

namespace portcullis::cli {

// Container annotations that our node writes.
inline constexpr char kDeclaredAnnotation[] = "io.portcullis.seccomp.declared";
inline constexpr char kDecidedByAnnotation[] = "io.portcullis.seccomp.decided-by";
inline constexpr char kUnknown[] = "unknown";

// /proc/PID/status of a container's first process.
struct KernelSeccomp {
  int mode = 0;                // 0 none, 1 strict, 2 filter
  std::optional<int> filters;  // Linux 5.9 and later
};

// What reading the process's filters told (status --verify).
struct KernelVerdict {
  std::optional<bool> as_meant;  // nullopt: they could not be read
  std::string text;              // "210 instructions, proven as meant", a call that differs, or why it is not known
};

struct StatusRow {
  std::string pod;  // "namespace/name"
  std::string container;
  std::string id;
  std::string state;       // "Running", "Exited", ...
  std::string declared;    // "-", "RuntimeDefault", "Unconfined", "Localhost:x.json", "unknown"
  std::string effective;   // "RuntimeDefault (containerd@2.2.4)", "Unconfined", "Localhost /path"
  std::string decided_by;  // "container", "pod", "node default", "privileged", "unknown"
  // Of the OCI spec, where the runtime shows it: what a profile is resolved for.
  std::optional<std::vector<std::string>> bounding;
  bool privileged = false;
  std::optional<KernelSeccomp> kernel;  // of a running process
  // The node decided, and would decide otherwise now: the container was started before the switch was turned.
  // nullopt: the node's present switch, or who decided, is not known.
  std::optional<bool> stale;
  std::optional<KernelVerdict> verdict;  // of a running process, when asked for
  bool mismatch = false;                 // a profile should be in effect and the kernel has no filter, or another one
};

struct StatusOptions {
  bool all = false;                     // also containers that do not run
  std::optional<bool> node_default_on;  // the node's present SeccompDefault
  std::string proc_dir = "/proc";
  // Compares the filters of a running process with its spec's linux.seccomp (null: none); not asked when empty.
  std::function<KernelVerdict(pid_t, const nlohmann::json&)> verify;
};

// Sorted by pod, then container.
Result<std::vector<StatusRow>> CollectStatus(cri::RuntimeApi& runtime, const StatusOptions& options);

std::string StatusTable(const std::vector<StatusRow>& rows);
nlohmann::json StatusJson(const std::vector<StatusRow>& rows);  // {"containers": [...]}

}  // namespace portcullis::cli
