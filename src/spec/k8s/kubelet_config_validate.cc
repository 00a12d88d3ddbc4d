#include <algorithm>
#include <set>

#include "base/clock.h"
#include "base/files.h"
#include "base/strings.h"
#include "spec/k8s/json_access.h"
#include "spec/k8s/kubelet_config_internal.h"
#include "spec/k8s/quantity.h"
#include "spec/k8s/validation_rules.h"

namespace portcullis::k8s {
namespace {

using nlohmann::json;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::string_view kHeaderNameCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~";

constexpr std::string_view kEnforcements[] = {"pods", "system-reserved", "system-reserved-compressible",
                                              "kube-reserved", "kube-reserved-compressible"};

class ConfigValidator {
 public:
  ConfigValidator(const ConfigTree& tree, const FeatureGates& gates) : tree_(tree), gates_(gates) {}

  std::vector<std::string> Run() {
    Ports();
    NotNegative("maxPods", "--max-pods");
    NotNegative("registryPullQPS", "--registry-qps");
    NotNegative("eventRecordQPS", "--event-qps");
    Frequencies();
    Logs();
    CrashLoopBackOff();
    ImagePulls();
    ImageGc();
    NodeAllocatable();
    Names();
    StaticPodUrl();
    if (Bool("runOnce")) Add("runOnce (--runOnce) true, Runonce mode has been deprecated and should not be set");
    return std::move(errors_);
  }

 private:
  void Add(const std::string& text) { errors_.push_back("invalid configuration: " + text); }

  std::optional<int64_t> Int(const std::string& path) const { return IntegerOf(tree_.At(path)); }
  std::string String(const std::string& path) const {
    const json& value = tree_.At(path);
    return value.is_string() ? value.get<std::string>() : "";
  }
  bool Bool(const std::string& path) const {
    const json& value = tree_.At(path);
    return value.is_boolean() && value.get<bool>();
  }
  std::optional<nanoseconds> Duration(const std::string& path) const {
    const json& value = tree_.At(path);
    if (!value.is_string()) return std::nullopt;
    return base::ParseGoDuration(value.get_ref<const std::string&>());
  }

  void Ports() {
    if (const auto port = Int("healthzPort"); port && (*port < 0 || *port > 65535)) {
      Add(fmt::format("healthzPort (--healthz-port) {} must be between 1 and 65535, inclusive", *port));
    }
    if (const auto port = Int("port"); port && (*port < 1 || *port > 65535)) {
      Add(fmt::format("port (--port) {} must be between 1 and 65535, inclusive", *port));
    }
    if (const auto port = Int("readOnlyPort"); port && (*port < 0 || *port > 65535)) {
      Add(fmt::format("readOnlyPort (--read-only-port) {} must be between 0 and 65535, inclusive", *port));
    }
    for (const char* field : {"address", "healthzBindAddress"}) {
      const std::string address = String(field);
      if (!CheckIp(address).empty()) Add(fmt::format("{} {} {}", field, base::Quote(address), CheckIp(address)));
    }
  }

  void NotNegative(const std::string& field, std::string_view flag) {
    if (const auto value = Int(field); value && *value < 0) {
      Add(fmt::format("{} ({}) {} must not be a negative number", field, flag, *value));
    }
  }

  void Frequencies() {
    for (const char* field : {"syncFrequency", "fileCheckFrequency", "httpCheckFrequency", "runtimeRequestTimeout"}) {
      if (const auto value = Duration(field); value && *value <= nanoseconds(0)) {
        Add(fmt::format("{} {} must be a positive time duration", field, base::FormatGoDuration(*value)));
      }
    }
  }

  void StaticPodUrl() {
    const std::string url = String("staticPodURL");
    if (!url.empty() && !url.starts_with("http://") && !url.starts_with("https://")) {
      Add(fmt::format("staticPodURL (--manifest-url) {} must begin with http:// or https://", base::Quote(url)));
    }
    const json& headers = tree_.At("staticPodURLHeader");
    if (!headers.is_object()) return;
    for (const auto& [name, values] : headers.items()) {
      if (name.empty() || name.find_first_not_of(kHeaderNameCharacters) != std::string::npos) {
        Add(fmt::format("staticPodURLHeader (--manifest-url-header) {} is not the name of an HTTP header",
                        base::Quote(name)));
      }
      for (const std::string& value : Strings(headers, name.c_str())) {
        // The value is not shown: it may be a secret.
        if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
          Add(fmt::format("staticPodURLHeader (--manifest-url-header) {} has a value of more than one line", name));
      }
    }
  }

