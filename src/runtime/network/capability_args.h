// "runtimeConfig": what a runtime tells plugins that declare the capability (CNI's CONVENTIONS.md, "Dynamic Plugin
// specific fields"). Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/network/cni_config.h"
#include "runtime/network/cni_request.h"

namespace portcullis::runtime {

// A JSON object with those of portMappings, bandwidth, dns, ipRanges, cgroupPath and io.kubernetes.cri.pod-annotations
// that the request has something for. Kept with the attachment, so that DEL says what ADD said.
std::string CapabilityArgs(const CniRequest& request);

// The part of it that the plugin declares; "" when that is nothing.
Result<std::string> RuntimeConfigFor(const CniPlugin& plugin, std::string_view capability_args);

}  // namespace portcullis::runtime
