#include "node/agent/node.h"

#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "base/files.h"
#include "base/log.h"
#include "base/try.h"
#include "node/agent/host_facts.h"
#include "node/image/gc.h"
#include "node/pod/images.h"
#include "node/server/metrics.h"
#include "node/server/node_server.h"
#include "node/source/cordon.h"
#include "node/source/source_set.h"
#include "node/source/static_pod_source.h"
#include "node/source/url_source.h"

namespace portcullis::node {

namespace {

// As the annotation kubernetes.io/config.source names them.
constexpr const char* kFileSource = "file";
constexpr const char* kUrlSource = "http";

}  // namespace

struct Node::State {
  State(NodeOptions the_options, cri::RuntimeApi& the_runtime)
      : options(std::move(the_options)),
        runtime(the_runtime),
        metrics(options.version),
        sources(SourceNames(options)) {}

  static std::vector<std::string> SourceNames(const NodeOptions& options) {
    std::vector<std::string> names;
    if (!options.static_pod_path.empty()) names.emplace_back(kFileSource);
    if (!options.static_pod_url.empty()) names.emplace_back(kUrlSource);
    return names;
  }

  NodeOptions options;
  cri::RuntimeApi& runtime;
  Metrics metrics;
  std::unique_ptr<PodManager> manager;
  std::unique_ptr<StaticPodSource> file_source;
  std::unique_ptr<UrlSource> url_source;
  std::unique_ptr<NodeServer> server;

  std::unique_ptr<CordonWatch> cordon;
  std::unique_ptr<ImageGc> image_gc;
  std::unique_ptr<LogRotation> log_rotation;
  k8s::NodeResources capacity;
  k8s::NodeResources allocatable;

  mutable std::mutex mutex;  // held while the manager is told, so that its last word is the newest
  SourceSet sources;
  std::vector<ManifestProblem> problems;
  std::vector<std::shared_ptr<const k8s::Pod>> desired;  // what the sources say
  bool reported = false;                                 // some source has spoken
  bool complete = false;                                 // all of them have
  bool cordoned = false;

  void TakeUpdate(const char* source, SourceUpdate update) {
    std::lock_guard<std::mutex> lock(mutex);
    sources.Take(source, std::move(update));
    SourceUpdate all = sources.Joined();
    desired.clear();
    for (SourcePod& item : all.pods) desired.push_back(std::move(item.pod));
    problems = std::move(all.problems);
    complete = all.known;
    reported = true;
    Decide();
    // Not before it is known what is wanted.
    if (complete && image_gc) image_gc->Start();
  }

  void TakeCordon(bool now) {
    if (now) {
      base::LogWarning("cordoned: pods are ended, none is taken", {{"file", CordonFile(options.pods.root_dir)}});
    }
    std::lock_guard<std::mutex> lock(mutex);
    if (cordoned && !now) base::LogInfo("no longer cordoned: pods are taken");
    cordoned = now;
    Decide();
  }

  // Under the mutex.
  void Decide() {
    if (!reported) return;
    manager->SetDesired(cordoned ? std::vector<std::shared_ptr<const k8s::Pod>>() : desired, complete);
  }

  std::vector<ManifestProblem> Problems() const {
    std::lock_guard<std::mutex> lock(mutex);
    return problems;
  }

  void SetLimits() const {
    if (!options.set_limits || !options.pods.cgroups_per_qos) return;
    k8s::QosShares shares;
    {
      std::lock_guard<std::mutex> lock(mutex);
      shares = k8s::QosSharesOf(desired);
    }
    std::map<std::string, k8s::CgroupLimits> by_cgroup;
    for (const auto& [qos, limits] :
         {std::pair{k8s::QosClass::kGuaranteed, k8s::PodsLimits(capacity, allocatable, options.reservations)},
          {k8s::QosClass::kBurstable, k8s::CgroupLimits{.cpu_shares = shares.burstable}},
          {k8s::QosClass::kBestEffort, k8s::CgroupLimits{.cpu_shares = shares.best_effort}}}) {
      by_cgroup[k8s::QosCgroup(options.pods.cgroup_driver, options.pods.cgroup_root, qos)] = limits;
    }
    options.set_limits(by_cgroup);
  }

  std::set<std::string> WantedImages() const {
    std::set<std::string> images;
    std::lock_guard<std::mutex> lock(mutex);
    for (const auto& pod : desired) {
      for (const auto* list : {&pod->spec.init_containers, &pod->spec.containers}) {
        for (const k8s::Container& container : *list) images.insert(WithDefaultTag(container.image));
      }
    }
    return images;
  }

  // As the kubelet does since 1.28. Older runtimes do not know the call.
  void TakeCgroupDriver() {
    const auto config = runtime.RuntimeConfig({});
    if (!config || !config->linux) return;
    const auto driver = config->linux->cgroup_driver == cri::CgroupDriver::kSystemd ? k8s::CgroupDriver::kSystemd
                                                                                    : k8s::CgroupDriver::kCgroupfs;
    if (driver == options.pods.cgroup_driver) return;
    base::LogWarning("the container runtime's cgroup driver is used instead of the configured one",
                     {{"cgroupDriver", driver == k8s::CgroupDriver::kSystemd ? "systemd" : "cgroupfs"}});
    options.pods.cgroup_driver = driver;
  }

