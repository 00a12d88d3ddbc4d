// The profiles behind a decision: the node's default, and Localhost files. Reads files; resolves for one container.
//
//   ASSIGN_OR_RETURN(SeccompProfiles profiles, SeccompProfiles::Load("containerd", "/var/lib/kubelet/seccomp"));
//   ASSIGN_OR_RETURN(SeccompResult seccomp, profiles.Resolve(decision, bounding));
//   seccomp.profile      -> spec.linux.seccomp, absent when unconfined
//   seccomp.description  == "RuntimeDefault (containerd@2.2.4)"
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/seccomp/profile.h"
#include "engine/seccomp/resolve.h"
#include "engine/seccomp/resolved.h"
#include "runtime/service/seccomp_decision.h"

namespace portcullis::runtime {

// Longest Localhost file that is read.
inline constexpr size_t kMaxSeccompFile = 1u << 20;

struct SeccompResult {
  std::optional<seccomp::ResolvedProfile> profile;
  std::string description;  // "RuntimeDefault (containerd@2.2.4)", "Localhost /x/y.json", "Unconfined"
  std::vector<std::string> warnings;
};

class SeccompProfiles {
 public:
  // `default_profile` as ServiceOptions has it. An unknown name or an unusable file is an error now, not at the first
  // pod.
  static Result<SeccompProfiles> Load(const std::string& default_profile, const std::string& seccomp_root);

  // A Localhost file is read anew each time: Kubernetes' containers get what the file says when they are made.
  Result<SeccompResult> Resolve(const SeccompDecision& decision, const std::vector<std::string>& bounding) const;

  const std::string& default_name() const { return default_name_; }  // "containerd@2.2.4" or the file's path
  const seccomp::Profile& default_profile() const { return default_; }
  bool kernel_has_seccomp() const { return kernel_has_seccomp_; }

 private:
  SeccompProfiles() = default;

  std::string default_name_;
  seccomp::Profile default_;
  seccomp::Flavour flavour_ = seccomp::Flavour::kPortcullis;
  std::optional<seccomp::KernelVersion> kernel_;
  std::string root_;
  bool kernel_has_seccomp_ = true;
};

// The text of a Localhost profile: a regular file of bounded size below `root`, also when links are followed.
// Texts are containerd's: `cannot load seccomp profile "/p": open /p: no such file or directory`.
Result<std::string> ReadLocalhostProfile(const std::string& root, const std::string& path);

// Asks the kernel (prctl PR_SET_SECCOMP with no program: EINVAL means that it has no filters).
bool KernelHasSeccomp();

}  // namespace portcullis::runtime
