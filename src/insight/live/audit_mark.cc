#include "insight/live/audit_mark.h"

#include <linux/seccomp.h>
#include <unistd.h>

#include <random>
#include <thread>

#include "base/try.h"
#include "engine/bpf/program.h"
#include "host/filter/filters.h"
#include "insight/evidence/audit_record.h"

namespace portcullis::insight {

Result<uint32_t> LeaveAuditMark() {
  const uint32_t mark = kAuditMarks | (std::random_device{}() & 0x00ffffff);
  const bpf::Program logs_it = {{bpf::kLoad, 0, 0, bpf::kNrOffset},
                                {bpf::kJumpEq, 0, 1, mark},
                                {bpf::kReturn, 0, 0, SECCOMP_RET_LOG},
                                {bpf::kReturn, 0, 0, SECCOMP_RET_ALLOW}};
  // A filter is for good, so the thread that has it ends.
  Result<void> installed;
  std::thread([&] {
    installed = host::Install(logs_it, 0);
    if (installed) (void)::syscall(mark);
  }).join();
  if (!installed) return Wrap(std::move(installed).error(), "mark the audit records");
  return mark;
}

}  // namespace portcullis::insight
