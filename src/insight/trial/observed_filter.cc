#include "insight/trial/observed_filter.h"

#include <linux/seccomp.h>

#include <cerrno>
#include <cstring>

#include "base/strings.h"
#include "engine/syscalls/arch.h"
#include "engine/syscalls/constants.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis::insight {
namespace {

std::string NameOfCall(uint32_t audit_arch, uint32_t number) {
  if (const auto arch = syscalls::ArchFromAudit(audit_arch, number)) {
    if (const auto name = syscalls::NameOf(*arch, number)) return std::string(*name);
  }
  return fmt::format("syscall_{}", number);
}

}  // namespace

Result<bpf::Program> AskInsteadOfDeny(const bpf::Program& program) {
  bpf::Program out{{bpf::kLoad, 0, 0, bpf::kNrOffset},
                   {bpf::kJumpEq, 0, 1, kHelloCall},
                   {bpf::kReturn, 0, 0, SECCOMP_RET_USER_NOTIF}};
  for (bpf::Insn insn : program) {
    if (insn.code == bpf::kReturn) {
      const uint32_t action = insn.k & SECCOMP_RET_ACTION_FULL;
      if (action == SECCOMP_RET_USER_NOTIF) {
        return Fail(Code::kFailedPrecondition,
                    "the profile asks a listener of its own (SCMP_ACT_NOTIFY), which cannot be tried here");
      }
      if (action != SECCOMP_RET_ALLOW && action != SECCOMP_RET_TRAP) insn.k = SECCOMP_RET_USER_NOTIF;
    }
    out.push_back(insn);
  }
  if (out.size() > bpf::kMaxInstructions) {
    return Fail(Code::kResourceExhausted, "the filter has {} instructions, and three more do not fit", program.size());
  }
  return out;
}

ProfileAnswer AnswerOf(const bpf::Program& program, const bpf::Data& data) {
  const bpf::Outcome outcome = bpf::Run(program, data);
  ProfileAnswer out{.result = ResultOfCode(outcome.value), .by_arguments = outcome.looked_at_args};
  if (out.result == CallResult::kErrno) {
    // The kernel caps it at MAX_ERRNO.
    out.error = static_cast<int>(std::min<uint32_t>(outcome.value & SECCOMP_RET_DATA, 4095));
  } else if (out.result == CallResult::kTrace) {
    // Without a tracer the kernel answers this.
    out = {.result = CallResult::kErrno, .error = ENOSYS, .by_arguments = out.by_arguments};
  } else if (out.result == CallResult::kUnknown) {
    out.result = CallResult::kKillProcess;  // as the kernel takes what it does not know
  }
  return out;
}

DeniedCase CaseOf(const bpf::Data& data, const ProfileAnswer& answer) {
  if (answer.by_arguments) return CallOf(data, answer);
  return {.audit_arch = data.arch, .number = data.nr, .answer = answer};
}

DeniedCase CallOf(const bpf::Data& data, const ProfileAnswer& answer) {
  DeniedCase out{.audit_arch = data.arch, .number = data.nr, .answer = answer};
  const auto arch = syscalls::ArchFromAudit(data.arch, data.nr);
  if (!arch) return out;
  const bool narrow = syscalls::InfoOf(*arch).bits == 32;
  for (const int index : syscalls::KeptArguments(*arch, NameOfCall(data.arch, data.nr))) {
    const uint64_t value = data.args[static_cast<size_t>(index)];
    out.arguments.push_back({index, narrow ? value & UINT32_MAX : value});
  }
  return out;
}

std::string Text(const DeniedCase& denied) {
  const std::string name = NameOfCall(denied.audit_arch, denied.number);
  const auto arch = syscalls::ArchFromAudit(denied.audit_arch, denied.number);
  if (!arch) return fmt::format("{} (architecture {:x})", name, denied.audit_arch);
  std::string out = syscalls::DescribeCall(*arch, name, denied.arguments);
  if (*arch != syscalls::NativeArch()) {
    constexpr std::string_view kPrefix = "SCMP_ARCH_";
    out += fmt::format(" ({})", base::ToLower(syscalls::InfoOf(*arch).scmp_name.substr(kPrefix.size())));
  }
  return out;
}

std::string Text(const ProfileAnswer& answer) {
  if (answer.result != CallResult::kErrno) return std::string(NameOf(answer.result));
  const char* name = ::strerrorname_np(answer.error);
  return name == nullptr ? fmt::format("errno {}", answer.error) : fmt::format("errno {}", name);
}

}  // namespace portcullis::insight
