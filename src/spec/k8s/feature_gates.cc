#include "spec/k8s/feature_gates.h"

#include <algorithm>

#include "base/strings.h"
#include "base/try.h"
#include "spec/k8s/feature_gate_table.h"

namespace portcullis::k8s {
namespace {

constexpr std::string_view kAllAlpha = "AllAlpha";
constexpr std::string_view kAllBeta = "AllBeta";
constexpr KubeVersion kFirstWithSeccompDefault{1, 22};

// The gates that this node acts on; all others are known and have no effect.
bool HasEffect(std::string_view name) { return name == kSeccompDefaultGate || name == kCrashLoopBackOffMaxGate; }

bool IsSpecial(std::string_view name) { return name == kAllAlpha || name == kAllBeta; }

bool Exists(const GateSpec& spec) { return spec.stage != GateStage::kNotYet && spec.stage != GateStage::kRemoved; }

std::string Hint(std::string_view name) {
  std::vector<std::string_view> names{kAllAlpha, kAllBeta};
  for (const GateTableRow& row : GateTable()) {
    if (names.back() != row.name) names.push_back(row.name);
  }
  auto nearest = base::Nearest(name, names);
  return nearest ? fmt::format(" (did you mean {}?)", base::Quote(*nearest)) : "";
}

// The first version that has the gate, and the first that has it no more (0 = none): for the warning.
std::string Life(std::string_view name) {
  int first = 0;
  int removed = 0;
  for (const GateTableRow& row : GateTable()) {
    if (row.name != name) continue;
    if (first == 0) first = row.from_minor;
    if (row.spec.stage == GateStage::kRemoved) removed = row.from_minor;
  }
  if (removed == 0) return fmt::format("it exists from 1.{} on", first);
  return fmt::format("it existed from 1.{} until 1.{}", first, removed - 1);
}

std::string WarningFor(std::string_view name, bool value, const GateSpec& spec, KubeVersion version) {
  if (!Exists(spec)) {
    return fmt::format("feature gate {} is ignored: Kubernetes {} does not have it ({})", name,
                       FormatKubeVersion(version), Life(name));
  }
  if (!HasEffect(name)) return fmt::format("feature gate {} has no effect here", name);
  if (spec.stage == GateStage::kGa || spec.stage == GateStage::kDeprecated) {
    return fmt::format("Setting {} feature gate {}={}. It will be removed in a future release.",
                       spec.stage == GateStage::kGa ? "GA" : "deprecated", name, value);
  }
  return "";
}

}  // namespace

Result<KubeVersion> ParseKubeVersion(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with('v')) digits.remove_prefix(1);
  const std::vector<std::string> parts = base::Split(digits, '.');
  const auto number = [&parts](size_t i) { return i < parts.size() ? base::ParseUint(parts[i]) : std::nullopt; };
  const auto major = number(0);
  const auto minor = number(1);
  const bool patch_fits = parts.size() == 2 || (parts.size() == 3 && number(2));
  if (!major || !minor || !patch_fits || *major != 1 || *minor > 999) {
    return Fail(Code::kInvalidArgument, "Kubernetes version {} must look like 1.22", base::Quote(text));
  }
  const KubeVersion version{1, static_cast<int>(*minor)};
  if (version < kFirstWithSeccompDefault) {
    return Fail(Code::kInvalidArgument, "Kubernetes version {} can not be emulated: SeccompDefault exists from {} on",
                base::Quote(text), FormatKubeVersion(kFirstWithSeccompDefault));
  }
  return version;
}

std::string FormatKubeVersion(KubeVersion version) { return fmt::format("{}.{}", version.major, version.minor); }

std::string GateStageName(GateStage stage) {
  switch (stage) {
    case GateStage::kNotYet:
      return "not yet";
    case GateStage::kAlpha:
      return "alpha";
    case GateStage::kBeta:
      return "beta";
    case GateStage::kGa:
      return "GA";
    case GateStage::kDeprecated:
      return "deprecated";
    case GateStage::kRemoved:
      return "removed";
  }
  return "";
}

std::optional<GateSpec> GateAt(std::string_view name, KubeVersion version) {
  const std::span<const GateTableRow> table = GateTable();
  auto row = std::lower_bound(table.begin(), table.end(), name,
                              [](const GateTableRow& entry, std::string_view wanted) { return entry.name < wanted; });
  if (row == table.end() || row->name != name) return std::nullopt;
  GateSpec spec;
  for (; row != table.end() && row->name == name && KubeVersion{1, row->from_minor} <= version; ++row) {
    spec = row->spec;
  }
  return spec;
}

Result<GateMap> ParseFeatureGatesFlag(std::string_view text) {
  GateMap gates;
  for (const std::string& pair : base::Split(text, ',')) {
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    if (equals == std::string::npos) {
      return Fail(Code::kInvalidArgument, "malformed pair, expect string=bool");
    }
    const std::string name(base::Trim(std::string_view(pair).substr(0, equals)));
    const std::string value(base::Trim(std::string_view(pair).substr(equals + 1)));
    const auto parsed = base::ParseGoBool(value);
    if (!parsed) {
      return Fail(Code::kInvalidArgument, "invalid value of {}: {}, err: strconv.ParseBool: parsing {}: invalid syntax",
                  name, value, base::Quote(value));
    }
    gates[name] = *parsed;
  }
  return gates;
}

Result<void> AddFeatureGatesFlag(std::string_view text, GateMap& gates) {
  auto parsed = ParseFeatureGatesFlag(text);
  if (!parsed) {
    return Wrap(std::move(parsed).error(), "invalid argument {} for \"--feature-gates\" flag", base::Quote(text));
  }
  for (const auto& [name, value] : *parsed) gates[name] = value;
  return {};
}

Result<std::vector<std::string>> FeatureGates::Set(const GateMap& gates) {
  std::vector<std::string> warnings;
  GateMap effective;
  for (const auto& [name, value] : gates) {
    if (IsSpecial(name)) {
      effective[name] = value;
      continue;
    }
    const auto spec = GateAt(name, version_);
    if (!spec) return Fail(Code::kInvalidArgument, "unrecognized feature gate: {}{}", name, Hint(name));
    if (spec->locked && value != spec->default_value) {
      return Fail(Code::kInvalidArgument, "cannot set feature gate {} to {}, feature is locked to {}", name, value,
                  spec->default_value);
    }
    if (std::string warning = WarningFor(name, value, *spec, version_); !warning.empty()) {
      warnings.push_back(std::move(warning));
    }
    if (Exists(*spec)) effective[name] = value;
  }
  set_ = std::move(effective);
  return warnings;
}

bool FeatureGates::Enabled(std::string_view name) const {
  if (const auto own = set_.find(std::string(name)); own != set_.end()) return own->second;
  const auto spec = GateAt(name, version_);
  if (!spec) return false;
  const auto group = [this](std::string_view special) {
    const auto it = set_.find(std::string(special));
    return it == set_.end() ? std::optional<bool>() : std::optional<bool>(it->second);
  };
  if (spec->stage == GateStage::kAlpha) return group(kAllAlpha).value_or(spec->default_value);
  if (spec->stage == GateStage::kBeta) return group(kAllBeta).value_or(spec->default_value);
  return spec->default_value;
}

bool FeatureGates::ExplicitlySet(std::string_view name) const {
  return !IsSpecial(name) && set_.contains(std::string(name));
}

}  // namespace portcullis::k8s
