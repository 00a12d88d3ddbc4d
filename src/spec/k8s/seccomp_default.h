// Is SeccompDefault on? One decision at start-up, after file, drop-ins and flags were merged.
//
// Two steps switch it on, as Kubernetes had it: the gate `SeccompDefault` and the switch (--seccomp-default or
// seccompDefault: true).
//   both                         on
//   switch, gate off             error, Kubernetes' text
//   gate by name, no switch      while the gate is alpha: error naming the missing step, unless the switch is written
//   out as false (then
//                                off, and one clear log line: the first step of a staged rollout). AllAlpha=true is not
//                                "by name".
//   neither                      off
// From beta (1.25) on, the gate is on by default, so that the switch decides alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "spec/k8s/feature_gates.h"

namespace portcullis::k8s {

struct SeccompDefaultInputs {
  std::optional<bool> flag;    // --seccomp-default, when it is on the command line
  std::optional<bool> config;  // seccompDefault of the merged file and drop-ins, when present
};

struct SeccompDefaultDecision {
  bool enabled = false;
  std::vector<std::string> warnings;
  // One line for the log and --check-config: "SeccompDefault is on: gate and switch are set (...)".
  std::string summary;
};

// Value of --seccomp-default by Go's rules; the error is Kubernetes' text: `invalid argument "maybe" for
// "--seccomp-default" flag: ...`.
Result<bool> ParseSeccompDefaultFlag(std::string_view text);

// `gates` holds the merged gates.
Result<SeccompDefaultDecision> DecideSeccompDefault(const SeccompDefaultInputs& inputs, const FeatureGates& gates);

}  // namespace portcullis::k8s
