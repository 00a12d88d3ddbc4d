// Whether the state database can be relied on, asked before it is opened for use.
//
// Without its rows every container would count as a leftover and be removed at start. So what is damaged, or emptied
// while containers are there, is an error that says what to do, and nothing is changed.
#pragma once

#include <string>

#include "base/result.h"

namespace portcullis::runtime {

// kDataLoss when the file at `path` is no database, has bad pages, or is empty although `has_containers` (there are
// bundles, so it once had rows). No file at all is fine: that is a first start, or an administrator moved it away.
Result<void> CheckDatabase(const std::string& path, bool has_containers);

}  // namespace portcullis::runtime
