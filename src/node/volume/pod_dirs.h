// A pod's folder on the node, <root-dir>/pods/<uid>, laid out as the kubelet's:
//
//   pods/<uid>/etc-hosts                                 /etc/hosts of its containers
//   pods/<uid>/volumes/kubernetes.io~empty-dir/<name>    emptyDir volumes
//   pods/<uid>/volume-subpaths/<volume>/<container>/<n>  bind mounts of subPaths
//   pods/<uid>/containers/<name>/<8 hex digits>          termination logs
//   pods/<uid>/.portcullis                               marks the folder as ours: nothing else is ever removed from
//   pods/
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace portcullis::node {

class PodDirs {
 public:
  // `uid` must be a single path element; checked by Create.
  PodDirs(const std::string& root_dir, const std::string& uid);

  // Makes the folders (0750) and the mark; harmless when they exist.
  Result<void> Create() const;
  // Unmounts what this node mounted below the folder, then removes it, following no link and crossing into no mount.
  // Absent is fine.
  Result<void> Remove() const;

  const std::string& path() const { return path_; }
  std::string etc_hosts() const { return path_ + "/etc-hosts"; }
  std::string empty_dir(const std::string& volume) const {
    return path_ + "/volumes/kubernetes.io~empty-dir/" + volume;
  }
  std::string sub_path(const std::string& volume, const std::string& container, size_t index) const;

  // A new empty file, mode 0666, for one run of a container; of the older ones the last is kept.
  Result<std::string> CreateTerminationLog(const std::string& container) const;

 private:
  std::string uid_;
  std::string path_;
};

// UIDs of the folders below <root_dir>/pods that carry our mark.
Result<std::vector<std::string>> ListPodDirs(const std::string& root_dir);

}  // namespace portcullis::node
