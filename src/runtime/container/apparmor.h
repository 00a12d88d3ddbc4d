// AppArmor on this host: whether it is on, which profiles are loaded, and this runtime's own default profile.
//
//   AppArmor apparmor = AppArmor::Start(FindProgram("apparmor_parser"));   // loads the default where AppArmor is on
//   ASSIGN_OR_RETURN(std::string profile, apparmor.ProfileFor("runtime/default", warnings));   // "portcullis-default"
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace portcullis::runtime {

// kFailedPrecondition when AppArmor is off, or when no profile of that name is loaded: an OCI runtime would say no more
// than that a file of /proc cannot be written. `list` is the kernel's list of them ("name (enforce)"), but in tests.
Result<void> CheckAppArmorProfile(const std::string& name,
                                  const std::string& list = "/sys/kernel/security/apparmor/profiles");

// Where the kernel says what; tests give files of their own.
struct AppArmorFiles {
  std::string enabled = "/sys/module/apparmor/parameters/enabled";
  std::string profiles = "/sys/kernel/security/apparmor/profiles";
};

class AppArmor {
 public:
  // Where AppArmor is on, has `parser` (apparmor_parser; "" when it is not installed) load the default profile anew.
  // What fails is logged; containers then run without one unless it is loaded already.
  static AppArmor Start(const std::string& parser, AppArmorFiles files = {});

  bool enabled() const { return enabled_; }
  // "" when containers can have the default profile; else why not.
  const std::string& problem() const { return problem_; }

  // The name of the profile for a container, "" for none. `wanted` as Kubernetes writes it: "runtime/default",
  // "localhost/<name>", "unconfined", or "" when nothing is said, which is the default profile where AppArmor is on. A
  // named one that is not loaded is kFailedPrecondition; a default that was asked for and cannot be had is a warning.
  Result<std::string> ProfileFor(const std::string& wanted, std::vector<std::string>& warnings) const;

 private:
  explicit AppArmor(AppArmorFiles files) : files_(std::move(files)) {}

  AppArmorFiles files_;
  bool enabled_ = false;
  std::string problem_;
};

}  // namespace portcullis::runtime
