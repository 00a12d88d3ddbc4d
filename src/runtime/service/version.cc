#include "runtime/service/runtime_service.h"

namespace portcullis::runtime {

Result<cri::VersionResponse> RuntimeService::Version(const cri::VersionRequest&) {
  // `version` is that of the kubelet's runtime API, the same string for every runtime.
  return cri::VersionResponse{.version = "0.1.0",
                              .runtime_name = kRuntimeName,
                              .runtime_version = kRuntimeVersion,
                              .runtime_api_version = "v1"};
}

}  // namespace portcullis::runtime
