// A pod's DNS configuration from its policy and the node's resolv.conf (kubernetes-seccomp.md 6.12). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cri/types.h"
#include "node/pod/settings.h"
#include "spec/k8s/pod.h"

namespace portcullis::node {

cri::DNSConfig ParseResolvConf(std::string_view text);

// At most 3 servers, 32 search domains and 2048 characters of them; what is over is dropped and named in `warnings`.
cri::DNSConfig PodDns(const k8s::Pod& pod, const cri::DNSConfig& node, const PodSettings& settings,
                      std::vector<std::string>* warnings);

}  // namespace portcullis::node
