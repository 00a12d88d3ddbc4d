// Seccomp filters of this machine's kernel: installed in the calling thread, and read back from a running process.
//
//   TRY(host::Install(filter.program, filter.flags));                        for good: a filter cannot be taken off
//   ASSIGN_OR_RETURN(auto filters, host::ReadFilters(pid));                  newest first; none: empty
//
// Sources: seccomp(2); ptrace(2), PTRACE_SECCOMP_GET_FILTER (kernel 4.4, CONFIG_CHECKPOINT_RESTORE).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "engine/bpf/program.h"

namespace portcullis::host {

// `flags` are SECCOMP_FILTER_FLAG_*. A thread without CAP_SYS_ADMIN first gives up new privileges
// (PR_SET_NO_NEW_PRIVS). Errors: a program that bpf::Check refuses, and what the kernel says.
Result<void> Install(std::span<const bpf::Insn> program, uint32_t flags);

// The same with SECCOMP_FILTER_FLAG_NEW_LISTENER: the descriptor on which the calls arrive that the program answers
// with SECCOMP_RET_USER_NOTIF. Also: EBUSY, another filter of the thread has a listener already.
Result<base::UniqueFd> InstallWithListener(std::span<const bpf::Insn> program, uint32_t flags);

// The filters of one thread (of a process: its main thread). It is stopped for the reading, well below a millisecond,
// and always let go. Needs CAP_SYS_ADMIN here, none of its own filters, and the right to trace the process.
// Errors: kNotFound, no such process; kFailedPrecondition, it has a tracer already, is the caller, or the kernel lacks
// the operation; kPermissionDenied.
Result<std::vector<bpf::Program>> ReadFilters(pid_t pid);

}  // namespace portcullis::host
