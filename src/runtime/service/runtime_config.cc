#include "runtime/service/runtime_service.h"

namespace portcullis::runtime {

// A kubelet (1.28 and later) takes its cgroup driver from here.
Result<cri::RuntimeConfigResponse> RuntimeService::RuntimeConfig(const cri::RuntimeConfigRequest&) {
  cri::RuntimeConfigResponse response;
  response.linux = cri::LinuxRuntimeConfiguration{.cgroup_driver = driver_};
  return response;
}

// The kubelet tells its pod CIDR. CNI's configuration is the administrator's here, so there is nothing to do.
Result<cri::UpdateRuntimeConfigResponse> RuntimeService::UpdateRuntimeConfig(const cri::UpdateRuntimeConfigRequest&) {
  return cri::UpdateRuntimeConfigResponse{};
}

}  // namespace portcullis::runtime
