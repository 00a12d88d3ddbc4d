#include "runtime/service/batches.h"
#include "runtime/service/filters.h"
#include "runtime/service/runtime_service.h"

namespace portcullis::runtime {
Result<cri::ListContainersResponse> RuntimeService::ListContainers(const cri::ListContainersRequest& request) {
  cri::ListContainersResponse response;
  for (ContainerRow& row : registry_->Containers()) {
    if (!IsVisible(row.step) || !Matches(row, request.filter)) continue;
    cri::Container item;
    item.id = row.id;
    item.pod_sandbox_id = row.sandbox_id;
    item.metadata = row.config.metadata;
    item.image = row.config.image;
    // Not the digest of the status: kubelets before 1.30 know images in use by this, and remove what no container
    // names.
    item.image_ref = row.image_id;
    item.image_id = row.image_id;
    item.state = StateOf(row);
    item.created_at = row.created_at;
    item.labels = std::move(row.config.labels);
    item.annotations = std::move(row.config.annotations);
    response.containers.push_back(std::move(item));
  }
  return response;
}

Result<void> RuntimeService::StreamContainers(const cri::StreamContainersRequest& request,
                                              const cri::Sink<cri::StreamContainersResponse>& sink) {
  auto all = ListContainers({.filter = request.filter});
  if (!all) return Failure(std::move(all).error());
  SendInBatches(all->containers, &cri::StreamContainersResponse::containers, sink);
  return {};
}

}  // namespace portcullis::runtime