  void Logs() {
    if (const auto files = Int("containerLogMaxFiles"); files && *files <= 1) {
      Add("containerLogMaxFiles must be greater than 1");
    }
    if (const auto size = Quantity::Parse(String("containerLogMaxSize")); !size) {
      Add("containerLogMaxSize: " + size.error().message);
    } else if (size->Value() <= 0) {
      Add(fmt::format("containerLogMaxSize {} must be greater than 0", size->text()));
    }
    if (const auto interval = Duration("containerLogMonitorInterval"); interval && *interval < seconds(3)) {
      Add("containerLogMonitorInterval must be a positive time duration greater than or equal to 3s");
    }
    const std::string dir = String("podLogsDir");
    if (dir.empty()) {
      Add("podLogsDir was not specified");
    } else if (dir.front() != '/') {
      Add(fmt::format("pod logs path {} must be absolute path", base::Quote(dir)));
    } else if (base::CleanPath(dir) != dir) {
      Add(fmt::format("pod logs path {} must be normalized", base::Quote(dir)));
    }
  }

  // The field came after most gates: where the emulated version has no such gate, the field is taken as it is.
  void CrashLoopBackOff() {
    const std::string field = "crashLoopBackOff.maxContainerRestartPeriod";
    const auto period = Duration(field);
    if (!period || tree_.OriginOf(field) == "default") return;
    const auto gate = GateAt(kCrashLoopBackOffMaxGate, gates_.version());
    if (gate && gate->stage != GateStage::kNotYet && !gates_.Enabled(kCrashLoopBackOffMaxGate)) {
      Add("FeatureGate KubeletCrashLoopBackOffMax not enabled, CrashLoopBackOff.MaxContainerRestartPeriod must not be "
          "set");
    }
    if (*period < seconds(1) || *period > seconds(300)) {
      Add(fmt::format("CrashLoopBackOff.MaxContainerRestartPeriod (got: {} seconds) must be set between 1s and 300s",
                      std::chrono::duration_cast<std::chrono::duration<double>>(*period).count()));
    }
  }

  void ImagePulls() {
    const auto parallel = Int("maxParallelImagePulls");
    if (!parallel) return;
    if (*parallel < 1) Add(fmt::format("maxParallelImagePulls {} must be a positive number", *parallel));
    if (*parallel > 1 && Bool("serializeImagePulls")) {
      Add("maxParallelImagePulls cannot be larger than 1 unless SerializeImagePulls == false");
    }
  }

  void ImageGc() {
    const auto low = Int("imageGCLowThresholdPercent");
    const auto high = Int("imageGCHighThresholdPercent");
    for (const auto& [value, name] : {std::pair{high, "imageGCHighThresholdPercent (--image-gc-high-threshold)"},
                                      {low, "imageGCLowThresholdPercent (--image-gc-low-threshold)"}}) {
      if (value && (*value < 0 || *value > 100))
        Add(fmt::format("{} {} must be between 0 and 100, inclusive", name, *value));
    }
    if (low && high && *low >= *high) {
      Add(
          fmt::format("imageGCLowThresholdPercent (--image-gc-low-threshold) {} must be less than "
                      "imageGCHighThresholdPercent (--image-gc-high-threshold) {}",
                      *low, *high));
    }
    const nanoseconds minimum = Duration("imageMinimumGCAge").value_or(nanoseconds(0));
    const nanoseconds maximum = Duration("imageMaximumGCAge").value_or(nanoseconds(0));
    // The field came after most gates, as with CrashLoopBackOff.
    const auto gate = GateAt(kImageMaximumGcAgeGate, gates_.version());
    if (maximum.count() != 0 && gate && gate->stage != GateStage::kNotYet && !gates_.Enabled(kImageMaximumGcAgeGate)) {
      Add("ImageMaximumGCAge feature gate is required for Kubelet configuration option imageMaximumGCAge");
    }
    for (const auto& [value, name] : {std::pair{minimum, "imageMinimumGCAge"}, {maximum, "imageMaximumGCAge"}}) {
      if (value.count() < 0) Add(fmt::format("{} {} must not be negative", name, base::FormatGoDuration(value)));
    }
    if (maximum.count() > 0 && maximum <= minimum) {
      Add(fmt::format("imageMaximumGCAge {} must be greater than imageMinimumGCAge {}", base::FormatGoDuration(maximum),
                      base::FormatGoDuration(minimum)));
    }
  }

