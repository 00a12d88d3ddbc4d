// One call of one CNI plugin (CNI spec, "Execution protocol"): what it is sent, how its answer reads.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/network/cni_config.h"
#include "runtime/network/cni_request.h"

namespace portcullis::runtime {

struct PluginCall {
  std::string executable;
  std::string_view command;             // ADD, DEL, CHECK, VERSION, STATUS, GC
  std::string config;                   // the plugin's standard input
  const CniRequest* request = nullptr;  // none for VERSION, STATUS and GC
  std::vector<std::string> bin_dirs;
  std::chrono::milliseconds timeout{};
};

// Standard output on success. An error names the executable and carries the plugin's own code and text, or how it
// ended; codes 11, 50 and 51 are kUnavailable, others kInternal. kDeadlineExceeded: it and all that it started have
// been killed.
Result<std::string> RunPlugin(const PluginCall& call);

// The plugin's object with cniVersion, name, runtimeConfig (what it is capable of, of `capability_args`) and
// prevResult, without what is the runtime's own ("capabilities", "disableCheck", ...).
Result<std::string> PluginInput(const CniNetwork& network, const CniPlugin& plugin, std::string_view capability_args,
                                const std::string& previous_result);

// For GC (1.1.0): everything but these attachments may be freed.
Result<std::string> GcInput(const CniNetwork& network, const CniPlugin& plugin,
                            const std::vector<CniRequest>& attachments);

// "supportedVersions" of a VERSION answer.
Result<std::vector<std::string>> ParseVersions(std::string_view json, const std::string& plugin);

}  // namespace portcullis::runtime
