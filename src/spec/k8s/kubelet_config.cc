#include "spec/k8s/kubelet_config.h"

#include <algorithm>
#include <limits>

#include "base/clock.h"
#include "base/strings.h"
#include "base/try.h"
#include "spec/k8s/json_access.h"
#include "spec/k8s/kubelet_config_internal.h"
#include "spec/k8s/quantity.h"

namespace portcullis::k8s {
namespace {

using nlohmann::json;
using std::chrono::nanoseconds;

constexpr std::string_view kDropInSuffix = ".conf";

// Go's filepath.WalkDir: names are compared folder by folder, so that all of `a/` comes before `a.conf`.
bool WalkedBefore(std::string_view a, std::string_view b) {
  const auto rank = [](char c) { return c == '/' ? 0 : static_cast<int>(static_cast<unsigned char>(c)) + 1; };
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [&rank](char left, char right) { return rank(left) < rank(right); });
}

Failure Join(const std::vector<std::string>& errors) {
  if (errors.size() == 1) return Failure(Error{Code::kInvalidArgument, errors.front(), 0});
  return Fail(Code::kInvalidArgument, "{} problems:\n{}", errors.size(), base::Join(errors, "\n"));
}

Result<void> MergeFiles(const KubeletConfigInputs& inputs, ConfigTree& tree) {
  std::vector<const ConfigText*> drop_ins;
  for (const ConfigText& text : inputs.drop_ins) {
    if (text.path.ends_with(kDropInSuffix)) drop_ins.push_back(&text);
  }
  std::sort(drop_ins.begin(), drop_ins.end(),
            [](const ConfigText* a, const ConfigText* b) { return WalkedBefore(a->path, b->path); });

  std::vector<std::string> errors;
  const auto merge = [&tree, &errors](const ConfigText& text, bool drop_in) {
    if (auto document = ReadConfigDocument(text, drop_in, errors)) tree.Merge(*document);
  };
  if (inputs.file) merge(*inputs.file, false);
  for (const ConfigText* text : drop_ins) merge(*text, true);
  if (!errors.empty()) return Join(errors);
  return {};
}

std::string FlagOrigin(const std::string& field) {
  for (const ConfigFlagName& name : ConfigFlagNames()) {
    if (name.field == field) return fmt::format("flag {}", name.flag);
  }
  return "flag";
}

Result<void> ApplyFlags(const ConfigFlags& flags, ConfigTree& tree) {
  for (const auto& [field, text] : flags.fields) {
    auto value = ParseFlagValue(field, text);
    const std::string origin = FlagOrigin(field);
    if (!value) {
      return Wrap(std::move(value).error(), "invalid argument {} for {}", base::Quote(text), origin);
    }
    tree.Set(field, std::move(*value), origin);
  }
  for (const auto& [name, value] : flags.feature_gates) {
    tree.Set("featureGates." + name, value, "flag --feature-gates");
  }
  return {};
}

// Every default of the schema, at any depth; objects without a default of their own are not made up.
void ApplyDefaults(ConfigTree& tree, std::string_view object_name, const std::string& prefix) {
  const ObjectSchema* object = FindObject(KubeletConfigSchema(), object_name);
  if (object == nullptr) return;
  for (const FieldSchema& field : object->fields) {
    const std::string path = prefix + std::string(field.name);
    if (!field.default_json.empty()) {
      auto value = json::parse(field.default_json, nullptr, false);
      if (!value.is_discarded()) tree.Default(path, std::move(value));
    } else if (field.kind == FieldKind::kObject && field.shape == FieldShape::kOne) {
      ApplyDefaults(tree, field.object, path + ".");
    }
  }
}

GateMap GatesOf(const ConfigTree& tree) {
  GateMap gates;
  const json& map = tree.At("featureGates");
  if (!map.is_object()) return gates;
  for (const auto& [name, value] : map.items()) {
    if (value.is_boolean()) gates[name] = value.get<bool>();
  }
  return gates;
}

}  // namespace

