// CNI network configuration as found on disk (CNI spec, "Network configuration format", versions 0.1.0 to 1.1.0).
//
//   CniFolder folder = LoadCniFolder("/etc/cni/net.d");
//   if (folder.network) folder.network->name;              // of the lexically first file that is valid
//   for (const Error& error : folder.skipped) ...          // the broken ones before it, each named with what is wrong
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
  std::string cni_version;            // what plugins are called with: the newest of `versions` until negotiated
  std::vector<std::string> versions;  // cniVersion and cniVersions that this runtime speaks, oldest first
  bool disable_check = false;
  bool disable_gc = false;
  std::vector<CniPlugin> plugins;  // in ADD order, at least one
  std::string file;                // where it was read; "" when from elsewhere
  std::string source;              // the file's text
};

// `text` is a list ("plugins") or a single plugin object, which is wrapped. No cniVersion means 0.1.0, as in libcni.
// Errors name file, field and value.
Result<CniNetwork> ParseCniNetwork(std::string_view text, const std::string& file);

struct CniFolder {
  std::optional<CniNetwork> network;
  std::vector<Error> skipped;  // broken files that come before the network's, or all when there is none
};

// Looks at *.conflist, *.conf and *.json in lexical order and takes the first that is valid, as CRI-O does. As in
// libcni a .conflist must be a list, the others one plugin's object. kNotFound when no file has such a name or there is
// no folder, kFailedPrecondition when all are broken: NoNetwork() has the text. One that cannot be read at present is
// not passed over for the next.
CniFolder LoadCniFolder(const std::string& conf_dir);

// Something that this machine lacks at present: descriptors, memory, room on the disk. It tells nothing about the file.
bool IsScarcity(const Error& error);

// Why a folder without a network has none.
Error NoNetwork(const CniFolder& folder, const std::string& conf_dir);

}  // namespace portcullis::runtime
