#include "spec/oci/spec_defaults.h"

#include <algorithm>

#include "spec/oci/spec_builder.h"

namespace portcullis::oci {

std::vector<Mount> DefaultMounts(bool writable_sys) {
  const std::string sys_access = writable_sys ? "rw" : "ro";
  return {
      {"/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}},
      {"/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}},
      {"/dev/pts", "devpts", "devpts", {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
      {"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}},
      {"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", sys_access}},
      {"/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", sys_access}},
  };
}

Mount ShmMount(const std::string& host_path) {
  if (host_path.empty()) return {"/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}};
  return {"/dev/shm", "bind", host_path, {"rbind", "rprivate", "rw"}};
}

void AddMounts(std::vector<Mount>& mounts, std::vector<Mount> extra) {
  std::erase_if(mounts, [&](const Mount& mount) {
    return std::any_of(extra.begin(), extra.end(),
                       [&](const Mount& other) { return other.destination == mount.destination; });
  });
  const auto depth = [](const Mount& mount) {
    if (mount.destination == "/") return std::ptrdiff_t{0};
    return std::count(mount.destination.begin(), mount.destination.end(), '/');
  };
  std::stable_sort(extra.begin(), extra.end(), [&](const Mount& a, const Mount& b) { return depth(a) < depth(b); });
  mounts.insert(mounts.end(), std::make_move_iterator(extra.begin()), std::make_move_iterator(extra.end()));
}

std::string RootfsPropagation(const std::vector<Mount>& mounts) {
  std::string propagation;
  for (const Mount& mount : mounts) {
    for (const std::string& option : mount.options) {
      if (option == "rshared" || option == "shared") return "rshared";
      if (option == "rslave" || option == "slave") propagation = "rslave";
    }
  }
  return propagation;
}

const std::vector<std::string>& DefaultMaskedPaths() {
  static const std::vector<std::string> kPaths = {
      "/proc/asound",      "/proc/acpi",          "/proc/interrupts", "/proc/kcore",
      "/proc/keys",        "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
      "/proc/sched_debug", "/proc/scsi",          "/sys/firmware",    "/sys/devices/virtual/powercap",
  };
  return kPaths;
}

const std::vector<std::string>& DefaultReadonlyPaths() {
  static const std::vector<std::string> kPaths = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                                  "/proc/sysrq-trigger"};
  return kPaths;
}

}  // namespace portcullis::oci
