#include "runtime/service/streaming_checks.h"

namespace portcullis::runtime {

Result<void> CheckStreams(const std::string& container_id, bool tty, bool input, bool output, bool error) {
  if (container_id.empty()) return Fail(Code::kInvalidArgument, "missing required container_id");
  if (tty && error) return Fail(Code::kInvalidArgument, "tty and stderr cannot both be true");
  if (!input && !output && !error) {
    return Fail(Code::kInvalidArgument, "one of stdin, stdout, or stderr must be set");
  }
  return {};
}

}  // namespace portcullis::runtime
