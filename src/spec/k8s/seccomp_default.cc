#include "spec/k8s/seccomp_default.h"

#include "base/strings.h"

namespace portcullis::k8s {
namespace {

std::string SwitchNames(const SeccompDefaultInputs& inputs) {
  const bool flag = inputs.flag.value_or(false);
  const bool config = inputs.config.value_or(false);
  if (flag && config) return "--seccomp-default and seccompDefault: true";
  return flag ? "--seccomp-default" : "seccompDefault: true";
}

std::vector<std::string> Contradictions(const SeccompDefaultInputs& inputs) {
  if (!inputs.flag || !inputs.config || *inputs.flag == *inputs.config) return {};
  if (*inputs.config) {
    return {
        "--seccomp-default=false does not switch off seccompDefault: true of the configuration: either of them "
        "switches it on, as in Kubernetes"};
  }
  return {
      "seccompDefault: false of the configuration has no effect: --seccomp-default is given, and either of them "
      "switches it on, as in Kubernetes"};
}

}  // namespace

Result<bool> ParseSeccompDefaultFlag(std::string_view text) {
  const auto value = base::ParseGoBool(text);
  if (value) return *value;
  return Fail(Code::kInvalidArgument,
              "invalid argument {} for \"--seccomp-default\" flag: strconv.ParseBool: parsing {}: invalid syntax",
              base::Quote(text), base::Quote(text));
}

Result<SeccompDefaultDecision> DecideSeccompDefault(const SeccompDefaultInputs& inputs, const FeatureGates& gates) {
  const GateSpec spec = GateAt(kSeccompDefaultGate, gates.version()).value_or(GateSpec{});
  const bool gone = spec.stage == GateStage::kRemoved;  // the feature stays, its gate is no longer asked
  const bool gate = gone || gates.Enabled(kSeccompDefaultGate);
  const bool by_flag = inputs.flag.value_or(false);
  const bool by_config = inputs.config.value_or(false);

  SeccompDefaultDecision decision;
  decision.warnings = Contradictions(inputs);
  if (by_flag || by_config) {
    if (!gate && by_flag) {
      return Fail(Code::kFailedPrecondition,
                  "failed to validate kubelet flags: the SeccompDefault feature gate must be enabled in order to use "
                  "the --seccomp-default flag");
    }
    if (!gate) {
      return Fail(Code::kFailedPrecondition,
                  "failed to run Kubelet: the SeccompDefault feature gate must be enabled in order to use the "
                  "SeccompDefault configuration");
    }
    decision.enabled = true;
    decision.summary =
        fmt::format("SeccompDefault is on: containers without a profile get RuntimeDefault ({}, feature gate {})",
                    SwitchNames(inputs), gone ? "no longer needed" : "enabled");
    return decision;
  }

  const bool switched_off_in_writing = inputs.flag.has_value() || inputs.config.has_value();
  const bool gate_by_name = gates.ExplicitlySet(kSeccompDefaultGate) && gates.Enabled(kSeccompDefaultGate);
  if (spec.stage == GateStage::kAlpha && gate_by_name) {
    if (!switched_off_in_writing) {
      return Fail(Code::kFailedPrecondition,
                  "the SeccompDefault feature gate is enabled, but the switch is missing: add --seccomp-default or "
                  "seccompDefault: true to switch it on, or write seccompDefault: false to only prepare this node");
    }
    decision.summary =
        "SeccompDefault is prepared and off: the feature gate is enabled and the switch is written out as false; "
        "containers without a profile run Unconfined until seccompDefault is true";
    return decision;
  }
  decision.summary = "SeccompDefault is off: containers without a profile run Unconfined";
  return decision;
}

}  // namespace portcullis::k8s
