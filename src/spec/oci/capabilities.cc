#include "spec/oci/capabilities.h"

#include <algorithm>
#include <cctype>

#include "base/try.h"

namespace portcullis::oci {
namespace {

constexpr std::string_view kNames[] = {
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
};

constexpr std::string_view kDefaults[] = {
    "CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FSETID",           "CAP_FOWNER",
    "CAP_MKNOD",   "CAP_NET_RAW",      "CAP_SETGID",           "CAP_SETUID",
    "CAP_SETFCAP", "CAP_SETPCAP",      "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT",
    "CAP_KILL",    "CAP_AUDIT_WRITE",
};

bool Contains(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// "net_admin" -> "CAP_NET_ADMIN"; "all" -> "ALL".
std::string FullName(const std::string& name) {
  std::string upper = name;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (upper == "ALL" || upper.starts_with("CAP_")) return upper;
  return "CAP_" + upper;
}

Result<std::vector<std::string>> FullNames(const std::vector<std::string>& names, std::string_view purpose) {
  std::vector<std::string> out;
  for (const std::string& name : names) {
    std::string full = FullName(name);
    if (full != "ALL" && std::find(std::begin(kNames), std::end(kNames), full) == std::end(kNames)) {
      return Fail(Code::kInvalidArgument, "unknown capability \"{}\" to {}", full, purpose);
    }
    out.push_back(std::move(full));
  }
  return out;
}

}  // namespace

std::span<const std::string_view> CapabilityNames() { return kNames; }

std::span<const std::string_view> DefaultCapabilityNames() { return kDefaults; }

std::vector<std::string> CapabilitiesOfMask(uint64_t mask) {
  std::vector<std::string> out;
  for (size_t bit = 0; bit < std::size(kNames); ++bit) {
    if ((mask >> bit & 1) != 0) out.emplace_back(kNames[bit]);
  }
  return out;
}

Result<CapabilitySet> ComputeCapabilities(const CapabilityRequest& request) {
  CapabilitySet set;
  if (request.privileged) {
    set.bounding = request.daemon;
    return set;
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> add, FullNames(request.add, "add"));
  ASSIGN_OR_RETURN(const std::vector<std::string> drop, FullNames(request.drop, "drop"));
  ASSIGN_OR_RETURN(const std::vector<std::string> ambient, FullNames(request.ambient, "add as ambient"));

  std::vector<std::string> wanted(std::begin(kDefaults), std::end(kDefaults));
  if (Contains(add, "ALL")) wanted = request.daemon;
  if (Contains(drop, "ALL")) wanted.clear();
  std::vector<std::string> named = add;
  named.insert(named.end(), ambient.begin(), ambient.end());
  for (const std::string& name : named) {
    if (name != "ALL" && !Contains(wanted, name)) wanted.push_back(name);
  }
  std::erase_if(wanted, [&](const std::string& name) { return Contains(drop, name); });

  for (const std::string& name : wanted) {
    if (!Contains(request.daemon, name)) {
      if (Contains(named, name)) {
        set.notes.push_back(fmt::format("capability {} is not given: the runtime itself does not have it", name));
      }
      continue;
    }
    set.bounding.push_back(name);
    if (Contains(ambient, name) || (Contains(ambient, "ALL"))) set.ambient.push_back(name);
  }
  return set;
}

}  // namespace portcullis::oci
