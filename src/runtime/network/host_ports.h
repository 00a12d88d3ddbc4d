// Which pod has which port of the host. The portmap plugin would let a second pod have a port that is taken, and the
// first one's rule would win silently.
//
//   HostPorts ports;
//   TRY(ports.Take("ab12", "default/web", {{.host_port = 8080, .container_port = 80}}));
//   ports.Take("cd34", "default/b", ...)   -> host port 8080/tcp of pod default/b is taken by pod default/web
//   ports.Release("ab12");
//
// Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/network/cni_request.h"

namespace portcullis::runtime {

// One and the same packet could be meant for both: same port and protocol, and addresses that are equal or one of which
// stands for all of its family ("0.0.0.0", "::") or for all ("").
bool HostPortsOverlap(const CniPortMapping& a, const CniPortMapping& b);

class HostPorts {
 public:
  // All or none. kFailedPrecondition names port and pod; what the same id has already is replaced.
  Result<void> Take(const std::string& id, const std::string& pod, const std::vector<CniPortMapping>& mappings);
  void Release(const std::string& id);

 private:
  struct Owner {
    std::string pod;
    std::vector<CniPortMapping> mappings;  // those with a host port
  };

  std::mutex mutex_;
  std::map<std::string, Owner> owners_;
};

}  // namespace portcullis::runtime
