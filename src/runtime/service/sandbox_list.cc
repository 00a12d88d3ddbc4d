#include "runtime/service/batches.h"
#include "runtime/service/filters.h"
#include "runtime/service/runtime_service.h"

namespace portcullis::runtime {
Result<cri::ListPodSandboxResponse> RuntimeService::ListPodSandbox(const cri::ListPodSandboxRequest& request) {
  cri::ListPodSandboxResponse response;
  for (SandboxRow& row : registry_->Sandboxes()) {
    if (!IsVisible(row.step) || !Matches(row, request.filter)) continue;
    cri::PodSandbox item;
    item.id = row.id;
    item.metadata = row.config.metadata;
    item.state = StateOf(row);
    item.created_at = row.created_at;
    item.labels = std::move(row.config.labels);
    item.annotations = std::move(row.config.annotations);
    item.runtime_handler = row.runtime_handler;
    response.items.push_back(std::move(item));
  }
  return response;
}

Result<void> RuntimeService::StreamPodSandboxes(const cri::StreamPodSandboxesRequest& request,
                                                const cri::Sink<cri::StreamPodSandboxesResponse>& sink) {
  auto all = ListPodSandbox({.filter = request.filter});
  if (!all) return Failure(std::move(all).error());
  SendInBatches(all->items, &cri::StreamPodSandboxesResponse::pod_sandboxes, sink);
  return {};
}

}  // namespace portcullis::runtime
