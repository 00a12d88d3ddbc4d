// One action for each of a list, as crictl does it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/strings.h"

namespace portcullis::cli {

// Does the rest of the list although one of it failed; the error tells of all.
template <class Item, class Do>
Result<void> ForEach(const std::vector<Item>& items, Do action) {
  std::vector<std::string> messages;
  Code code = Code::kOk;
  for (const Item& item : items) {
    if (auto done = action(item); !done) {
      messages.push_back(done.error().message);
      code = done.error().code;
    }
  }
  if (messages.empty()) return {};
  return Fail(code, "{}", base::Join(messages, "; "));
}

}  // namespace portcullis::cli
