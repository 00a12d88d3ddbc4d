// A recording, with what the user said about it.
#pragma once

#include <optional>
#include <string>

#include "insight/evidence/evidence.h"

namespace portcullis::insight {

struct Trace {
  std::string name;  // as the user named it
  Evidence evidence;
  // Commands of this trace count as this container ("namespace", "pod", "container").
  std::optional<Workload> as;
};

}  // namespace portcullis::insight
