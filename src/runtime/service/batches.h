// Lists as server streams: a few at a time, so that no message grows with the node.
//
//   SendInBatches(all.items, &cri::StreamPodSandboxesResponse::pod_sandboxes, sink);
#pragma once

#include <algorithm>
#include <vector>

#include "cri/runtime_api.h"

namespace portcullis::runtime {

// Ends early when the peer has gone.
template <class Item, class Message>
void SendInBatches(const std::vector<Item>& items, std::vector<Item> Message::* field, const cri::Sink<Message>& sink) {
  constexpr size_t kBatch = 100;
  for (size_t at = 0; at < items.size(); at += kBatch) {
    Message batch;
    const auto begin = items.begin() + static_cast<std::ptrdiff_t>(at);
    (batch.*field).assign(begin, begin + static_cast<std::ptrdiff_t>(std::min(kBatch, items.size() - at)));
    if (!sink(batch)) return;
  }
}

}  // namespace portcullis::runtime
