// Any program whatever: refused, found equal, or refuted by a call that it really answers differently.
#include <cstdlib>
#include <string_view>

#include "engine/filter/prove.h"

using namespace portcullis;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const filter::Behaviour behaviour = [] {
    seccomp::ResolvedProfile profile;
    profile.default_action = seccomp::Action::kErrno;
    profile.syscalls = {{.names = {"read", "write"}, .action = seccomp::Action::kAllow, .errno_ret = {}, .args = {}},
                        {.names = {"socket"},
                         .action = seccomp::Action::kAllow,
                         .errno_ret = {},
                         .args = {{.index = 0, .value = 40, .value_two = 0, .op = seccomp::CompareOp::kLess}}}};
    return filter::Describe(profile);
  }();
  const auto program = bpf::FromBytes({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!program) return 0;
  const auto verdict = filter::Prove(*program, behaviour);
  if (!verdict || verdict->equal) return 0;
  const filter::Counterexample& example = *verdict->counterexample;
  if (example.from_program == example.from_profile) std::abort();
  if (bpf::Run(*program, example.call).value != example.from_program) std::abort();
  return 0;
}
