// Brings the audit records of a recording's time into it, where the recorder itself could not tell what became of a
// call: kills, and calls that a filter only logs. Each call counts once.
//
//   Evidence records;                        // of the recorded workloads, as the recording names them
//   MergeAuditRecords(records, {.kills = true}, evidence);
//
// A record has no arguments. A logged call was recorded as allowed, with them: as many of those as there are records
// become logged; where it cannot be told which of them, that is said under `unseen`. A kill was recorded as a trap,
// which becomes a kill, or not at all: then the record is all there is. Pure.
#pragma once

#include "insight/evidence/evidence.h"

namespace portcullis::insight {

// Of which results the recording must be told.
struct AuditMerge {
  bool logged = false;
  bool kills = false;
};
void MergeAuditRecords(const Evidence& records, const AuditMerge& what, Evidence& recorded);

}  // namespace portcullis::insight
