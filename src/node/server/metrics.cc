#include "node/server/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <mutex>

#include "spec/k8s/seccomp_profile.h"

namespace portcullis::node {
namespace {

// Runs of a worker: from "nothing to do" (a millisecond) to "an image was pulled" (minutes).
const prometheus::Histogram::BucketBoundaries kSyncBuckets{0.001, 0.005, 0.02, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 120};

std::string EffectiveName(const k8s::Pod& pod, const k8s::Container& container, const PodSettings& settings) {
  if (container.privileged()) return "privileged";  // the runtime drops whatever profile it has
  auto profile = k8s::ResolveSeccompProfile(
      pod.spec, container, {.seccomp_default = settings.seccomp_default, .root_dir = settings.root_dir});
  return profile ? k8s::SeccompTypeName(profile->type) : "error";
}

}  // namespace

struct Metrics::State {
  std::mutex scrape;  // one at a time: the gauges are set, then read
  prometheus::Registry registry;
  prometheus::Histogram* sync = nullptr;
  prometheus::Counter* restarts = nullptr;
  prometheus::Family<prometheus::Gauge>* pods = nullptr;
  prometheus::Family<prometheus::Gauge>* containers = nullptr;
  prometheus::Gauge* problems = nullptr;
  prometheus::Family<prometheus::Counter>* removed_images = nullptr;
};

Metrics::Metrics(const std::string& version) : state_(std::make_unique<State>()) {
  prometheus::Registry& registry = state_->registry;
  prometheus::BuildGauge()
      .Name("portcullis_build_info")
      .Help("Version of this node; always 1.")
      .Register(registry)
      .Add({{"version", version}})
      .Set(1);
  state_->sync = &prometheus::BuildHistogram()
                      .Name("portcullis_pod_sync_duration_seconds")
                      .Help("How long one run of a pod's worker took.")
                      .Register(registry)
                      .Add({}, kSyncBuckets);
  state_->restarts = &prometheus::BuildCounter()
                          .Name("portcullis_container_restarts_total")
                          .Help("Containers that this node started again since it started itself.")
                          .Register(registry)
                          .Add({});
  state_->pods = &prometheus::BuildGauge().Name("portcullis_pods").Help("Pods by phase.").Register(registry);
  state_->containers = &prometheus::BuildGauge()
                            .Name("portcullis_containers")
                            .Help("Running containers by the seccomp profile that a start today would give them.")
                            .Register(registry);
  state_->removed_images = &prometheus::BuildCounter()
                                .Name("portcullis_image_garbage_collected_total")
                                .Help("Images that were removed to make room, or for their age.")
                                .Register(registry);
  state_->problems = &prometheus::BuildGauge()
                          .Name("portcullis_bad_manifests")
                          .Help("Manifests that give no pod at present, or keep an old one.")
                          .Register(registry)
                          .Add({});
}

Metrics::~Metrics() = default;

void Metrics::ObserveSync(std::chrono::nanoseconds duration) {
  state_->sync->Observe(std::chrono::duration<double>(duration).count());
}

void Metrics::CountRemovedImage(const std::string& reason) {
  state_->removed_images->Add({{"reason", reason}}).Increment();
}

void Metrics::CountRestart() { state_->restarts->Increment(); }

std::string Metrics::Render(const std::vector<PodSnapshot>& pods, size_t manifest_problems,
                            const PodSettings& settings) {
  std::map<std::string, int> by_phase{{"Pending", 0}, {"Running", 0}, {"Succeeded", 0}, {"Failed", 0}};
  std::map<std::string, int> by_profile{{"RuntimeDefault", 0}, {"Localhost", 0}, {"Unconfined", 0}, {"privileged", 0}};
  for (const PodSnapshot& snapshot : pods) {
    ++by_phase[snapshot.status.phase];
    auto count = [&](const std::vector<k8s::Container>& containers, const std::vector<k8s::ContainerStatus>& statuses) {
      for (size_t i = 0; i < containers.size() && i < statuses.size(); ++i) {
        if (!std::holds_alternative<k8s::StateRunning>(statuses[i].state)) continue;
        ++by_profile[EffectiveName(*snapshot.pod, containers[i], settings)];
      }
    };
    count(snapshot.pod->spec.init_containers, snapshot.status.init_container_statuses);
    count(snapshot.pod->spec.containers, snapshot.status.container_statuses);
  }
  std::lock_guard<std::mutex> lock(state_->scrape);
  for (const auto& [phase, count] : by_phase) state_->pods->Add({{"phase", phase}}).Set(count);
  for (const auto& [profile, count] : by_profile) state_->containers->Add({{"profile", profile}}).Set(count);
  state_->problems->Set(static_cast<double>(manifest_problems));
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace portcullis::node
