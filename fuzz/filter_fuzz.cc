// A profile becomes a filter that is proven equal to it, or an error; and filter, behaviour and reference semantics
// agree on calls made from the same bytes.
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "engine/filter/compile.h"
#include "engine/filter/prove.h"
#include "engine/seccomp/check.h"
#include "engine/seccomp/evaluate.h"
#include "engine/seccomp/profile_json.h"
#include "engine/seccomp/resolve.h"

using namespace portcullis;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto profile = seccomp::ParseProfile(text, "fuzz", seccomp::ParseMode::kLenient);
  if (!profile || !seccomp::CheckUsable(*profile, "fuzz")) return 0;
  const auto resolved = seccomp::Resolve(*profile, {.kernel = seccomp::KernelVersion{6, 18}});
  if (!resolved) return 0;
  const filter::Options options{.native = syscalls::NativeArch(), .newer = filter::NewerSyscalls::kAsWritten};
  const auto compiled = filter::Compile(*resolved, options);
  if (!compiled) return 0;
  const filter::Behaviour behaviour = filter::Describe(*resolved, options);
  const auto verdict = filter::Prove(compiled->program, behaviour);
  if (verdict && !verdict->equal) std::abort();
  for (size_t at = 0; at + 28 <= size && at < 280; at += 28) {
    bpf::Data call{.arch = behaviour.groups[at % behaviour.groups.size()].audit_arch, .nr = 0, .args = {}};
    std::memcpy(&call.nr, data + at, sizeof call.nr);
    if (at % 2 == 0) call.nr %= 512;
    std::memcpy(call.args.data(), data + at + 4, 24);
    const uint32_t answer = bpf::Run(compiled->program, call).value;
    if (answer != filter::Answer(behaviour, call.arch, call.nr, call.args)) std::abort();
    const auto arch = syscalls::ArchFromAudit(call.arch, call.nr);
    if (!arch) continue;
    const auto decision = seccomp::Evaluate(*resolved, *arch, call.nr, call.args);
    if (answer != filter::ToReturnValue(decision.action, decision.data)) std::abort();
  }
  return 0;
}
