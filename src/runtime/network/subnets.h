// The pods' addresses as an administrator writes them: "10.88.0.0/16", "fd00:88::/64", or one of each family joined by
// a comma. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace portcullis::runtime {

struct Subnet {
  bool v6 = false;
  std::string text;  // "10.88.0.0/16"
};

// One or two networks of different families, in the order given: a pod's first address is of the first. An error names
// the network and says what it may be.
Result<std::vector<Subnet>> ParseSubnets(std::string_view text);

}  // namespace portcullis::runtime
