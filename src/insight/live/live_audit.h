// Seccomp records as the kernel writes them, live: from the audit system's multicast group, which works beside or
// without an audit daemon and was measured to lose none of 5,000 at once; where that is not to be had, from the
// kernel's log, whose rate limit lets few through.
//
//   ASSIGN_OR_RETURN(LiveAudit audit, LiveAudit::Open());
//   while (…) TRY(audit.Receive(std::chrono::seconds(1), [&](const AuditRecord& record) { … }));
//   for (Loss& loss : audit.Losses()) …            // what the kernel dropped since Open
//
// Records before Open are not seen. The multicast group needs CAP_AUDIT_READ and the initial network namespace, the log
// CAP_SYSLOG. One thread at a time. Sources: kernel/audit.c (kauditd_send_multicast_skb),
// Documentation/ABI/testing/dev-kmsg.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "insight/evidence/audit_record.h"
#include "insight/evidence/evidence.h"

namespace portcullis::insight {

enum class AuditSource {
  kBest,  // the multicast group, else the kernel's log
  kMulticast,
  kKernelLog,
};

class LiveAudit {
 public:
  // A call of our own must show among the records of the group, else none would.
  static Result<LiveAudit> Open(AuditSource source = AuditSource::kBest);
  LiveAudit(LiveAudit&&) noexcept;
  LiveAudit& operator=(LiveAudit&&) noexcept;
  ~LiveAudit();

  // kMulticast or kKernelLog; and why it is not the better one, "" when it is.
  AuditSource source() const;
  const std::string& why_not_multicast() const;

  // Readable when records wait: for a caller that has more to poll.
  int fd() const;

  // Waits until something comes, at most `timeout`, and gives every seccomp record that is there to `take`; its views
  // hold for the call. Errors: the socket broke.
  using Take = std::function<void(const AuditRecord&)>;
  Result<void> Receive(std::chrono::milliseconds timeout, const Take& take);

  // Gives all that was written before this call: a mark of our own (audit_mark.h) tells when it has come. kUnavailable:
  // it does not come, so records of logged calls do not reach us. Of the kernel's log what is there, without a mark.
  Result<void> ReceiveAllSoFar(const Take& take);

  // What was lost since Open: messages that were not read in time, that the audit system itself gave up (audit_lost),
  // numbers of events that never came, messages that printk suppressed. Asks the kernel.
  std::vector<Loss> Losses() const;

 private:
  struct State;
  explicit LiveAudit(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace portcullis::insight
