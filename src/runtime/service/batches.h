// Long lists over a stream, in messages of a bounded length.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

namespace portcullis::runtime {

// Hands `items` to `send` at most a hundred at a time, in order, until there are no more or it returns false.
template <class Item, class Send>
void SendInBatches(const std::vector<Item>& items, const Send& send) {
  constexpr size_t kBatch = 100;
  for (std::span<const Item> rest = items; !rest.empty(); rest = rest.subspan(std::min(rest.size(), kBatch))) {
    const auto batch = rest.first(std::min(rest.size(), kBatch));
    if (!send(std::vector<Item>(batch.begin(), batch.end()))) return;
  }
}

}  // namespace portcullis::runtime
