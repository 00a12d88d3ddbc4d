// Kubernetes' feature gates, each at the stage it had in the emulated Kubernetes version (--emulated-version,
// default 1.22).
//
//   FeatureGates gates(KubeVersion{1, 22});
//   ASSIGN_OR_RETURN(auto flag, ParseFeatureGatesFlag("SeccompDefault=true"));
//   ASSIGN_OR_RETURN(auto warnings, gates.Set(flag));
//   gates.Enabled("SeccompDefault") -> true        gates.ExplicitlySet("SeccompDefault") -> true
//
// A gate that exists in some release but not in the emulated one is a warning, so that configuration files of any
// release start; a gate of no release is an error with the nearest name. Data: data/feature-gates.tsv, compiled in.
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace portcullis::k8s {

struct KubeVersion {
  int major = 1;
  int minor = 22;
  auto operator<=>(const KubeVersion&) const = default;
};
inline constexpr KubeVersion kDefaultEmulatedVersion{1, 22};
// "1.22", "v1.22", "1.22.3" -> {1, 22}. Versions before 1.22 are refused: they have no SeccompDefault.
Result<KubeVersion> ParseKubeVersion(std::string_view text);
std::string FormatKubeVersion(KubeVersion version);  // "1.22"

inline constexpr std::string_view kSeccompDefaultGate = "SeccompDefault";
inline constexpr std::string_view kCrashLoopBackOffMaxGate = "KubeletCrashLoopBackOffMax";
inline constexpr std::string_view kImageMaximumGcAgeGate = "ImageMaximumGCAge";

enum class GateStage { kNotYet, kAlpha, kBeta, kGa, kDeprecated, kRemoved };
std::string GateStageName(GateStage stage);

struct GateSpec {
  GateStage stage = GateStage::kNotYet;
  bool default_value = false;
  bool locked = false;
};

// Stage of a gate at a version; nullopt for a name that no Kubernetes release has.
std::optional<GateSpec> GateAt(std::string_view name, KubeVersion version);

using GateMap = std::map<std::string, bool>;

// mapStringBool: "A=true,B=false"; blanks around names and values are trimmed, empty parts skipped, the last value
// wins. Error texts are Kubernetes': "malformed pair, expect string=bool" and "invalid value of A: yes, err:
// strconv.ParseBool: parsing \"yes\": invalid syntax". AddFeatureGatesFlag wraps them as `invalid argument "..." for
// "--feature-gates" flag: ...` and adds to `gates` (a repeated flag).
Result<GateMap> ParseFeatureGatesFlag(std::string_view text);
Result<void> AddFeatureGatesFlag(std::string_view text, GateMap& gates);

class FeatureGates {
 public:
  explicit FeatureGates(KubeVersion version) : version_(version) {}

  // Replaces what is set. Errors: `unrecognized feature gate: NAME (did you mean "X"?)`, `cannot set feature gate X to
  // false, feature is locked to true`. The value: one warning per gate that is GA, deprecated, or not in the emulated
  // version.
  Result<std::vector<std::string>> Set(const GateMap& gates);

  bool Enabled(std::string_view name) const;  // explicit value, else AllAlpha/AllBeta, else the stage's default
  // Set by its own name (AllAlpha and AllBeta do not count), and the emulated version has it.
  bool ExplicitlySet(std::string_view name) const;
  KubeVersion version() const { return version_; }
  const GateMap& set_gates() const { return set_; }  // in effect, by name

 private:
  KubeVersion version_;
  GateMap set_;
};

}  // namespace portcullis::k8s
