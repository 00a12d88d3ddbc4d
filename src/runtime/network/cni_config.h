// CNI network configuration as found on disk (CNI spec 1.0.0, "Network configuration format").
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace portcullis::runtime {

struct CniPlugin {
  std::string type;                          // name of the executable
  std::map<std::string, bool> capabilities;  // which runtimeConfig it takes: "portMappings"
  std::string config;                        // the plugin's own object as JSON, every key it had
};

struct CniNetwork {
  std::string name;
  std::string cni_version;  // "1.0.0"
  bool disable_check = false;
  std::vector<CniPlugin> plugins;  // in ADD order, at least one
  std::string file;                // where it was read; "" when from elsewhere
  std::string source;              // the file's text
};

// `text` is a list ("plugins") or a single plugin object, which is wrapped. Errors name file, field and value.
Result<CniNetwork> ParseCniNetwork(std::string_view text, const std::string& file);

// The network of the lexically first *.conflist, *.conf or *.json in the folder. kNotFound when there is none (or no
// folder); a broken first file is an error, not skipped: the node must not silently use another network.
Result<CniNetwork> FindCniNetwork(const std::string& conf_dir);

}  // namespace portcullis::runtime
