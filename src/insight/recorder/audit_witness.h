// What the kernel cannot tell the recorder (EbpfRecorder::blind_spots), from its audit records of the same time.
//
//   AuditWitness witness(*recorder);
//   poll({witness.fd(), …}); witness.Read();
//   ASSIGN_OR_RETURN(Evidence evidence, recorder->Collect());
//   witness.Testify(evidence);
//
// With no blind spots it opens nothing. Where the records cannot be had, or some are lost, the evidence says so.
#pragma once

#include <optional>
#include <string>

#include "insight/evidence/evidence.h"
#include "insight/live/live_audit.h"
#include "insight/recorder/ebpf_recorder.h"

namespace portcullis::insight {

class AuditWitness {
 public:
  // Before what is recorded starts; the recorder must live on.
  explicit AuditWitness(const EbpfRecorder& recorder);

  // -1: nothing to wait for.
  int fd() const { return audit_ ? audit_->fd() : -1; }
  // Takes what is there.
  void Read();

  // Waits for the records of all that has been called so far, and merges those of recorded workloads.
  void Testify(Evidence& evidence);

 private:
  Result<void> Open();
  void Take(const AuditRecord& record);

  const EbpfRecorder& recorder_;
  std::optional<LiveAudit> audit_;
  std::string why_not_;           // no records can be had
  std::string kills_are_hidden_;  // nor those of kills
  Evidence records_;
};

}  // namespace portcullis::insight
