// Kubelet configurations from anyone, as a file and as a drop-in over a good file: merging and showing must not crash.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "spec/k8s/kubelet_config.h"

namespace {

using namespace portcullis;

void Show(const Result<k8s::MergedConfig>& config) {
  if (!config) return;
  (void)k8s::RenderConfigText(*config);
  (void)k8s::RenderConfigJson(*config).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  (void)config->runtime_request_timeout();
  (void)config->container_log_max_size();
  (void)config->cluster_dns();
  (void)config->pod_pids_limit();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  k8s::KubeletConfigInputs alone;
  alone.file = k8s::ConfigText{"/etc/fuzz.yaml", text};
  Show(k8s::MergeKubeletConfig(alone));
  k8s::KubeletConfigInputs over;
  over.file = k8s::ConfigText{"/etc/good.yaml",
                              "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nmaxPods: 7\n"};
  over.drop_ins = {{"/etc/conf.d/10-fuzz.conf", text}};
  Show(k8s::MergeKubeletConfig(over));
  return 0;
}
