// Pod manifests from anyone: loading must not crash or hang, and must keep its promise that there is a pod exactly when
// nothing is wrong.
#include <cstdint>
#include <string_view>

#include "require.h"
#include "spec/k8s/static_pod.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace portcullis;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const k8s::PodLoad load = k8s::LoadStaticPod(text, {.file = "/m/fuzz.yaml", .node_name = "n1", .seen = 1});
  Require(load.pod.has_value() == load.error.empty());
  Require(load.error.find('\n') == std::string::npos);
  const k8s::PodLoad again = k8s::LoadStaticPod(text, {.file = "/m/fuzz.yaml", .node_name = "n1", .seen = 1});
  Require(again.error == load.error && again.pod.has_value() == load.pod.has_value());
  return 0;
}
