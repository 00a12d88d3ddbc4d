// Whose container a process is in, from the path of its cgroup, as containerd, CRI-O, Docker, Podman and we name them,
// under the cgroupfs and the systemd driver, on cgroup v1 and v2.
//
//   "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1f2e….slice/cri-containerd-<64 hex>.scope"
//     -> container <64 hex>, pod uid 1f2e…
//
// Pure. Sources: the kubelet's cgroup manager (slice names: '-' of a uid becomes '_'), each runtime's cgroup naming.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace portcullis::insight {

struct CgroupOwner {
  std::string container_id;  // 64 hex digits; the innermost where runtimes are nested
  std::string outer_id;      // the outermost: the one that the node's kubelet knows
  std::string pod_uid;       // with dashes, or 32 hex digits of a static pod; "" when the path names none
  bool is_monitor = false;   // conmon of CRI-O or Podman, not the workload

  bool operator==(const CgroupOwner&) const = default;
};

// nullopt: no container.
std::optional<CgroupOwner> OwnerOfCgroup(std::string_view path);

// The text of /proc/PID/cgroup: the longest path that names a container decides (hybrid hosts have v1 and v2 lines), a
// monitor's only where all that name one are a monitor's.
std::optional<CgroupOwner> OwnerOfCgroupFile(std::string_view text);

}  // namespace portcullis::insight
