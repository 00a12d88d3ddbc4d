// TRY and ASSIGN_OR_RETURN: hand an Error to the caller. For .cc files only (macros do not belong in headers).
#pragma once

#include "base/result.h"

#define PORTCULLIS_CONCAT_(a, b) a##b
#define PORTCULLIS_CONCAT(a, b) PORTCULLIS_CONCAT_(a, b)

// TRY(DoIt(x));
#define TRY(expr)                                                                                              \
  do {                                                                                                         \
    if (auto try_result_ = (expr); !try_result_) return ::portcullis::Failure(std::move(try_result_).error()); \
  } while (false)

// ASSIGN_OR_RETURN(auto value, Compute(x));
#define ASSIGN_OR_RETURN(lhs, expr) PORTCULLIS_ASSIGN_OR_RETURN_(PORTCULLIS_CONCAT(result_, __LINE__), lhs, expr)
#define PORTCULLIS_ASSIGN_OR_RETURN_(result, lhs, expr)                 \
  auto result = (expr);                                                 \
  if (!result) return ::portcullis::Failure(std::move(result).error()); \
  lhs = std::move(result).value()
