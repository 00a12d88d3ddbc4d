// The AppArmor profile that containers get where the host has AppArmor and their pod names none: RuntimeDefault.
//
//   const std::string text = DefaultAppArmorText("portcullis-default");   // for apparmor_parser
//
// It keeps a container off what is the kernel's and the host's: no writes below /proc beside the folders of processes,
// none below /sys beside its cgroups, no mounts, signals and ptrace only among containers. Capabilities, files and
// networks are not narrowed: capabilities, mounts and seccomp are set elsewhere. (apparmor.d(5) is the language.)
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace portcullis::runtime {

inline constexpr char kDefaultAppArmorProfile[] = "portcullis-default";

std::string DefaultAppArmorText(std::string_view name = kDefaultAppArmorProfile);

// AppArmor has no "all but": the patterns that match every name in `folder` and all below it, except what begins with
// `word`. AllBut("/sys/fs/", "cg") -> {"/sys/fs/[^c]**", "/sys/fs/c[^g]**"}.
std::vector<std::string> AllBut(std::string_view folder, std::string_view word);

}  // namespace portcullis::runtime