  // cmd/kubelet/app/server.go: parseResourceList.
  void Reserved(const std::string& field, std::string_view flag) {
    const json& amounts = tree_.At(field);
    if (!amounts.is_object()) return;
    for (const auto& [name, value] : amounts.items()) {
      const std::string text = value.is_string() ? value.get<std::string>() : "";
      const auto problem = [&](const std::string& what) {
        errors_.push_back(fmt::format("{} value failed to parse: {}", flag, what));
      };
      if (name != "cpu" && name != "memory" && name != "ephemeral-storage" && name != "pid") {
        problem(fmt::format("cannot reserve {} resource", base::Quote(name)));
        continue;
      }
      const auto quantity = Quantity::Parse(text);
      if (!quantity) {
        problem(fmt::format("failed to parse quantity {} for {} resource: {}", base::Quote(text), base::Quote(name),
                            quantity.error().message));
      } else if (quantity->IsNegative()) {
        problem(fmt::format("resource quantity for {} cannot be negative: {}", base::Quote(name), text));
      }
    }
  }

  void NodeAllocatable() {
    Reserved("systemReserved", "--system-reserved");
    Reserved("kubeReserved", "--kube-reserved");
    constexpr std::string_view kField = "enforceNodeAllocatable (--enforce-node-allocatable)";
    const std::vector<std::string> all = Strings(tree_.root(), "enforceNodeAllocatable");
    const auto has = [&](std::string_view key) { return std::ranges::find(all, key) != all.end(); };
    for (const auto& [part, cgroup] : {std::pair{"system-reserved", "systemReservedCgroup (--system-reserved-cgroup)"},
                                       {"kube-reserved", "kubeReservedCgroup (--kube-reserved-cgroup)"}}) {
      const std::string compressible = fmt::format("{}-compressible", part);
      if (has(part) && has(compressible)) {
        Add(fmt::format("both \"{}\" and \"{}\" cannot be specified together in {}", part, compressible, kField));
      }
      const std::string_view name = std::string_view(cgroup).substr(0, std::string_view(cgroup).find(' '));
      if ((has(part) || has(compressible)) && String(std::string(name)).empty()) {
        Add(fmt::format("{} must be specified when \"{}\" or \"{}\" included in {}", cgroup, part, compressible,
                        kField));
      }
    }
    std::set<std::string> seen;
    for (const std::string& value : all) {
      if (!seen.insert(value).second) {
        Add(fmt::format("duplicated enforcements {} in {}", base::Quote(value), kField));
        continue;
      }
      if (value == "none") {
        if (all.size() > 1)
          Add(fmt::format("{} may not contain additional enforcements when \"none\" is specified", kField));
        continue;
      }
      if (std::ranges::find(kEnforcements, value) == std::end(kEnforcements)) {
        Add(
            fmt::format("option {} specified for {}. Valid options are \"pods\", \"system-reserved\", "
                        "\"system-reserved-compressible\", \"kube-reserved\", \"kube-reserved-compressible\" or "
                        "\"none\"",
                        base::Quote(value), kField));
        continue;
      }
      if (!Bool("cgroupsPerQOS")) {
        Add(fmt::format("cgroupsPerQOS (--cgroups-per-qos) must be set to true when {} contained in {}",
                        base::Quote(value), kField));
      }
    }
  }

  void Names() {
    const std::string driver = String("cgroupDriver");
    if (driver != "cgroupfs" && driver != "systemd") {
      Add(fmt::format("cgroupDriver (--cgroup-driver) {} must be \"cgroupfs\" or \"systemd\"", base::Quote(driver)));
    }
    const json& servers = tree_.At("clusterDNS");
    if (!servers.is_array()) return;
    for (const json& server : servers) {
      const std::string text = server.is_string() ? server.get<std::string>() : "";
      if (!CheckIp(text).empty()) Add(fmt::format("clusterDNS {} {}", base::Quote(text), CheckIp(text)));
    }
  }

  const ConfigTree& tree_;
  const FeatureGates& gates_;
  std::vector<std::string> errors_;
};

}  // namespace

std::vector<std::string> ValidateConfig(const ConfigTree& tree, const FeatureGates& gates) {
  return ConfigValidator(tree, gates).Run();
}

std::vector<std::string> WarnAboutFields(const ConfigTree& tree) {
  std::vector<std::string> warnings;
  for (const auto& [name, value] : tree.root().items()) {
    const FieldSchema* field = FieldAt(name);
    const std::string origin = tree.OriginOf(name);
    if (field == nullptr || field->support == FieldSupport::kYes || origin == "default") continue;
    warnings.push_back(field->note.empty() ? fmt::format("{}: {} has no effect here", origin, name)
                                           : fmt::format("{}: {} has no effect here: {}", origin, name, field->note));
  }
  return warnings;
}

}  // namespace portcullis::k8s
