#include "cli/self_confinement.h"

#include <sysexits.h>

#include <cstdlib>

#include "base/log.h"
#include "base/try.h"
#include "host/confine/confine.h"

namespace portcullis::cli {

void SelfConfinementFlags::AddTo(CommandLine& line) {
  line.Text("--self-seccomp", &self_seccomp,
            "this process's own filter (containers have theirs): enforce, log what it would deny, or off");
}

Result<void> SelfConfinementFlags::Apply() const {
  const auto mode = host::ParseConfineMode(self_seccomp);
  if (!mode) return Wrap(mode.error(), "--self-seccomp");
  if (*mode == host::ConfineMode::kOff) {
    base::LogWarning("this process runs without a seccomp filter of its own");
    return {};
  }
  const auto done = host::Confine(*mode, [] {
    base::LogError("the spawner is gone, so no program can be started; containers run on for the next start");
    std::_Exit(EX_SOFTWARE);
  });
  if (!done) return Wrap(done.error(), "--self-seccomp={}", self_seccomp);
  base::LogInfo("confined itself", {{"selfSeccomp", self_seccomp},
                                    {"instructions", std::to_string(done->instructions)},
                                    {"spawner", std::to_string(done->spawner)}});
  return {};
}

}  // namespace portcullis::cli
