// CHECK: an invariant of this program is broken; print where and abort. Never for input of any kind.
#pragma once

namespace portcullis::base {
[[noreturn]] void CheckFailed(const char* expression, const char* file, int line);
}  // namespace portcullis::base

#define CHECK(condition) ((condition) ? void(0) : ::portcullis::base::CheckFailed(#condition, __FILE__, __LINE__))
