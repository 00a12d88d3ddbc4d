#include "node/server/node_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/unique_fd.h"
#include "spec/k8s/static_pod.h"

namespace portcullis::node {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Get(uint16_t port, const std::string& path) {
  base::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  std::string request = "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  EXPECT_EQ(::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
  std::string answer;
  char buffer[4096];
  for (ssize_t n; (n = ::recv(fd.get(), buffer, sizeof buffer, 0)) > 0;) answer.append(buffer, static_cast<size_t>(n));
  return answer;
}

PodSnapshot Snapshot(const std::string& containers) {
  k8s::PodLoad load =
      k8s::LoadStaticPod("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n" + containers,
                         {.file = "f", .node_name = "n1", .seen = 1});
  EXPECT_TRUE(load.pod.has_value()) << load.error;
  PodSnapshot snapshot{std::make_shared<const k8s::Pod>(std::move(*load.pod)), {}, false};
  snapshot.status.phase = "Running";
  for (const k8s::Container& container : snapshot.pod->spec.containers) {
    snapshot.status.container_statuses.push_back({.name = container.name, .state = k8s::StateRunning{1}});
  }
  return snapshot;
}

TEST(NodeServer, ServesItsEndpoints) {
  PodSettings settings;
  settings.seccomp_default = true;
  std::string health;
  Metrics metrics("1.2.3");
  metrics.CountRestart();
  metrics.ObserveSync(std::chrono::milliseconds(3));
  std::vector<PodSnapshot> pods = {
      Snapshot("  - {name: a, image: \"i:1\"}\n"
               "  - {name: b, image: \"i:1\", securityContext: {seccompProfile: {type: Unconfined}}}\n"
               "  - {name: p, image: \"i:1\", securityContext: {privileged: true}}\n")};
  ManifestProblem problem{"/m/bad.yaml", "no", {{.line = 3, .field = "spec", .message = "wrong"}}, true};
  NodeServer server({},
                    {.pods = [&] { return pods; },
                     .problems = [&] { return std::vector<ManifestProblem>{problem}; },
                     .health = [&] { return health; },
                     .configz = "{\"kubeletconfig\":{}}"},
                    metrics, settings);
  ASSERT_TRUE(server.Start().has_value());

  EXPECT_THAT(Get(server.port(), "/healthz"), StartsWith("HTTP/1.1 200 "));
  health = "container runtime is down";
  EXPECT_THAT(Get(server.port(), "/healthz"), StartsWith("HTTP/1.1 500 "));

  std::string body = Get(server.port(), "/pods");
  EXPECT_THAT(body, HasSubstr("Content-Type: application/json"));
  EXPECT_THAT(body, HasSubstr("\"kind\":\"PodList\""));
  EXPECT_THAT(body, HasSubstr("\"name\":\"web-n1\""));
  EXPECT_THAT(Get(server.port(), "/configz"), HasSubstr("{\"kubeletconfig\":{}}"));
  EXPECT_THAT(Get(server.port(), "/manifests"), HasSubstr("\"file\":\"/m/bad.yaml\",\"oldPodKept\":true"));

  std::string text = Get(server.port(), "/metrics");
  for (const char* line :
       {"portcullis_build_info{version=\"1.2.3\"} 1", "portcullis_pods{phase=\"Running\"} 1",
        "portcullis_containers{profile=\"RuntimeDefault\"} 1", "portcullis_containers{profile=\"Unconfined\"} 1",
        "portcullis_containers{profile=\"privileged\"} 1", "portcullis_bad_manifests 1",
        "portcullis_container_restarts_total 1", "portcullis_pod_sync_duration_seconds_count 1"}) {
    EXPECT_THAT(text, HasSubstr(std::string(line) + "\n"));
  }
}

}  // namespace
}  // namespace portcullis::node
