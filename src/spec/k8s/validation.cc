#include "spec/k8s/validation.h"

#include <array>
#include <limits>

#include "base/strings.h"
#include "spec/k8s/validation_rules.h"

namespace portcullis::k8s {
namespace {

constexpr std::string_view kRestartPolicies[] = {"Always", "Never", "OnFailure"};
constexpr std::string_view kDnsPolicies[] = {"ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"};
constexpr size_t kMaxNameservers = 3;
constexpr size_t kMaxSearches = 32;
constexpr size_t kMaxSearchCharacters = 2048;
constexpr size_t kMaxAnnotationBytes = 256 * 1024;
constexpr int64_t kMaxInt32 = std::numeric_limits<int32_t>::max();

void ValidateDns(const PodSpec& spec, ErrorList& errors) {
  if (spec.dns_policy.empty()) {
    errors.Required("spec.dnsPolicy");
  } else {
    errors.Unsupported("spec.dnsPolicy", spec.dns_policy, kDnsPolicies);
  }
  if (spec.dns_policy == "None") {
    if (!spec.dns_config) {
      errors.Required("spec.dnsConfig", "must provide `dnsConfig` when `dnsPolicy` is None");
      return;
    }
    if (spec.dns_config->nameservers.empty()) {
      errors.Required("spec.dnsConfig.nameservers",
                      "must provide at least one DNS nameserver when `dnsPolicy` is None");
    }
  }
  if (!spec.dns_config) return;
  const DnsConfig& config = *spec.dns_config;
  if (config.nameservers.size() > kMaxNameservers) {
    errors.Add("spec.dnsConfig.nameservers", fmt::format("Invalid value: [{}]: must not have more than {} nameservers",
                                                         base::Join(config.nameservers, " "), kMaxNameservers));
  }
  for (size_t i = 0; i < config.nameservers.size(); ++i) {
    errors.Check(fmt::format("spec.dnsConfig.nameservers[{}]", i), config.nameservers[i],
                 CheckIp(config.nameservers[i]));
  }
  if (config.searches.size() > kMaxSearches) {
    errors.InvalidNumber("spec.dnsConfig.searches", static_cast<int64_t>(config.searches.size()),
                         fmt::format("must not have more than {} search paths", kMaxSearches));
  }
  if (base::Join(config.searches, " ").size() > kMaxSearchCharacters) {
    errors.Add("spec.dnsConfig.searches",
               fmt::format("Invalid value: must not have more than {} characters (including spaces) in the search list",
                           kMaxSearchCharacters));
  }
  for (size_t i = 0; i < config.searches.size(); ++i) {
    std::string search = config.searches[i];
    if (search == ".") continue;
    if (search.ends_with('.')) search.pop_back();
    errors.Check(fmt::format("spec.dnsConfig.searches[{}]", i), config.searches[i], CheckDns1123Subdomain(search));
  }
  for (size_t i = 0; i < config.options.size(); ++i) {
    if (config.options[i].name.empty()) {
      errors.Required(fmt::format("spec.dnsConfig.options[{}]", i), "must not be empty");
    }
  }
}

void ValidateHostAliases(const PodSpec& spec, ErrorList& errors) {
  for (size_t i = 0; i < spec.host_aliases.size(); ++i) {
    const HostAlias& alias = spec.host_aliases[i];
    const std::string path = fmt::format("spec.hostAliases[{}]", i);
    errors.Check(path + ".ip", alias.ip, CheckIp(alias.ip));
    for (size_t k = 0; k < alias.hostnames.size(); ++k) {
      errors.Check(fmt::format("{}.hostnames[{}]", path, k), alias.hostnames[k],
                   CheckDns1123Subdomain(alias.hostnames[k]));
    }
  }
}

void ValidateSpec(const PodSpec& spec, ErrorList& errors) {
  ValidateVolumes(spec, errors);
  ValidateContainers(spec, errors);
  if (spec.restart_policy.empty()) {
    errors.Required("spec.restartPolicy");
  } else {
    errors.Unsupported("spec.restartPolicy", spec.restart_policy, kRestartPolicies);
  }
  ValidateDns(spec, errors);
  ValidatePodSecurity(spec, errors);
  if (!spec.hostname.empty()) errors.Check("spec.hostname", spec.hostname, CheckDns1123Label(spec.hostname));
  if (!spec.subdomain.empty()) errors.Check("spec.subdomain", spec.subdomain, CheckDns1123Label(spec.subdomain));
  ValidateHostAliases(spec, errors);
  if (spec.active_deadline_seconds) {
    errors.Range("spec.activeDeadlineSeconds", *spec.active_deadline_seconds, 1, kMaxInt32);
  }
  if (spec.termination_grace_period_seconds < 0) {
    errors.InvalidNumber("spec.terminationGracePeriodSeconds", spec.termination_grace_period_seconds,
                         "must be greater than or equal to 0");
  }
}

}  // namespace

void ErrorList::Add(const std::string& field, std::string message) {
  constexpr size_t kMaxErrors = 100;
  if (diagnostics_.size() >= kMaxErrors) return;
  diagnostics_.push_back({.severity = Severity::kError,
                          .file = "",
                          .line = 0,
                          .column = 0,
                          .field = field,
                          .message = std::move(message),
                          .hint = ""});
}

void ErrorList::Required(const std::string& field, std::string_view detail) {
  Add(field, detail.empty() ? "Required value" : fmt::format("Required value: {}", detail));
}

void ErrorList::Invalid(const std::string& field, std::string_view value, std::string_view detail) {
  Add(field, fmt::format("Invalid value: {}: {}", base::Quote(value), detail));
}

void ErrorList::InvalidNumber(const std::string& field, int64_t value, std::string_view detail) {
  Add(field, fmt::format("Invalid value: {}: {}", value, detail));
}

void ErrorList::Duplicate(const std::string& field, std::string_view value) {
  Add(field, fmt::format("Duplicate value: {}", base::Quote(value)));
}

void ErrorList::NotFound(const std::string& field, std::string_view value) {
  Add(field, fmt::format("Not found: {}", base::Quote(value)));
}

void ErrorList::Forbidden(const std::string& field, std::string_view detail) {
  Add(field, fmt::format("Forbidden: {}", detail));
}

void ErrorList::Unsupported(const std::string& field, std::string_view value,
                            std::span<const std::string_view> supported) {
  std::vector<std::string> quoted;
  for (std::string_view candidate : supported) {
    if (candidate == value) return;
    quoted.push_back(base::Quote(candidate));
  }
  Add(field, fmt::format("Unsupported value: {}: supported values: {}", base::Quote(value), base::Join(quoted, ", ")));
}

void ErrorList::Check(const std::string& field, std::string_view value, const std::string& explanation) {
  if (!explanation.empty()) Invalid(field, value, explanation);
}

void ErrorList::Range(const std::string& field, int64_t value, int64_t min, int64_t max) {
  if (value < min || value > max) {
    InvalidNumber(field, value, fmt::format("must be between {} and {}, inclusive", min, max));
  }
}

void ValidateMetadata(const ObjectMeta& metadata, ErrorList& errors) {
  if (metadata.name.empty()) {
    errors.Required("metadata.name", "name or generateName is required");
  } else {
    errors.Check("metadata.name", metadata.name, CheckDns1123Subdomain(metadata.name));
  }
  errors.Check("metadata.namespace", metadata.namespace_, CheckDns1123Label(metadata.namespace_));
  // Kubernetes takes any text; here the UID becomes part of paths and cgroup names.
  for (char c : metadata.uid) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
    if (plain && metadata.uid.size() <= 64) continue;
    errors.Invalid("metadata.uid", metadata.uid, "must be at most 64 letters, digits and '-'");
    break;
  }
  for (const auto& [key, value] : metadata.labels) {
    errors.Check("metadata.labels", key, CheckQualifiedName(key));
    errors.Check("metadata.labels", value, CheckLabelValue(value));
  }
  size_t bytes = 0;
  for (const auto& [key, value] : metadata.annotations) {
    errors.Check("metadata.annotations", key, CheckQualifiedName(base::ToLower(key)));
    bytes += key.size() + value.size();
  }
  if (bytes > kMaxAnnotationBytes) {
    errors.Add("metadata.annotations", fmt::format("Too long: may not be more than {} bytes", kMaxAnnotationBytes));
  }
}

Diagnostics ValidatePod(const Pod& pod) {
  ErrorList errors;
  ValidateMetadata(pod.metadata, errors);
  ValidateSpec(pod.spec, errors);
  ValidateSeccomp(pod, errors);
  ValidateAppArmor(pod, errors);
  return errors.Take();
}

std::string FieldErrorText(const Diagnostic& diagnostic) {
  if (diagnostic.field.empty()) return diagnostic.message;
  return diagnostic.field + ": " + diagnostic.message;
}

std::string AggregateErrors(const Diagnostics& diagnostics) {
  std::vector<std::string> texts;
  for (const Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.severity == Severity::kError) texts.push_back(FieldErrorText(diagnostic));
  }
  if (texts.empty()) return "";
  return fmt::format("invalid pod: [{}]", base::Join(texts, " "));
}

}  // namespace portcullis::k8s
