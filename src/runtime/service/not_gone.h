// NotFound from Stop and Remove means to clients that the container or sandbox is gone, so they stop asking. When
// anything else was not found on the way (a plugin, a file), it is not gone: that must be another code.
#pragma once

#include <utility>

#include "base/result.h"

namespace portcullis::runtime {

template <class T>
Result<T> NotGone(Result<T> result) {
  if (!result && result.error().code == Code::kNotFound) {
    Error error = std::move(result).error();
    error.code = Code::kInternal;
    return Failure(std::move(error));
  }
  return result;
}

}  // namespace portcullis::runtime
