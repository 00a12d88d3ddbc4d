// KubeletConfiguration: file, drop-ins and flags, merged, checked, with the origin of every value.
//
//   KubeletConfigInputs inputs;
//   inputs.file = ConfigText{"/etc/portcullis/kubelet.yaml", text};
//   inputs.drop_ins = {{"/etc/portcullis/conf.d/10-a.conf", text_a}, ...};   // any order; only *.conf count, sorted by
//   path here inputs.flags.fields["maxPods"] = "50";                                   // as written on the command
//   line, by field name inputs.flags.seccomp_default = true; ASSIGN_OR_RETURN(MergedConfig config,
//   MergeKubeletConfig(inputs)); config.static_pod_path(), config.seccomp_default().enabled, config.warnings
//
// Order: defaults < file < drop-ins (lexical, folder by folder; JSON merge patch, RFC 7396) < flags; featureGates merge
// per key;
// --seccomp-default is OR-ed. Stricter than the kubelet: unknown, mis-cased and duplicate fields are errors with the
// nearest valid name; wrong types are errors. Data: data/kubelet-config-fields.tsv, compiled in. The caller reads the
// files.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/result.h"
#include "spec/k8s/feature_gates.h"
#include "spec/k8s/node_allocatable.h"
#include "spec/k8s/seccomp_default.h"

namespace portcullis::k8s {

inline constexpr size_t kMaxConfigBytes = 10u << 20;

struct ConfigText {
  std::string path;  // relative paths inside are resolved against its folder
  std::string text;
};

struct ConfigFlags {
  // KubeletConfiguration fields given as flags: field (dotted: "crashLoopBackOff.maxContainerRestartPeriod") -> value
  // as typed. Lists are comma-separated. ConfigFlagNames() lists which flags exist.
  std::map<std::string, std::string> fields;
  GateMap feature_gates;                // from AddFeatureGatesFlag
  std::optional<bool> seccomp_default;  // --seccomp-default
};

struct KubeletConfigInputs {
  std::optional<ConfigText> file;
  std::vector<ConfigText> drop_ins;
  ConfigFlags flags;
  KubeVersion emulated_version = kDefaultEmulatedVersion;
};

// A command line flag that sets a KubeletConfiguration field, as the kubelet names it: {"--pod-manifest-path",
// "staticPodPath"}.
struct ConfigFlagName {
  std::string_view flag;
  std::string_view field;
  std::string_view help;
};
const std::vector<ConfigFlagName>& ConfigFlagNames();

// The merged configuration. Getters give the value in effect.
class MergedConfig {
 public:
  MergedConfig(MergedConfig&&) noexcept;
  MergedConfig& operator=(MergedConfig&&) noexcept;
  ~MergedConfig();

  std::string static_pod_path() const;  // "" = none
  std::string static_pod_url() const;   // "" = none
  std::map<std::string, std::vector<std::string>> static_pod_url_header() const;
  std::chrono::nanoseconds http_check_frequency() const;
  std::chrono::nanoseconds file_check_frequency() const;
  std::chrono::nanoseconds sync_frequency() const;
  std::chrono::nanoseconds runtime_request_timeout() const;
  std::chrono::nanoseconds max_container_restart_period() const;  // cap of the CrashLoopBackOff delay, 300 s
  std::chrono::nanoseconds container_log_monitor_interval() const;
  std::string pod_logs_dir() const;
  std::string container_runtime_endpoint() const;  // "" unless set: the node then uses its embedded runtime
  std::string image_service_endpoint() const;
  int healthz_port() const;  // 0 = off
  std::string healthz_bind_address() const;
  int read_only_port() const;  // 0 = off
  int port() const;
  std::string address() const;
  int64_t container_log_max_size() const;  // bytes
  int container_log_max_files() const;
  int max_pods() const;
  std::vector<std::string> cluster_dns() const;
  std::string cluster_domain() const;
  std::string resolv_conf() const;
  std::string cgroup_driver() const;  // "cgroupfs" or "systemd"
  std::string cgroup_root() const;
  bool cpu_cfs_quota() const;
  bool serialize_image_pulls() const;
  int parallel_image_pulls() const;  // 1 when serialized, else maxParallelImagePulls; 0 = no limit
  int64_t pod_pids_limit() const;    // -1 = none
  int image_gc_high_threshold_percent() const;
  int image_gc_low_threshold_percent() const;
  std::chrono::nanoseconds image_minimum_gc_age() const;
  std::chrono::nanoseconds image_maximum_gc_age() const;  // 0 = none
  bool cgroups_per_qos() const;
  Reservations reservations() const;
  const SeccompDefaultDecision& seccomp_default() const;
  const FeatureGates& feature_gates() const;

  // One line each: fields and gates without effect here, deprecated gates, contradictions.
  std::vector<std::string> warnings;

  // Where the value of a (dotted) field came from: "default", "/etc/k.yaml:7", "flag --max-pods".
  std::string OriginOf(const std::string& field) const;
  // The whole merged object, defaults included. Values of staticPodURLHeader may be secret.
  const nlohmann::json& json() const;

  struct State;
  explicit MergedConfig(std::unique_ptr<State> state);

 private:
  std::unique_ptr<State> state_;
};

// Errors: kInvalidArgument; every problem of every file is in the text, one per line when there are several, with
// file:line:column.
Result<MergedConfig> MergeKubeletConfig(const KubeletConfigInputs& inputs);

// For `--check-config`: YAML with the origin of each value as a comment, and the SeccompDefault decision on top ...
std::string RenderConfigText(const MergedConfig& config);
// ... or JSON: {"kubeletconfig": {...}, "origins": {"maxPods": "default", ...}, "seccompDefault": {"enabled",
// "summary"}, "emulatedVersion": "1.22", "featureGates": {...}, "warnings": [...]}.
nlohmann::json RenderConfigJson(const MergedConfig& config);

}  // namespace portcullis::k8s