const std::vector<ConfigFlagName>& ConfigFlagNames() {
  static const std::vector<ConfigFlagName> kNames = {
      {"--pod-manifest-path", "staticPodPath", "folder or file with the manifests of static pods"},
      {"--manifest-url", "staticPodURL", "URL with the manifests of static pods"},
      {"--manifest-url-header", "staticPodURLHeader",
       "HTTP headers for --manifest-url: name:value,... may be repeated"},
      {"--http-check-frequency", "httpCheckFrequency", "how often --manifest-url is asked"},
      {"--file-check-frequency", "fileCheckFrequency",
       "how often manifests are read again without a change being seen"},
      {"--sync-frequency", "syncFrequency", "how often running pods are synced"},
      {"--pod-logs-dir", "podLogsDir", "folder of the pods' logs"},
      {"--container-runtime-endpoint", "containerRuntimeEndpoint", "CRI socket; the embedded runtime unless given"},
      {"--image-service-endpoint", "imageServiceEndpoint", "CRI socket of the image service"},
      {"--runtime-request-timeout", "runtimeRequestTimeout", "deadline of requests to the runtime"},
      {"--healthz-port", "healthzPort", "port of /healthz, /pods and /metrics; 0: none"},
      {"--healthz-bind-address", "healthzBindAddress", "address of /healthz, /pods and /metrics"},
      {"--read-only-port", "readOnlyPort", "port of the read-only endpoints"},
      {"--port", "port", "port of the kubelet's endpoints"},
      {"--address", "address", "address of the kubelet's endpoints"},
      {"--max-pods", "maxPods", "how many pods may run"},
      {"--pod-max-pids", "podPidsLimit", "processes per pod"},
      {"--cluster-dns", "clusterDNS", "DNS servers of pods, separated by commas"},
      {"--cluster-domain", "clusterDomain", "DNS domain of the cluster"},
      {"--resolv-conf", "resolvConf", "resolver configuration that pods inherit"},
      {"--cgroup-driver", "cgroupDriver", "cgroupfs or systemd"},
      {"--cgroup-root", "cgroupRoot", "cgroup below which pods run"},
      {"--cpu-cfs-quota", "cpuCFSQuota", "enforce CPU limits"},
      {"--serialize-image-pulls", "serializeImagePulls", "pull one image at a time"},
      {"--container-log-max-size", "containerLogMaxSize", "size at which a container's log is rotated"},
      {"--image-gc-high-threshold", "imageGCHighThresholdPercent",
       "percent of the images' disk in use at which unused images are removed; 100: never"},
      {"--image-gc-low-threshold", "imageGCLowThresholdPercent", "percent down to which they are removed"},
      {"--minimum-image-ttl-duration", "imageMinimumGCAge", "how old an unused image must be to be removed"},
      {"--cgroups-per-qos", "cgroupsPerQOS", "a cgroup for each class of pods, and for each pod"},
      {"--system-reserved", "systemReserved", "kept from pods for the system: cpu=200m,memory=500Mi,pid=1000"},
      {"--kube-reserved", "kubeReserved", "kept from pods for the node's own programs, in the same form"},
      {"--system-reserved-cgroup", "systemReservedCgroup", "cgroup of the system, for enforcement"},
      {"--kube-reserved-cgroup", "kubeReservedCgroup", "cgroup of the node's own programs, for enforcement"},
      {"--enforce-node-allocatable", "enforceNodeAllocatable",
       "pods, system-reserved, kube-reserved (or with -compressible), separated by commas; or none"},
      {"--container-log-max-files", "containerLogMaxFiles", "log files kept per container"},
  };
  return kNames;
}