  Result<void> FindFacts() {
    PodSettings& pods = options.pods;
    if (pods.host_ip.empty()) pods.host_ip = HostIp();
    if (pods.memory_capacity == 0) pods.memory_capacity = MemoryCapacity();
    if (pods.cpu_capacity_milli == 0) pods.cpu_capacity_milli = CpuCapacityMilli();
    capacity = {.cpu_milli = pods.cpu_capacity_milli, .memory = pods.memory_capacity, .pids = PidCapacity()};
    ASSIGN_OR_RETURN(allocatable, k8s::Allocatable(capacity, options.reservations));
    pods.cpu_allocatable_milli = allocatable.cpu_milli;
    pods.memory_allocatable = allocatable.memory;
    pods.cgroup_v2 = UnifiedCgroups();
    ASSIGN_OR_RETURN(cri::VersionResponse version, runtime.Version({.version = "0.1.0"}));
    if (!version.runtime_name.empty()) pods.runtime_name = version.runtime_name;
    TakeCgroupDriver();
    base::LogInfo("container runtime", {{"name", version.runtime_name}, {"version", version.runtime_version}});
    return {};
  }
};

Node::Node(NodeOptions options, cri::RuntimeApi& runtime)
    : state_(std::make_unique<State>(std::move(options), runtime)) {}

Node::~Node() { Stop(); }

Result<void> Node::Start() {
  State& state = *state_;
  const NodeOptions& options = state.options;
  if (options.pods.node_name.empty()) return Fail(Code::kInvalidArgument, "empty hostname is invalid");
  TRY(state.FindFacts());
  TRY(base::MakeDirs(base::JoinPath(options.pods.root_dir, "pods"), 0750));
  TRY(base::MakeDirs(options.pods.pod_logs_dir));

  ManagerEvents events;
  events.on_sync = [&state](std::chrono::nanoseconds duration) {
    state.metrics.ObserveSync(duration);
    state.SetLimits();
  };
  events.on_restart = [&state] { state.metrics.CountRestart(); };
  state.manager = std::make_unique<PodManager>(options.pods, state.runtime, std::move(events));
  if (options.http_port) {
    NodeServerSources sources{.pods = [&state] { return state.manager->Pods(); },
                              .problems = [&state] { return state.Problems(); },
                              .health = [&state] { return state.manager->Health(); },
                              .configz = options.configz};
    state.server =
        std::make_unique<NodeServer>(http::ServerOptions{.address = options.http_address, .port = *options.http_port},
                                     std::move(sources), state.metrics, state.manager->settings());
    TRY(state.server->Start());
  }
  state.manager->Start();
  if (options.log_rotation) {
    state.log_rotation = std::make_unique<LogRotation>(*options.log_rotation, state.runtime);
    state.log_rotation->Start();
  }
  if (options.image_gc) {
    state.image_gc = std::make_unique<ImageGc>(
        *options.image_gc, state.runtime,
        ImageGcEvents{.wanted_images = [&state] { return state.WantedImages(); },
                      .on_removed = [&state](const std::string& reason) { state.metrics.CountRemovedImage(reason); },
                      .disk_use = {}});
  }
  state.cordon = std::make_unique<CordonWatch>(options.pods.root_dir, [&state](bool now) { state.TakeCordon(now); });
  TRY(state.cordon->Start());
  if (options.static_pod_path.empty() && options.static_pod_url.empty()) {
    state.manager->SetDesired({});
    if (state.image_gc) state.image_gc->Start();
    return {};
  }
  if (!options.static_pod_url.empty()) {
    state.url_source =
        std::make_unique<UrlSource>(UrlSourceOptions{.url = options.static_pod_url,
                                                     .headers = options.static_pod_url_headers,
                                                     .node_name = options.pods.node_name,
                                                     .check_frequency = options.http_check_frequency},
                                    [&state](SourceUpdate update) { state.TakeUpdate(kUrlSource, std::move(update)); });
    state.url_source->Start();
  }
  if (options.static_pod_path.empty()) return {};
  state.file_source = std::make_unique<StaticPodSource>(
      StaticPodSourceOptions{.path = options.static_pod_path,
                             .node_name = options.pods.node_name,
                             .check_frequency = options.file_check_frequency},
      [&state](SourceUpdate update) { state.TakeUpdate(kFileSource, std::move(update)); });
  return state.file_source->Start();
}

void Node::Stop() {
  if (state_->url_source) state_->url_source->Stop();
  if (state_->file_source) state_->file_source->Stop();
  if (state_->cordon) state_->cordon->Stop();
  if (state_->image_gc) state_->image_gc->Stop();
  if (state_->log_rotation) state_->log_rotation->Stop();
  if (state_->manager) state_->manager->Stop();
  if (state_->server) state_->server->Stop();
}

uint16_t Node::http_port() const { return state_->server ? state_->server->port() : 0; }

std::vector<PodSnapshot> Node::Pods() const {
  return state_->manager ? state_->manager->Pods() : std::vector<PodSnapshot>();
}

std::vector<ManifestProblem> Node::Problems() const { return state_->Problems(); }

std::string Node::Health() const { return state_->manager ? state_->manager->Health() : "not started"; }

const PodSettings& Node::settings() const {
  return state_->manager ? state_->manager->settings() : state_->options.pods;
}

}  // namespace portcullis::node
