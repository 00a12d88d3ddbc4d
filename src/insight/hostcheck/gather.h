// Gathers a host's facts (host_facts.h) from /proc, /sys, the audit system and the runtimes' --version.
//
//   const HostFacts facts = GatherHost({});
//
// What cannot be read is told as unknown, with the reason; nothing here fails as a whole.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "insight/hostcheck/host_facts.h"

namespace portcullis::insight {

struct GatherOptions {
  // Another tree instead of this host's, as tests use; its audit system and programs are then those given below only.
  std::string root;
  // A program's output; by default the program is run, with a few seconds' time.
  std::function<Result<std::string>(const std::vector<std::string>& argv)> run;
  std::function<Result<AuditStatus>()> audit_status;
  std::function<Result<std::vector<ExcludeRule>>()> exclude_rules;
  std::function<Result<void>()> open_multicast;
  std::vector<std::string> path{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"};
};

HostFacts GatherHost(GatherOptions options);

}  // namespace portcullis::insight
