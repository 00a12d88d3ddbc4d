#include "node/agent/node.h"

#include <mutex>
#include <optional>
#include <utility>

#include "base/files.h"
#include "base/log.h"
#include "base/try.h"
#include "node/agent/host_facts.h"
#include "node/server/metrics.h"
#include "node/server/node_server.h"
#include "node/source/cordon.h"
#include "node/source/static_pod_source.h"

namespace portcullis::node {

struct Node::State {
  State(NodeOptions the_options, cri::RuntimeApi& the_runtime)
      : options(std::move(the_options)), runtime(the_runtime), metrics(options.version) {}

  NodeOptions options;
  cri::RuntimeApi& runtime;
  Metrics metrics;
  std::unique_ptr<PodManager> manager;
  std::unique_ptr<StaticPodSource> source;
  std::unique_ptr<NodeServer> server;

  std::unique_ptr<CordonWatch> cordon;

  mutable std::mutex mutex;
  std::vector<ManifestProblem> problems;
  std::optional<std::vector<std::shared_ptr<const k8s::Pod>>>
      wanted;  // what the source says; not before its first word
  bool cordoned = false;

  void TakeUpdate(SourceUpdate update) {
    std::vector<std::shared_ptr<const k8s::Pod>> pods;
    pods.reserve(update.pods.size());
    for (SourcePod& item : update.pods) pods.push_back(std::move(item.pod));
    std::lock_guard<std::mutex> lock(mutex);
    problems = std::move(update.problems);
    wanted = std::move(pods);
    Decide();
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

  // Under the mutex, so that the manager's last word is the newest.
  void Decide() {
    if (wanted) manager->SetDesired(cordoned ? std::vector<std::shared_ptr<const k8s::Pod>>() : *wanted);
  }

  std::vector<ManifestProblem> Problems() const {
    std::lock_guard<std::mutex> lock(mutex);
    return problems;
  }

  Result<void> FindFacts() {
    PodSettings& pods = options.pods;
    if (pods.host_ip.empty()) pods.host_ip = HostIp();
    if (pods.memory_capacity == 0) pods.memory_capacity = MemoryCapacity();
    if (pods.cpu_capacity_milli == 0) pods.cpu_capacity_milli = CpuCapacityMilli();
    pods.cgroup_v2 = UnifiedCgroups();
    ASSIGN_OR_RETURN(cri::VersionResponse version, runtime.Version({.version = "0.1.0"}));
    if (!version.runtime_name.empty()) pods.runtime_name = version.runtime_name;
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
  events.on_sync = [&state](std::chrono::nanoseconds duration) { state.metrics.ObserveSync(duration); };
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
  state.cordon = std::make_unique<CordonWatch>(options.pods.root_dir, [&state](bool now) { state.TakeCordon(now); });
  TRY(state.cordon->Start());
  if (options.static_pod_path.empty()) {
    state.TakeUpdate({});
    return {};
  }
  state.source =
      std::make_unique<StaticPodSource>(StaticPodSourceOptions{.path = options.static_pod_path,
                                                               .node_name = options.pods.node_name,
                                                               .check_frequency = options.file_check_frequency},
                                        [&state](SourceUpdate update) { state.TakeUpdate(std::move(update)); });
  return state.source->Start();
}

void Node::Stop() {
  if (state_->source) state_->source->Stop();
  if (state_->cordon) state_->cordon->Stop();
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
