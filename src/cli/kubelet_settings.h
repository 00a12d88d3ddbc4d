// The node's configuration from the command line and the files that it names: effects here, rules in spec/k8s.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command_line.h"
#include "spec/k8s/kubelet_config.h"

namespace portcullis::cli {

// The kubelet's own flags. Values stay as typed until Load.
struct KubeletFlags {
  std::string config;      // --config
  std::string config_dir;  // --config-dir
  std::string root_dir = "/var/lib/kubelet";
  std::string hostname_override;
  std::string emulated_version;  // --emulated-version; "" = the default
  k8s::ConfigFlags fields;       // flags that set KubeletConfiguration fields

  void AddTo(CommandLine& line);
};

// Reads --config and the drop-ins, merges, judges. Error texts begin as the kubelet's do.
Result<k8s::MergedConfig> LoadKubeletConfig(const KubeletFlags& flags);

// --hostname-override or the host's name; trimmed, lower case; empty is an error (Kubernetes' text).
Result<std::string> NodeName(const KubeletFlags& flags);

}  // namespace portcullis::cli
