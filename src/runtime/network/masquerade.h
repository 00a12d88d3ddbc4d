// One rule a subnet by which what pods send beyond their bridge leaves with the node's address, in place of the bridge
// plugin's ipMasq, which runs iptables nine times for every pod.
//
//   *nat
//   -A POSTROUTING -m comment --comment "portcullis: pods of portcullis0" -j PORTCULLIS-portcullis0
//   -A PORTCULLIS-portcullis0 -s 10.88.0.0/16 ! -d 224.0.0.0/4 ! -o portcullis0 -j MASQUERADE
//
// Made with iptables and ip6tables, which the plugins use too. A chain keeps the rules of subnets that were used
// before, for the pods that are still in them, until it is removed.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/network/subnets.h"

namespace portcullis::runtime {

struct MasqueradeOptions {
  std::string bridge = "portcullis0";  // up to 15 characters (IFNAMSIZ), so the chain's name has at most 26 of 28
  std::vector<Subnet> subnets;
};

// Makes what is missing; two or three short calls when nothing is. Errors carry the tool's text.
Result<void> EnsureMasquerade(const MasqueradeOptions& options);

// Fine when there is nothing.
Result<void> RemoveMasquerade(const MasqueradeOptions& options);

}  // namespace portcullis::runtime
