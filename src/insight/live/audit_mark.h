// A mark among the kernel's audit records, so that a reader knows when it has read all that was written before: records
// come in the order in which they were written, but some time after the calls that they are about.
//
//   ASSIGN_OR_RETURN(const uint32_t mark, LeaveAuditMark());
//   // read until a record has IsAuditMark and this number
//
// A thread of its own makes one call of a number that no call has, under a filter that logs it. Needs root or, as any
// filter, gives up new privileges: for that thread only.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace portcullis::insight {

Result<uint32_t> LeaveAuditMark();

}  // namespace portcullis::insight
