// emptyDir and hostPath volumes: made on the node before the pod's containers, each ending as one host path.
//
//   ASSIGN_OR_RETURN(VolumePaths paths, SetUpVolumes(pod, dirs));      // {"cache":
//   "/var/lib/kubelet/pods/<uid>/volumes/..."} ASSIGN_OR_RETURN(auto source, SubPathSource(paths["cache"], "a/b",
//   dirs.sub_path("cache", "web", 0)));
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "node/volume/pod_dirs.h"
#include "spec/k8s/pod.h"

namespace portcullis::node {

using VolumePaths = std::map<std::string, std::string>;  // volume name -> path on the node

// Idempotent. Errors are in Kubernetes' words: `MountVolume.SetUp failed for volume "x" : hostPath type check failed:
// /p is not a directory`.
Result<VolumePaths> SetUpVolumes(const k8s::Pod& pod, const PodDirs& dirs);

// "hostPath type check failed: /p is not a socket file" when what is at the path does not fit the type; creates for the
// OrCreate types.
Result<void> CheckHostPath(const k8s::HostPath& host_path);

// The path to mount for a subPath. The container may have put links into the volume, so the sub-path is opened beneath
// the volume (openat2), created as a folder with the volume's mode if absent (and its group, if setgid), and pinned
// with a bind mount on `bind_target`, which later changes of the volume cannot redirect.
Result<std::string> SubPathSource(const std::string& volume_path, const std::string& sub_path,
                                  const std::string& bind_target);

}  // namespace portcullis::node
