// Makes sense of what runc, crun and conmon say: error texts and conmon's sync pipe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace portcullis::runtime {

// What an OCI runtime wrote to its standard error, as one line fit for an Error:
//   time="2026-11-23T23:34:26Z" level=error msg="runc create failed: exec: \"/nope\": no such file"
//   -> exec: "/nope": no such file
// Log lines below level error are left out when there is an error line. Always UTF-8, at most 2000
// bytes and "...".
std::string CleanRuntimeMessage(std::string_view text);

// One JSON line of conmon's sync pipe: {"pid": 12}, {"pid": -1, "message": "..."}, {"exit_code": 9}.
struct SyncMessage {
  std::optional<int64_t> pid;
  std::optional<int64_t> exit_code;
  std::string message;  // as conmon passes it on from the OCI runtime
};
Result<SyncMessage> ParseSyncMessage(std::string_view line);

}  // namespace portcullis::runtime
