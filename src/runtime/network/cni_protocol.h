// One call of one CNI plugin (spec 1.0.0, "Execution protocol"): what it is sent, how its answer reads.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/network/cni.h"

namespace portcullis::runtime {

struct PluginCall {
  std::string executable;
  std::string_view command;             // ADD, DEL, CHECK, VERSION
  std::string config;                   // the plugin's standard input
  const CniRequest* request = nullptr;  // none for VERSION
  std::vector<std::string> bin_dirs;
  std::chrono::milliseconds timeout{};
};

// Standard output on success. An error carries the plugin's own code and text; codes 11 and 50 are kUnavailable, others
// kInternal.
Result<std::string> RunPlugin(const PluginCall& call);

// The plugin's object with cniVersion, name, runtimeConfig (what it is capable of) and prevResult, without
// "capabilities".
Result<std::string> PluginInput(const CniNetwork& network, const CniPlugin& plugin, const CniRequest& request,
                                const std::string& previous_result);

// Strict: ips must be addresses with prefix length.
Result<CniResult> ParseCniResult(std::string_view json, const std::string& plugin);

// "supportedVersions" of a VERSION answer.
Result<std::vector<std::string>> ParseVersions(std::string_view json, const std::string& plugin);

}  // namespace portcullis::runtime