Result<MergedConfig> MergeKubeletConfig(const KubeletConfigInputs& inputs) {
  auto state = std::make_unique<MergedConfig::State>(FeatureGates(inputs.emulated_version));
  TRY(MergeFiles(inputs, state->tree));
  TRY(ApplyFlags(inputs.flags, state->tree));

  SeccompDefaultInputs switches{.flag = inputs.flags.seccomp_default, .config = std::nullopt};
  if (const json& value = state->tree.At("seccompDefault"); value.is_boolean()) switches.config = value.get<bool>();
  auto gate_warnings = state->gates.Set(GatesOf(state->tree));
  if (!gate_warnings) {
    return Wrap(std::move(gate_warnings).error(), "failed to set feature gates from initial flags-based config");
  }
  ASSIGN_OR_RETURN(state->seccomp_default, DecideSeccompDefault(switches, state->gates));
  // The tree shows what is in effect: the flag can only switch on.
  if (state->seccomp_default.enabled && !switches.config.value_or(false)) {
    state->tree.Set("seccompDefault", true, "flag --seccomp-default");
  }

  std::vector<std::string> warnings = WarnAboutFields(state->tree);
  state->tree.Default("apiVersion", "kubelet.config.k8s.io/v1beta1");
  state->tree.Default("kind", "KubeletConfiguration");
  ApplyDefaults(state->tree, "KubeletConfiguration", "");
  // Whoever asks for several at a time need not say that they are not serialized.
  state->tree.Default("serializeImagePulls", IntegerOf(state->tree.At("maxParallelImagePulls")).value_or(1) < 2);
  if (auto errors = ValidateConfig(state->tree, state->gates); !errors.empty()) return Join(errors);

  warnings.insert(warnings.end(), gate_warnings->begin(), gate_warnings->end());
  warnings.insert(warnings.end(), state->seccomp_default.warnings.begin(), state->seccomp_default.warnings.end());
  MergedConfig config(std::move(state));
  config.warnings = std::move(warnings);
  return config;
}

MergedConfig::MergedConfig(std::unique_ptr<State> state) : state_(std::move(state)) {}
MergedConfig::MergedConfig(MergedConfig&&) noexcept = default;
MergedConfig& MergedConfig::operator=(MergedConfig&&) noexcept = default;
MergedConfig::~MergedConfig() = default;

namespace {

std::string Text(const ConfigTree& tree, const char* path) {
  const json& value = tree.At(path);
  return value.is_string() ? value.get<std::string>() : "";
}

int64_t Number(const ConfigTree& tree, const char* path) { return IntegerOf(tree.At(path)).value_or(0); }

bool Flag(const ConfigTree& tree, const char* path) {
  const json& value = tree.At(path);
  return value.is_boolean() && value.get<bool>();
}

nanoseconds Time(const ConfigTree& tree, const char* path) {
  return base::ParseGoDuration(Text(tree, path)).value_or(nanoseconds(0));
}

}  // namespace

