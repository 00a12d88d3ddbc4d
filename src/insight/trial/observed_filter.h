// A filter that shows what a profile would deny, without deciding it: every answer that is not ALLOW becomes a question
// to a supervisor (SECCOMP_RET_USER_NOTIF), who knows what the profile's own filter answers and replies with that, or
// lets the call through.
//
//   ASSIGN_OR_RETURN(const bpf::Program asking, AskInsteadOfDeny(filter.program));
//   …                                        // a call arrives at the supervisor
//   ProfileAnswer answer = AnswerOf(filter.program, data);       // kErrno, EPERM
//
// The arguments, the caller and the errno are known exactly, and nothing is lost: the caller waits. Pure.
// SECCOMP_RET_TRAP stays as it is, since only the kernel can make that signal.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/bpf/program.h"
#include "insight/evidence/evidence.h"

namespace portcullis::insight {

// A call that no kernel has, and that the asking filter always passes on: the supervised process makes it first, and by
// its answer knows that the supervisor is there.
inline constexpr uint32_t kHelloCall = 0x3ffffff0;

// Errors: the profile has a listener of its own (SCMP_ACT_NOTIFY), or the program is too long.
Result<bpf::Program> AskInsteadOfDeny(const bpf::Program& program);

struct ProfileAnswer {
  CallResult result = CallResult::kAllowed;  // kAllowed, kLogged, kErrno, kKillThread, kKillProcess
  int error = 0;                             // kErrno
  bool by_arguments = false;                 // other arguments may be answered otherwise
  auto operator<=>(const ProfileAnswer&) const = default;
};
ProfileAnswer AnswerOf(const bpf::Program& program, const bpf::Data& data);

// Denied calls that are tried, and told, as one: the same call with the same answer, and where the profile looks at the
// arguments, with the same ones.
struct DeniedCase {
  uint32_t audit_arch = 0;
  uint32_t number = 0;
  std::vector<CallArgument> arguments;
  ProfileAnswer answer;
  auto operator<=>(const DeniedCase&) const = default;
};
DeniedCase CaseOf(const bpf::Data& data, const ProfileAnswer& answer);
// The same with every argument that evidence keeps: for telling, not for trying.
DeniedCase CallOf(const bpf::Data& data, const ProfileAnswer& answer);

// "unshare(CLONE_NEWUSER)", "socketcall (x86)": the architecture where it is not this machine's.
std::string Text(const DeniedCase& denied);
// "errno EPERM", "killProcess".
std::string Text(const ProfileAnswer& answer);

}  // namespace portcullis::insight
