// portcullis node: the kubelet's role, with the embedded runtime or another one behind a CRI socket.
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"
#include "cli/daemon.h"
#include "cli/kubelet_settings.h"
#include "cli/reserved_cgroups.h"
#include "cli/runtime_settings.h"
#include "cli/self_confinement.h"
#include "cli/verbs.h"
#include "cri/grpc/client.h"
#include "host/systemd/units.h"
#include "node/agent/node.h"
#include "runtime/container/limit_keeper.h"
#include "runtime/registry/image_puller.h"

namespace portcullis::cli {
namespace {

constexpr const char* kDefaultManifests = "/etc/kubernetes/manifests";

struct NodeFlags {
  KubeletFlags kubelet;
  RuntimeFlags runtime;
  LogFlags log;
  SelfConfinementFlags confinement;
  bool check_config = false;
  std::string output = "text";  // of --check-config
};

std::chrono::milliseconds Millis(std::chrono::nanoseconds duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

node::NodeOptions ToNodeOptions(const NodeFlags& flags, const k8s::MergedConfig& config, const std::string& node_name) {
  node::NodeOptions options;
  node::PodSettings& pods = options.pods;
  pods.node_name = node_name;
  pods.root_dir = base::CleanPath(flags.kubelet.root_dir);
  pods.pod_logs_dir = config.pod_logs_dir();
  pods.seccomp_default = config.seccomp_default().enabled;
  pods.cgroup_driver = config.cgroup_driver() == "systemd" ? k8s::CgroupDriver::kSystemd : k8s::CgroupDriver::kCgroupfs;
  pods.cgroup_root = config.cgroup_root().empty() ? "/" : config.cgroup_root();
  pods.cgroups_per_qos = config.cgroups_per_qos();
  pods.cpu_cfs_quota = config.cpu_cfs_quota();
  pods.cluster_dns = config.cluster_dns();
  pods.cluster_domain = config.cluster_domain();
  pods.resolv_conf = config.resolv_conf();
  pods.parallel_image_pulls = config.parallel_image_pulls();
  pods.restart_back_off.max = config.max_container_restart_period();
  pods.restart_back_off.first = std::min(pods.restart_back_off.first, pods.restart_back_off.max);
  // Links in /var/log/containers belong to the node whose logs are in the usual place.
  if (pods.pod_logs_dir != "/var/log/pods") pods.container_log_links_dir = "";
  options.static_pod_path = config.static_pod_path().empty() ? kDefaultManifests : config.static_pod_path();
  options.file_check_frequency = Millis(config.file_check_frequency());
  options.static_pod_url = config.static_pod_url();
  options.static_pod_url_headers = config.static_pod_url_header();
  options.http_check_frequency = Millis(config.http_check_frequency());
  options.http_address = config.healthz_bind_address();
  options.http_port =
      config.healthz_port() == 0 ? std::nullopt : std::optional<uint16_t>(static_cast<uint16_t>(config.healthz_port()));
  options.reservations = config.reservations();
  options.image_gc = node::ImageGcPolicy{.high_percent = config.image_gc_high_threshold_percent(),
                                         .low_percent = config.image_gc_low_threshold_percent(),
                                         .min_age = config.image_minimum_gc_age(),
                                         .max_age = config.image_maximum_gc_age()};
  options.log_rotation = node::LogRotationOptions{.max_bytes = config.container_log_max_size(),
                                                  .max_files = config.container_log_max_files(),
                                                  .period = Millis(config.container_log_monitor_interval())};
  options.version = PORTCULLIS_VERSION;
  nlohmann::json configz = k8s::RenderConfigJson(config);
  configz["selfSeccomp"] = flags.confinement.self_seccomp;
  options.configz = configz.dump();
  return options;
}

// As the kubelet sends it along with a pull.
std::optional<cri::AuthConfig> LoginFor(const runtime::PullerOptions& options, const std::string& image) {
  const auto login = runtime::ConfiguredLogin(options, "", image);
  if (!login) {
    base::LogWarning("the image is pulled without a login", {{"image", image}, {"err", login.error().message}});
    return std::nullopt;
  }
  if (login->empty()) return std::nullopt;
  return cri::AuthConfig{.username = login->username,
                         .password = login->password,
                         .identity_token = login->identity_token,
                         .registry_token = login->registry_token};
}

Result<void> RunNode(const NodeFlags& flags, const k8s::MergedConfig& config, StopSignals& signals) {
  ASSIGN_OR_RETURN(const std::string node_name, NodeName(flags.kubelet));
  for (const std::string& warning : config.warnings) base::LogWarning(warning);
  base::LogInfo(config.seccomp_default().summary);

  // Either runtime outlives the node object.
  RunningRuntime embedded;
  std::unique_ptr<cri::RuntimeApi> remote;
  cri::RuntimeApi* api = nullptr;
  if (const std::string endpoint = config.container_runtime_endpoint(); endpoint.empty()) {
    if (!config.image_service_endpoint().empty()) {
      base::LogWarning("imageServiceEndpoint has no effect: the embedded runtime keeps its own images");
    }
    RuntimeFlags runtime = flags.runtime;
    runtime.service.seccomp_root = base::JoinPath(flags.kubelet.root_dir, "seccomp");
    runtime.service.registry.kubelet_dir = base::CleanPath(flags.kubelet.root_dir);
    runtime.service.cgroup_driver = config.cgroup_driver();
    runtime.service.self_seccomp = flags.confinement.self_seccomp;
    runtime.service.pod_pids_limit = config.pod_pids_limit();
    if (config.pod_pids_limit() > 0 && !config.cgroups_per_qos()) {
      base::LogWarning("podPidsLimit has no effect: with cgroupsPerQOS: false pods have no cgroups of their own");
    }
    runtime.service.runtime_deadline = Millis(config.runtime_request_timeout());
    ASSIGN_OR_RETURN(embedded, StartRuntime(runtime));
    api = embedded.service.get();
  } else {
    ASSIGN_OR_RETURN(remote, cri::Connect({.endpoint = endpoint,
                                           .image_endpoint = config.image_service_endpoint(),
                                           .timeout = Millis(config.runtime_request_timeout())}));
    if (config.pod_pids_limit() > 0) {
      base::LogWarning("podPidsLimit has no effect: the other runtime limits processes itself");
    }
    api = remote.get();
  }

  node::NodeOptions options = ToNodeOptions(flags, config, node_name);
  // The embedded runtime finds the node's logins itself.
  if (remote) {
    runtime::PullerOptions registry = flags.runtime.service.registry;
    registry.kubelet_dir = options.pods.root_dir;
    options.pods.login_of_image = [registry](const std::string& image) { return LoginFor(registry, image); };
  }
  ASSIGN_OR_RETURN(runtime::Cgroups cgroups, runtime::Cgroups::Detect());
  if (host::CheckSystemdRuns()) cgroups.UseUnits(host::SystemdUnits());
  TRY(EnforceReserved(options.reservations, cgroups));
  runtime::LimitKeeper classes(std::move(cgroups));
  options.set_limits = [&classes](const std::map<std::string, k8s::CgroupLimits>& limits) {
    std::map<std::string, runtime::Cgroups::Limits> converted;
    for (const auto& [path, wanted] : limits) converted[path] = ToLimits(wanted);
    classes.Keep(converted);
  };
  node::Node node(std::move(options), *api);
  TRY(node.Start());
  base::LogInfo("node is ready", {{"node", node_name}, {"httpPort", std::to_string(node.http_port())}});
  const int signal = signals.Wait();
  base::LogInfo("stopping; pods run on and the next start finds them", {{"signal", std::to_string(signal)}});
  if (embedded.service) embedded.service->StopPulls();
  node.Stop();
  if (embedded.server && !embedded.server->Stop()) LeaveWithThreadsAtWork();
  return {};
}

}  // namespace

int NodeMain(const std::vector<std::string>& args) {
  NodeFlags flags;
  std::vector<std::string> extra;
  CommandLine line("portcullis node",
                   "Runs pods from manifests, with the default seccomp profile where the node says so.");
  flags.kubelet.AddTo(line);
  flags.runtime.AddTo(line);
  flags.log.AddTo(line);
  flags.confinement.AddTo(line);
  line.Bool("--check-config", &flags.check_config,
            "print the merged configuration and where each value came from, then exit");
  line.Text("--output", &flags.output, "of --check-config: text or json");
  line.Positional("extra", &extra, "", false);
  if (const auto exit_code = line.Parse(args, "failed to parse kubelet flag: ")) return *exit_code;
  const auto fail = [](const std::string& message) {
    std::fprintf(stderr, "portcullis node: %s\n", message.c_str());
    return 1;
  };
  if (!extra.empty()) return fail("unknown command " + extra[0]);
  SetDaemonUmask();
  StopSignals signals;
  if (const auto applied = flags.log.Apply(); !applied) return fail(applied.error().message);

  if (flags.output != "text" && flags.output != "json")
    return fail("--output=" + flags.output + ": expected text or json");
  const auto config = LoadKubeletConfig(flags.kubelet);
  if (!config) return fail(config.error().message);
  if (flags.check_config) {
    std::fputs(flags.output == "json" ? (k8s::RenderConfigJson(*config).dump(2) + "\n").c_str()
                                      : k8s::RenderConfigText(*config).c_str(),
               stdout);
    return 0;
  }
  if (const auto unused = line.GivenIn(kRuntimeGroup);
      !config->container_runtime_endpoint().empty() && !unused.empty()) {
    return fail(fmt::format("{} would have no effect: containerRuntimeEndpoint names another runtime, {}",
                            base::Join(unused, ", "), config->container_runtime_endpoint()));
  }
  if (const auto confined = flags.confinement.Apply(); !confined) return fail(confined.error().message);
  const auto run = RunNode(flags, *config, signals);
  return run ? 0 : fail(run.error().message);
}

}  // namespace portcullis::cli
