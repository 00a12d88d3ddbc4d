// The node's HTTP endpoints (kubernetes-seccomp.md 6.16): /healthz, /pods, /metrics, /configz, and /manifests for bad
// manifests.
//
// /pods shows each pod as its manifest and Kubernetes' defaulting made it: the node's SeccompDefault never shows in a
// spec.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http/server.h"
#include "node/pod/manager.h"
#include "node/server/metrics.h"
#include "node/source/manifest_store.h"

namespace portcullis::node {

struct NodeServerSources {  // called on the server's thread
  std::function<std::vector<PodSnapshot>()> pods;
  std::function<std::vector<ManifestProblem>()> problems;
  std::function<std::string()> health;  // "" = healthy
  std::string configz;                  // JSON
};

class NodeServer {
 public:
  NodeServer(http::ServerOptions options, NodeServerSources sources, Metrics& metrics, const PodSettings& settings);
  Result<void> Start() { return server_.Start(); }
  void Stop() { server_.Stop(); }
  uint16_t port() const { return server_.port(); }

 private:
  http::Server server_;
};

// The JSON bodies, for tests and for `portcullis status`.
std::string PodsBody(const std::vector<PodSnapshot>& pods);
std::string ManifestsBody(const std::vector<ManifestProblem>& problems);

}  // namespace portcullis::node
