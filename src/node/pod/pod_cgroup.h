// The pod's cgroup after its end. A runtime behind a socket (containerd, CRI-O) makes the containers' cgroups below the
// parent that it is given and never removes the parent: that is the kubelet's, and so this node's, to do.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "node/pod/settings.h"

namespace portcullis::node {

// Where cgroup hierarchies are mounted, of a /proc/PID/mountinfo text.
std::vector<std::string> CgroupMounts(std::string_view mountinfo);

// Removes the cgroup of a pod of any QoS class in every hierarchy. One that is in use stays: nothing is killed here.
// With the systemd driver there is nothing to do, since systemd removes a slice that is empty.
void RemovePodCgroup(const PodSettings& settings, const std::string& pod_uid);

}  // namespace portcullis::node
