#include "runtime/container/pause_request.h"

#include <algorithm>

#include "base/strings.h"
#include "base/try.h"
#include "helper/pause_protocol.h"

namespace portcullis::runtime {
namespace {

using oci::NamespaceType;

Failure NotByHelper(std::string_view what) {
  return Fail(Code::kUnimplemented, "portcullis-pause does not do {}", what);
}

const oci::Namespace* Find(const oci::Spec& spec, NamespaceType type) {
  const auto& all = spec.linux_.namespaces;
  const auto found = std::find_if(all.begin(), all.end(), [&](const oci::Namespace& one) { return one.type == type; });
  return found == all.end() ? nullptr : &*found;
}

bool OnlyDeniesDevices(const std::vector<oci::DeviceRule>& rules) {
  return rules.size() == 1 && !rules[0].allow && rules[0].type.empty() && !rules[0].major && !rules[0].minor;
}

// Only what Cgroups::Limits has a place for.
Result<void> CheckResources(const oci::Spec& spec) {
  if (!spec.linux_.resources || !OnlyDeniesDevices(spec.linux_.resources->devices)) {
    return NotByHelper("device rules but \"none\"");
  }
  oci::Resources rest = *spec.linux_.resources;
  rest.devices.clear();
  rest.cpu_shares.reset();
  rest.cpu_quota.reset();
  rest.cpu_period.reset();
  rest.memory_limit.reset();
  rest.pids_limit.reset();
  if (rest != oci::Resources{}) return NotByHelper("these resource limits");
  return {};
}

Result<void> CheckProcess(const oci::Process& process) {
  if (process.terminal) return NotByHelper("terminals");
  if (process.cwd != "/") return NotByHelper("a working directory");
  if (!process.capabilities || *process.capabilities != oci::Capabilities{}) return NotByHelper("capabilities");
  if (!process.no_new_privileges) return NotByHelper("new privileges");
  if (!process.rlimits.empty()) return NotByHelper("resource limits of a process");
  if (!process.apparmor_profile.empty() || !process.selinux_label.empty()) return NotByHelper("security labels");
  if (process.user.additional_gids.size() > helper::kMaxPauseGroups) return NotByHelper("that many groups");
  return {};
}

// Of a namespace that the sandbox does not share with the host; the OCI runtimes refuse the others in their own words.
Result<void> CheckSysctls(const oci::Spec& spec) {
  if (spec.linux_.sysctl.size() > helper::kMaxPauseSysctls) return NotByHelper("that many sysctls");
  for (const auto& [name, value] : spec.linux_.sysctl) {
    const bool plain = !name.starts_with('.') && !name.ends_with('.') && name.find("..") == std::string::npos &&
                       std::all_of(name.begin(), name.end(), [](unsigned char c) {
                         return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
                       });
    const bool of_network = name.starts_with("net.") && Find(spec, NamespaceType::kNetwork) != nullptr;
    const bool of_ipc = Find(spec, NamespaceType::kIpc) != nullptr &&
                        (name.starts_with("fs.mqueue.") || name == "kernel.sem" || name.starts_with("kernel.shm") ||
                         name.starts_with("kernel.msg"));
    if (!plain || (!of_network && !of_ipc)) return NotByHelper("sysctl " + base::Quote(name));
    if (value.find('\0') != std::string::npos) return NotByHelper("a sysctl's value with a NUL");
  }
  return {};
}

Result<void> CheckRoot(const oci::Spec& spec) {
  const bool bare = spec.mounts.empty() && spec.linux_.masked_paths.empty() && spec.linux_.readonly_paths.empty() &&
                    spec.linux_.devices.empty() && spec.linux_.rootfs_propagation.empty();
  if (!bare) return NotByHelper("mounts, devices and masked paths");
  if (!spec.root.readonly || !spec.root.path.starts_with('/')) return NotByHelper("a writable root");
  return {};
}

class Writer {
 public:
  void Add(std::string_view key, std::string_view value) {
    text_.append(key).append("=").append(value).push_back('\0');
  }
  void Add(std::string_view key, int64_t value) { Add(key, std::string_view(std::to_string(value))); }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

Result<void> AddNamespaces(const oci::Spec& spec, Writer& out) {
  for (const oci::Namespace& one : spec.linux_.namespaces) {
    switch (one.type) {
      case NamespaceType::kNetwork:
        if (one.path.empty()) return NotByHelper("a network namespace that nobody made");
        out.Add("network", one.path);
        break;
      case NamespaceType::kUser:
        return NotByHelper("user namespaces");
      case NamespaceType::kPid:
      case NamespaceType::kIpc:
      case NamespaceType::kUts:
      case NamespaceType::kMount:
      case NamespaceType::kCgroup:
        if (!one.path.empty()) return NotByHelper("joining namespaces but the network's");
        out.Add("unshare", oci::NamespaceTypeName(one.type));
        break;
    }
  }
  if (Find(spec, NamespaceType::kMount) == nullptr) return NotByHelper("sandboxes in the host's mount namespace");
  if (!spec.hostname.empty() && Find(spec, NamespaceType::kUts) == nullptr) return NotByHelper("the host's hostname");
  return {};
}

}  // namespace

Result<std::string> PauseRequest(const oci::Spec& spec, const PauseRequestExtras& extras) {
  TRY(CheckProcess(spec.process));
  TRY(CheckRoot(spec));
  TRY(CheckResources(spec));
  TRY(CheckSysctls(spec));
  if (spec.linux_.seccomp.has_value() != extras.filter_flags.has_value()) return NotByHelper("this seccomp profile");
  Writer out;
  TRY(AddNamespaces(spec, out));
  out.Add("root", spec.root.path);
  if (!spec.hostname.empty()) out.Add("hostname", spec.hostname);
  for (const auto& [name, value] : spec.linux_.sysctl) out.Add("sysctl", fmt::format("{}={}", name, value));
  if (spec.process.oom_score_adj) out.Add("oom-score-adj", *spec.process.oom_score_adj);
  out.Add("uid", spec.process.user.uid);
  out.Add("gid", spec.process.user.gid);
  for (const uint32_t gid : spec.process.user.additional_gids) out.Add("group", gid);
  if (extras.filter_flags) out.Add("filter", *extras.filter_flags);
  if (!extras.device_cgroup.empty()) out.Add("device-cgroup", extras.device_cgroup);
  std::string request = out.Take();
  if (request.size() > helper::kMaxPauseRequest) return NotByHelper("requests of that length");
  return request;
}

Cgroups::Limits PauseLimits(const oci::Spec& spec) {
  Cgroups::Limits limits;
  if (!spec.linux_.resources) return limits;
  limits.cpu_shares = spec.linux_.resources->cpu_shares;
  limits.cpu_quota_micros = spec.linux_.resources->cpu_quota;
  limits.cpu_period_micros = spec.linux_.resources->cpu_period;
  limits.memory_bytes = spec.linux_.resources->memory_limit;
  limits.pids = spec.linux_.resources->pids_limit;
  return limits;
}

}  // namespace portcullis::runtime
