// From a profile as written to the OCI profile of one container: conditions on capabilities, architecture and kernel
// are decided, once, with the rules of the runtime whose behaviour is wanted.
//
//   ResolveContext context{.bounding = spec.process.capabilities.bounding, .kernel = KernelVersion{6, 18}};
//   ASSIGN_OR_RETURN(DefaultProfile profile, FindDefaultProfile("containerd"));            // library.h
//   context.flavour = profile.flavour;
//   ASSIGN_OR_RETURN(ResolvedProfile resolved, Resolve(profile.profile, context));
//
// On an x86_64 host the default profiles give three architectures: X86_64, X86, X32.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/seccomp/profile.h"
#include "engine/seccomp/resolved.h"

namespace portcullis::seccomp {

// Whose rules. What differs:
//                    conditions   archMap                    minKernel               errno names   `name`     kernel
//                    unknown
//   kPortcullis      yes          every architecture         yes                     win           accepted   error
//   kDocker          yes          all but loongarch64        yes                     ignored       accepted   error
//   kCriO            yes          x86_64 aarch64 mips* s390x ignored                 win           accepted   -
//   kContainerd      yes (code)   all but mipsel64           unknown: rule dropped   win           accepted   rule
//   dropped kOciOnly         ignored      ignored                    ignored                 ignored       no names   -
// kContainerd is containerd's built-in default; kOciOnly is how containerd reads a Localhost file. kPortcullis,
// everything honoured as written, is for Localhost files here.
enum class Flavour : uint8_t { kPortcullis, kContainerd, kCriO, kDocker, kOciOnly };

std::string_view FlavourName(Flavour flavour);  // "portcullis", "containerd", "cri-o", "docker", "oci"

struct ResolveContext {
  // The container's bounding set, names like "CAP_SYS_ADMIN", compared exactly. nullopt: the container has no
  // capability settings at all; under kCriO capability conditions then never drop a rule, under the others it is an
  // empty set.
  std::optional<std::vector<std::string>> bounding = std::vector<std::string>{};
  Arch host = syscalls::NativeArch();
  std::optional<KernelVersion> kernel;  // of the host; see ParseKernelRelease
  Flavour flavour = Flavour::kPortcullis;
};

// Errors (kInvalidArgument): architectures and archMap both given, an unknown errno name, minKernel with an unknown
// kernel.
Result<ResolvedProfile> Resolve(const Profile& profile, const ResolveContext& context);

}  // namespace portcullis::seccomp
