#include "runtime/service/filters.h"
#include "runtime/service/runtime_service.h"

namespace portcullis::runtime {
namespace {

constexpr size_t kStreamBatch = 100;

}  // namespace

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
  for (size_t at = 0; at < all->items.size(); at += kStreamBatch) {
    cri::StreamPodSandboxesResponse batch;
    const size_t end = std::min(all->items.size(), at + kStreamBatch);
    batch.pod_sandboxes.assign(all->items.begin() + static_cast<std::ptrdiff_t>(at),
                               all->items.begin() + static_cast<std::ptrdiff_t>(end));
    if (!sink(batch)) break;
  }
  return {};
}

}  // namespace portcullis::runtime
