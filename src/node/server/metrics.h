// The node's metrics in Prometheus' text form. Gauges are taken from snapshots at scrape time; counters and latencies
// come in as events.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "node/pod/manager.h"

namespace portcullis::node {

class Metrics {
 public:
  explicit Metrics(const std::string& version);
  ~Metrics();

  void ObserveSync(std::chrono::nanoseconds duration);
  void CountRestart();
  void CountRemovedImage(const std::string& reason);  // "space" or "age"

  // Thread-safe. `settings` decides the effective profile of each container.
  std::string Render(const std::vector<PodSnapshot>& pods, size_t manifest_problems, const PodSettings& settings);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace portcullis::node
