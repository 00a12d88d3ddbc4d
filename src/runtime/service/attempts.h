// Does several things that must all be tried, and keeps the first error.
//
//   Attempts undo;
//   undo.Try(DeleteA());
//   undo.Try(DeleteB());      // also when A failed
//   return undo.Outcome();
#pragma once

#include <optional>
#include <utility>

#include "base/result.h"

namespace portcullis::runtime {

class Attempts {
 public:
  void Try(Result<void> result) {
    if (!result && !first_) first_ = std::move(result).error();
  }
  Result<void> Outcome() {
    if (first_) return Failure(std::move(*first_));
    return {};
  }

 private:
  std::optional<Error> first_;
};

}  // namespace portcullis::runtime
