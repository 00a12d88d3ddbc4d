#include "runtime/container/apparmor_default.h"

#include <fmt/format.h>

namespace portcullis::runtime {

std::vector<std::string> AllBut(std::string_view folder, std::string_view word) {
  std::vector<std::string> patterns;
  patterns.reserve(word.size());
  for (size_t at = 0; at < word.size(); ++at) {
    patterns.push_back(fmt::format("{}{}[^{}]**", folder, word.substr(0, at), word[at]));
  }
  return patterns;
}

std::string DefaultAppArmorText(std::string_view name) {
  std::vector<std::string> rules = {
      "capability",
      "file",
      "network",
      "umount",
      "deny mount",
      // From the host: the runtime and its programs, wherever those have profiles of their own.
      "signal (receive) peer=unconfined",
      "signal (receive) peer=runc",
      "signal (receive) peer=crun",
      fmt::format("signal (send, receive) peer={}", name),
      fmt::format("ptrace (trace, read, tracedby, readby) peer={}", name),
      // All of /proc that is not a process: sysctls, sysrq-trigger, memory, interrupts.
      "deny /proc/[^0-9]** w",
  };
  for (const char* secret : {"kcore", "kmem", "mem", "sysrq-trigger"}) {
    rules.push_back(fmt::format("deny /proc/{} rwklx", secret));
  }
  // The folder names on the way to the cgroups, each with what is beside it.
  for (const std::string& pattern : AllBut("/sys/", "fs/")) rules.push_back("deny " + pattern + " wkl");
  for (const std::string& pattern : AllBut("/sys/fs/", "cgroup")) rules.push_back("deny " + pattern + " wkl");
  for (const char* secret : {"firmware", "kernel/security", "devices/virtual/powercap"}) {
    rules.push_back(fmt::format("deny /sys/{}/** rwklx", secret));
  }
  std::string text = fmt::format("profile {} flags=(attach_disconnected,mediate_deleted) {{\n", name);
  for (const std::string& rule : rules) text += "  " + rule + ",\n";
  return text + "}\n";
}

}  // namespace portcullis::runtime
