// Signals by the names that images and CRI use.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cri/types.h"

namespace portcullis::runtime {

// "SIGQUIT", "quit", "3", "SIGRTMIN+3" -> the number. kInvalidArgument for anything else.
Result<int> SignalNumber(std::string_view text);

// What stops a container: CRI's stop_signal if set, else the image's, else SIGTERM. A name that SignalNumber reads; an
// image's nonsense is passed over.
std::string StopSignalName(cri::Signal configured, const std::string& image_signal);

// "SIGQUIT" -> Signal::kSigquit, for the status; kRuntimeDefault when CRI has no such value.
cri::Signal CriSignal(const std::string& name);

}  // namespace portcullis::runtime
