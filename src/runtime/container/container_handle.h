// Names a container to the driver; all calls take it, nothing is remembered between them.
#pragma once

#include <string>

namespace portcullis::runtime {

struct ContainerHandle {
  std::string id;
  std::string bundle;
  std::string cgroup_parent;  // "/kubepods/pod<uid>"

  std::string Cgroup() const { return cgroup_parent + "/" + id; }
  std::string ConmonCgroup() const { return cgroup_parent + "/conmon-" + id; }
};

}  // namespace portcullis::runtime
