// The ports of port-forward.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace portcullis::cli {

struct PortPair {
  uint16_t local = 0;  // 0: any free one
  uint16_t remote = 0;
};

// "8080:80", ":80", "0:80", "80".
Result<std::vector<PortPair>> ParsePortPairs(const std::vector<std::string>& texts);

}  // namespace portcullis::cli
