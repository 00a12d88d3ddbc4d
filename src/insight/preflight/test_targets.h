// What the tests of this room share.
#pragma once

#include <gtest/gtest.h>

#include "engine/seccomp/library.h"
#include "engine/syscalls/syscalls.h"
#include "insight/preflight/preflight.h"

namespace portcullis::insight {

inline Target TargetOf(const std::string& name, seccomp::KernelVersion kernel = {6, 1}) {
  auto found = seccomp::FindDefaultProfile(name);
  EXPECT_TRUE(found) << found.error().message;
  return {.name = found->runtime + "@" + found->release,
          .profile = found->profile,
          .flavour = found->flavour,
          .kernel = kernel,
          .host = syscalls::Arch::kX86_64,
          .newer = UsualNewer(found->flavour)};
}

inline Call CallOf(std::string_view name, std::vector<CallArgument> arguments = {},
                   CallResult result = CallResult::kAllowed, int error = 0, std::string executable = "/bin/x",
                   syscalls::Arch arch = syscalls::Arch::kX86_64) {
  Call call{.executable = std::move(executable),
            .phase = Phase::kServing,
            .arguments = std::move(arguments),
            .result = result,
            .error = error};
  call.audit_arch = syscalls::InfoOf(arch).audit_arch;
  call.number = syscalls::NumberOf(arch, name).value();
  return call;
}

}  // namespace portcullis::insight
