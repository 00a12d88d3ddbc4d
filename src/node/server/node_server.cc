#include "node/server/node_server.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "spec/k8s/pod_status.h"

namespace portcullis::node {
namespace {

constexpr const char* kJson = "application/json";

nlohmann::json ToJson(const Diagnostic& diagnostic) {
  return {{"severity", diagnostic.severity == Severity::kError ? "error" : "warning"},
          {"line", diagnostic.line},
          {"column", diagnostic.column},
          {"field", diagnostic.field},
          {"message", diagnostic.message},
          {"hint", diagnostic.hint}};
}

// Manifests are UTF-8, but messages of containers may be anything.
std::string Dump(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string PodsBody(const std::vector<PodSnapshot>& pods) {
  std::vector<std::pair<const k8s::Pod*, const k8s::PodStatus*>> list;
  list.reserve(pods.size());
  for (const PodSnapshot& snapshot : pods) list.emplace_back(snapshot.pod.get(), &snapshot.status);
  return Dump(k8s::PodListToJson(list));
}

std::string ManifestsBody(const std::vector<ManifestProblem>& problems) {
  nlohmann::json list = nlohmann::json::array();
  for (const ManifestProblem& problem : problems) {
    nlohmann::json diagnostics = nlohmann::json::array();
    for (const Diagnostic& diagnostic : problem.diagnostics) diagnostics.push_back(ToJson(diagnostic));
    list.push_back({{"file", problem.file},
                    {"error", problem.error},
                    {"oldPodKept", problem.kept},
                    {"diagnostics", std::move(diagnostics)}});
  }
  return Dump({{"problems", std::move(list)}});
}

NodeServer::NodeServer(http::ServerOptions options, NodeServerSources sources, Metrics& metrics,
                       const PodSettings& settings)
    : server_(std::move(options)) {
  auto shared = std::make_shared<const NodeServerSources>(std::move(sources));
  server_.Handle("GET", "/healthz", [shared](const http::Request&) {
    std::string problem = shared->health();
    if (problem.empty()) return http::Response{.body = "ok"};
    return http::Response{.status = 500, .body = problem + "\n"};
  });
  server_.Handle("GET", "/pods", [shared](const http::Request&) {
    return http::Response{.content_type = kJson, .body = PodsBody(shared->pods())};
  });
  server_.Handle("GET", "/manifests", [shared](const http::Request&) {
    return http::Response{.content_type = kJson, .body = ManifestsBody(shared->problems())};
  });
  server_.Handle("GET", "/configz", [shared](const http::Request&) {
    return http::Response{.content_type = kJson, .body = shared->configz};
  });
  server_.Handle("GET", "/metrics", [shared, &metrics, &settings](const http::Request&) {
    return http::Response{.content_type = "text/plain; version=0.0.4; charset=utf-8",
                          .body = metrics.Render(shared->pods(), shared->problems().size(), settings)};
  });
}

}  // namespace portcullis::node
