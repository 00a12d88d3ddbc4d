// The parts of a runtime spec that are the same for every container.
#pragma once

#include <string>
#include <vector>

#include "spec/oci/runtime_spec.h"

namespace portcullis::oci {

inline constexpr char kDefaultPath[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// /proc, /dev, /dev/pts, /dev/mqueue, /sys and /sys/fs/cgroup; the last two read-only unless `writable_sys`.
std::vector<Mount> DefaultMounts(bool writable_sys);

// The sandbox's /dev/shm, or a private one of 64 MiB when `host_path` is empty.
Mount ShmMount(const std::string& host_path);

// Puts `extra` behind `mounts`, shallow destinations first, so that no mount hides one made before it. One on the very
// destination of a default mount replaces it.
void AddMounts(std::vector<Mount>& mounts, std::vector<Mount> extra);

// "rshared" when a mount propagates both ways, "rslave" when one follows the host, else "".
std::string RootfsPropagation(const std::vector<Mount>& mounts);

}  // namespace portcullis::oci
