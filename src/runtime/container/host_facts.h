// Reads what spec/oci/spec_builder.h must know about this process and host.
#pragma once

#include "base/result.h"
#include "runtime/container/cgroups.h"
#include "spec/oci/spec_builder.h"

namespace portcullis::runtime {

// Capabilities, oom_score_adj and limits of this process; the device nodes below /dev (not /dev/pts, /dev/shm, ...).
Result<oci::HostFacts> ReadHostFacts(const Cgroups& cgroups);

}  // namespace portcullis::runtime