std::string MergedConfig::static_pod_path() const { return Text(state_->tree, "staticPodPath"); }
std::string MergedConfig::static_pod_url() const { return Text(state_->tree, "staticPodURL"); }
nanoseconds MergedConfig::file_check_frequency() const { return Time(state_->tree, "fileCheckFrequency"); }
std::map<std::string, std::vector<std::string>> MergedConfig::static_pod_url_header() const {
  std::map<std::string, std::vector<std::string>> out;
  const nlohmann::json& headers = state_->tree.root().value("staticPodURLHeader", nlohmann::json::object());
  for (const auto& [name, values] : headers.items()) out[name] = Strings(headers, name.c_str());
  return out;
}
nanoseconds MergedConfig::http_check_frequency() const { return Time(state_->tree, "httpCheckFrequency"); }
nanoseconds MergedConfig::sync_frequency() const { return Time(state_->tree, "syncFrequency"); }
nanoseconds MergedConfig::runtime_request_timeout() const { return Time(state_->tree, "runtimeRequestTimeout"); }
nanoseconds MergedConfig::max_container_restart_period() const {
  return Time(state_->tree, "crashLoopBackOff.maxContainerRestartPeriod");
}
nanoseconds MergedConfig::container_log_monitor_interval() const {
  return Time(state_->tree, "containerLogMonitorInterval");
}
std::string MergedConfig::pod_logs_dir() const { return Text(state_->tree, "podLogsDir"); }
std::string MergedConfig::container_runtime_endpoint() const { return Text(state_->tree, "containerRuntimeEndpoint"); }
std::string MergedConfig::image_service_endpoint() const { return Text(state_->tree, "imageServiceEndpoint"); }
int MergedConfig::healthz_port() const { return static_cast<int>(Number(state_->tree, "healthzPort")); }
std::string MergedConfig::healthz_bind_address() const { return Text(state_->tree, "healthzBindAddress"); }
int MergedConfig::read_only_port() const { return static_cast<int>(Number(state_->tree, "readOnlyPort")); }
int MergedConfig::port() const { return static_cast<int>(Number(state_->tree, "port")); }
std::string MergedConfig::address() const { return Text(state_->tree, "address"); }
int64_t MergedConfig::container_log_max_size() const {
  const auto size = Quantity::Parse(Text(state_->tree, "containerLogMaxSize"));
  return size ? size->Value() : 0;
}
int MergedConfig::container_log_max_files() const {
  return static_cast<int>(Number(state_->tree, "containerLogMaxFiles"));
}
int MergedConfig::max_pods() const { return static_cast<int>(Number(state_->tree, "maxPods")); }
std::vector<std::string> MergedConfig::cluster_dns() const { return Strings(state_->tree.root(), "clusterDNS"); }
std::string MergedConfig::cluster_domain() const { return Text(state_->tree, "clusterDomain"); }
std::string MergedConfig::resolv_conf() const { return Text(state_->tree, "resolvConf"); }
std::string MergedConfig::cgroup_driver() const { return Text(state_->tree, "cgroupDriver"); }
std::string MergedConfig::cgroup_root() const { return Text(state_->tree, "cgroupRoot"); }
bool MergedConfig::cpu_cfs_quota() const { return Flag(state_->tree, "cpuCFSQuota"); }
bool MergedConfig::serialize_image_pulls() const { return Flag(state_->tree, "serializeImagePulls"); }
int MergedConfig::parallel_image_pulls() const {
  return serialize_image_pulls() ? 1 : static_cast<int>(Number(state_->tree, "maxParallelImagePulls"));
}
int64_t MergedConfig::pod_pids_limit() const { return Number(state_->tree, "podPidsLimit"); }
int MergedConfig::image_gc_high_threshold_percent() const {
  return static_cast<int>(Number(state_->tree, "imageGCHighThresholdPercent"));
}
int MergedConfig::image_gc_low_threshold_percent() const {
  return static_cast<int>(Number(state_->tree, "imageGCLowThresholdPercent"));
}
nanoseconds MergedConfig::image_minimum_gc_age() const { return Time(state_->tree, "imageMinimumGCAge"); }
nanoseconds MergedConfig::image_maximum_gc_age() const { return Time(state_->tree, "imageMaximumGCAge"); }
bool MergedConfig::cgroups_per_qos() const { return Flag(state_->tree, "cgroupsPerQOS"); }

Reservations MergedConfig::reservations() const {
  const auto list = [this](const char* field) {
    ResourceList out;
    const nlohmann::json& amounts = state_->tree.At(field);
    if (!amounts.is_object()) return out;
    for (const auto& [name, value] : amounts.items()) {
      if (auto quantity = Quantity::Parse(value.is_string() ? value.get<std::string>() : "")) out[name] = *quantity;
    }
    return out;
  };
  const std::vector<std::string> enforced = Strings(state_->tree.root(), "enforceNodeAllocatable");
  return {.system = list("systemReserved"),
          .kube = list("kubeReserved"),
          .enforced = {enforced.begin(), enforced.end()},
          .system_cgroup = Text(state_->tree, "systemReservedCgroup"),
          .kube_cgroup = Text(state_->tree, "kubeReservedCgroup")};
}

const SeccompDefaultDecision& MergedConfig::seccomp_default() const { return state_->seccomp_default; }
const FeatureGates& MergedConfig::feature_gates() const { return state_->gates; }
std::string MergedConfig::OriginOf(const std::string& field) const { return state_->tree.OriginOf(field); }
const json& MergedConfig::json() const { return state_->tree.root(); }

}  // namespace portcullis::k8s
