// What a CNI plugin answers to ADD, in any version of the spec ("ADD Success").
//
//   ASSIGN_OR_RETURN(CniResult result, ParseCniResult(stdout_text, "bridge", "0.4.0"));
//   result.PodIps()   -> {"10.88.0.5", "fd00:88::5"}
//   result.json       the same answer as version 0.4.0 writes it: prevResult for the next plugin
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace portcullis::runtime {

struct CniDns {
  std::vector<std::string> nameservers;
  std::string domain;
  std::vector<std::string> search;
  std::vector<std::string> options;

  bool Empty() const { return nameservers.empty() && domain.empty() && search.empty() && options.empty(); }
};

struct CniInterface {
  std::string name;
  std::string sandbox;  // the network namespace's path; "" on the host
};

struct CniAddress {
  std::string address;  // with prefix length: "10.88.0.5/16"
  std::string gateway;  // "" when not given
  int interface = -1;   // index into the interfaces; -1 when not given
};

struct CniResult {
  std::vector<CniAddress> ips;
  std::vector<CniInterface> interfaces;  // host side too
  CniDns dns;
  std::string json;  // the whole answer, in the network's cniVersion

  // Addresses without prefix length, in the plugin's order; the first is the pod's IP. Without those that are said to
  // be on an interface of the host.
  std::vector<std::string> PodIps() const;
};

// Strict: addresses must have a prefix length, interface numbers must be those of interfaces. An answer that names no
// version is of `version`, the network's; one of another version is converted to it.
Result<CniResult> ParseCniResult(std::string_view json, const std::string& plugin, std::string_view version);

}  // namespace portcullis::runtime
