// A moment of a container's life as the runtime tells it to recorders of other processes: one JSON object a message.
//
//   {"moment":"created","id":"9c1f…","bundle":"/run/portcullis/bundles/9c1f…","pid":4711,"cgroup":"/kubepods/pod…/9c1f…"}
//   {"moment":"stopping","id":"9c1f…","signal":15}
//   {"moment":"exit","id":"9c1f…","exitCode":0}
//
// Pure.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace portcullis::insight {

inline constexpr size_t kMaxMomentBytes = 16u << 10;

enum class MomentKind { kCreated, kStopping, kExit };

struct Moment {
  MomentKind kind = MomentKind::kCreated;
  std::string id;
  std::string bundle;  // created
  pid_t pid = 0;       // created
  std::string cgroup;  // created: as in Cgroups, the path in every hierarchy
  int signal = 0;      // stopping; 0: killed at once
  int exit_code = 0;   // exit

  bool operator==(const Moment&) const = default;
};

std::string FormatMoment(const Moment& moment);
// kInvalidArgument names the field.
Result<Moment> ParseMoment(std::string_view text);

}  // namespace portcullis::insight
