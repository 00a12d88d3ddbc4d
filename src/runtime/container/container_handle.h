// Names a container to the driver; all calls take it, nothing is remembered between them.
#pragma once

#include <string>

namespace portcullis::runtime {

struct ContainerHandle {
  std::string id;
  std::string bundle;
  std::string cgroup_parent;  // "/kubepods/pod<uid>", or a slice's: "/kubepods.slice/kubepods-pod<uid>.slice"

  // In a slice, systemd keeps the container and its monitor in scopes.
  bool InSlice() const { return cgroup_parent.ends_with(".slice"); }
  std::string Cgroup() const {
    return InSlice() ? cgroup_parent + "/portcullis-" + id + ".scope" : cgroup_parent + "/" + id;
  }
  std::string ConmonCgroup() const {
    return InSlice() ? cgroup_parent + "/portcullis-conmon-" + id + ".scope" : cgroup_parent + "/conmon-" + id;
  }
  // linux.cgroupsPath: where the OCI runtime finds Cgroup(); "slice:prefix:name" for `--systemd-cgroup`.
  std::string CgroupsPath() const {
    return InSlice() ? cgroup_parent.substr(cgroup_parent.rfind('/') + 1) + ":portcullis:" + id : Cgroup();
  }
};

}  // namespace portcullis::runtime
