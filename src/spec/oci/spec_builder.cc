#include "spec/oci/spec_builder.h"

#include <algorithm>
#include <limits>

#include "base/strings.h"
#include "base/try.h"
#include "spec/oci/spec_defaults.h"
#include "spec/oci/user.h"

namespace portcullis::oci {
namespace {

bool Contains(const std::vector<std::string>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

bool IsAbsolute(const std::string& path) { return path.starts_with('/'); }

// A later setting of a name replaces the earlier one in its place.
void SetEnv(std::vector<std::string>& env, const std::string& entry) {
  const std::string_view prefix = std::string_view(entry).substr(0, entry.find('=') + 1);
  const auto same =
      std::find_if(env.begin(), env.end(), [&](const std::string& other) { return other.starts_with(prefix); });
  if (same == env.end()) {
    env.push_back(entry);
  } else {
    *same = entry;
  }
}

Result<std::vector<std::string>> BuildEnv(const std::string& hostname, bool tty,
                                          const std::vector<std::string>& image_env,
                                          const std::vector<std::pair<std::string, std::string>>& config_env) {
  std::vector<std::string> env = {kDefaultPath};
  if (!hostname.empty()) env.push_back("HOSTNAME=" + hostname);
  if (tty) env.push_back("TERM=xterm");
  for (const std::string& entry : image_env) {
    const size_t equals = entry.find('=');
    if (equals == 0 || equals == std::string::npos) continue;  // nameless or valueless: no environment variable at all
    SetEnv(env, entry);
  }
  for (const auto& [name, value] : config_env) {
    if (name.empty() || name.find('=') != std::string::npos) {
      return Fail(Code::kInvalidArgument, "env: {} is not a variable name", base::Quote(name));
    }
    SetEnv(env, fmt::format("{}={}", name, value));
  }
  return env;
}

// CRI: a command replaces the image's entrypoint and its cmd; args alone replace the cmd.
Result<std::vector<std::string>> BuildArgs(const ImageProcessConfig& image, const std::vector<std::string>& command,
                                           const std::vector<std::string>& args) {
  std::vector<std::string> out = command.empty() ? image.entrypoint : command;
  if (out.size() == 1 && out[0].empty()) out.clear();
  const std::vector<std::string>& rest = command.empty() && args.empty() ? image.cmd : args;
  out.insert(out.end(), rest.begin(), rest.end());
  if (out.empty())
    return Fail(Code::kInvalidArgument, "no command specified: neither the container nor its image has one");
  return out;
}

struct UserRequest {
  std::string username;
  std::optional<int64_t> uid;
  std::optional<int64_t> gid;
  std::vector<int64_t> supplemental;
  bool strict = false;
  std::string_view image_user;
  std::string_view passwd;
  std::string_view group;
};

Result<User> BuildUser(const UserRequest& request) {
  ASSIGN_OR_RETURN(const std::string user_string,
                   UserString(request.username, request.uid, request.gid, std::string(request.image_user)));
  ASSIGN_OR_RETURN(const ResolvedUser resolved, ResolveUser(request.passwd, request.group, user_string));
  User user;
  user.uid = resolved.uid;
  user.gid = resolved.gid;
  const auto add = [&](uint32_t gid) {
    if (std::find(user.additional_gids.begin(), user.additional_gids.end(), gid) == user.additional_gids.end()) {
      user.additional_gids.push_back(gid);
    }
  };
  add(resolved.gid);
  if (!request.strict) {
    for (const uint32_t gid : resolved.group_gids) add(gid);
  }
  for (const int64_t gid : request.supplemental) {
    if (gid < 0 || gid > std::numeric_limits<int32_t>::max()) {
      return Fail(Code::kInvalidArgument, "supplemental_groups: {} is not a group id", gid);
    }
    add(static_cast<uint32_t>(gid));
  }
  return user;
}

// Lowering it below one's own takes CAP_SYS_RESOURCE.
std::optional<int64_t> ClampOomScore(std::optional<int64_t> wanted, const HostFacts& host,
                                     std::vector<std::string>& notes) {
  if (!wanted || *wanted >= host.oom_score_adj || Contains(host.capabilities, "CAP_SYS_RESOURCE")) return wanted;
  notes.push_back(fmt::format("oom_score_adj {} is raised to {}: the runtime has no CAP_SYS_RESOURCE", *wanted,
                              host.oom_score_adj));
  return host.oom_score_adj;
}

std::vector<Rlimit> ClampRlimits(std::vector<Rlimit> limits, const HostFacts& host, std::vector<std::string>& notes) {
  for (Rlimit& limit : limits) {
    const auto maximum = host.rlimit_maximum.find(limit.type);
    if (maximum != host.rlimit_maximum.end() && limit.hard > maximum->second &&
        !Contains(host.capabilities, "CAP_SYS_RESOURCE")) {
      notes.push_back(fmt::format("{} {} is lowered to {}: the runtime has no CAP_SYS_RESOURCE", limit.type, limit.hard,
                                  maximum->second));
      limit.hard = maximum->second;
    }
    limit.soft = std::min(limit.soft, limit.hard);
  }
  return limits;
}

Result<void> Join(std::vector<Namespace>& out, NamespaceType type, const std::string& path, std::string_view whose) {
  if (!IsAbsolute(path)) {
    return Fail(Code::kInvalidArgument, "{} has no {} namespace to join: path {}", whose, NamespaceTypeName(type),
                base::Quote(path));
  }
  out.push_back({type, path});
  return {};
}

Result<std::vector<Namespace>> ContainerNamespaces(const ContainerSpecInput& in) {
  std::vector<Namespace> out;
  switch (in.modes.pid) {
    case NamespaceMode::kContainer:
      out.push_back({NamespaceType::kPid, ""});
      break;
    case NamespaceMode::kPod:
      TRY(Join(out, NamespaceType::kPid, in.sandbox.pid, "the sandbox"));
      break;
    case NamespaceMode::kTarget:
      TRY(Join(out, NamespaceType::kPid, in.sandbox.pid, "the target container"));
      break;
    case NamespaceMode::kNode:
      break;
  }
  if (in.modes.ipc != NamespaceMode::kNode) TRY(Join(out, NamespaceType::kIpc, in.sandbox.ipc, "the sandbox"));
  if (in.modes.network != NamespaceMode::kNode) {
    TRY(Join(out, NamespaceType::kUts, in.sandbox.uts, "the sandbox"));
    TRY(Join(out, NamespaceType::kNetwork, in.sandbox.network, "the sandbox"));
  }
  out.push_back({NamespaceType::kMount, ""});
  if (in.host.unified_cgroups && !in.capabilities.privileged) out.push_back({NamespaceType::kCgroup, ""});
  return out;
}

Result<void> CheckMounts(const std::vector<Mount>& mounts) {
  for (const Mount& mount : mounts) {
    if (!IsAbsolute(mount.destination)) {
      return Fail(Code::kInvalidArgument, "mount of {}: container path {} is not absolute", mount.source,
                  base::Quote(mount.destination));
    }
  }
  return {};
}

Result<std::string> WorkingDir(const std::string& wanted, const std::string& of_image) {
  const std::string& dir = wanted.empty() ? of_image : wanted;
  if (dir.empty()) return std::string("/");
  if (!IsAbsolute(dir)) return Fail(Code::kInvalidArgument, "working directory {} is not absolute", base::Quote(dir));
  return dir;
}

Resources WithDeviceRules(Resources resources, const std::vector<DeviceRequest>& devices, bool privileged) {
  std::vector<DeviceRule> rules;
  rules.push_back({.allow = privileged, .type = "", .major = {}, .minor = {}, .access = "rwm"});
  if (!privileged) {
    for (const DeviceRequest& request : devices) {
      rules.push_back({.allow = true,
                       .type = request.device.type,
                       .major = request.device.major,
                       .minor = request.device.minor,
                       .access = request.access});
    }
  }
  resources.devices.insert(resources.devices.begin(), rules.begin(), rules.end());
  return resources;
}

}  // namespace

void DropRuntimeAnnotations(std::map<std::string, std::string>& annotations, std::vector<std::string>& notes) {
  std::erase_if(annotations, [&](const auto& entry) {
    constexpr std::string_view kCommands[] = {"run.oci.", "org.systemd.property.", "module.wasm."};
    const std::string name = base::ToLower(entry.first);
    if (std::ranges::none_of(kCommands, [&](std::string_view prefix) { return name.starts_with(prefix); }))
      return false;
    notes.push_back(fmt::format("annotation {} is dropped: it would command the OCI runtime", entry.first));
    return true;
  });
}

Result<BuiltSpec> BuildContainerSpec(const ContainerSpecInput& in) {
  const bool privileged = in.capabilities.privileged;
  BuiltSpec built;
  Spec& spec = built.spec;
  std::vector<std::string>& notes = built.notes;

  Process& process = spec.process;
  process.terminal = in.tty;
  ASSIGN_OR_RETURN(process.args, BuildArgs(in.image, in.command, in.args));
  ASSIGN_OR_RETURN(process.env, BuildEnv(in.hostname, in.tty, in.image.env, in.env));
  ASSIGN_OR_RETURN(process.cwd, WorkingDir(in.working_dir, in.image.working_dir));
  ASSIGN_OR_RETURN(process.user,
                   BuildUser({in.run_as_username, in.run_as_user, in.run_as_group, in.supplemental_groups,
                              in.strict_supplemental_groups, in.image.user, in.passwd_text, in.group_text}));
  ASSIGN_OR_RETURN(CapabilitySet set, ComputeCapabilities(in.capabilities));
  notes.insert(notes.end(), set.notes.begin(), set.notes.end());
  // Nothing is inheritable: a file's inheritable capabilities would otherwise raise it for an unprivileged user.
  process.capabilities = Capabilities{set.bounding, set.bounding, set.ambient, set.bounding, set.ambient};
  process.no_new_privileges = in.no_new_privileges;
  process.oom_score_adj = ClampOomScore(in.oom_score_adj, in.host, notes);
  process.rlimits = ClampRlimits(in.rlimits, in.host, notes);
  if (!privileged) process.apparmor_profile = in.apparmor_profile;

  spec.root = {in.rootfs, in.readonly_rootfs};
  TRY(CheckMounts(in.mounts));
  spec.mounts = DefaultMounts(/*writable_sys=*/privileged);
  spec.mounts.push_back(ShmMount(in.shm_path));
  AddMounts(spec.mounts, in.mounts);

  spec.annotations = in.annotations;
  DropRuntimeAnnotations(spec.annotations, notes);

  Linux& out = spec.linux_;
  ASSIGN_OR_RETURN(out.namespaces, ContainerNamespaces(in));
  out.cgroups_path = in.cgroups_path;
  out.resources = WithDeviceRules(in.resources, in.devices, privileged);
  out.rootfs_propagation = RootfsPropagation(in.mounts);
  if (privileged) {
    out.devices = in.host.devices;
  } else {
    for (const DeviceRequest& request : in.devices) out.devices.push_back(request.device);
    out.masked_paths = in.masked_paths.value_or(DefaultMaskedPaths());
    out.readonly_paths = in.readonly_paths.value_or(DefaultReadonlyPaths());
    out.seccomp = in.seccomp;
  }
  return built;
}

Result<BuiltSpec> BuildSandboxSpec(const SandboxSpecInput& in) {
  BuiltSpec built;
  Spec& spec = built.spec;

  Process& process = spec.process;
  ASSIGN_OR_RETURN(process.args, BuildArgs(in.image, {}, {}));
  ASSIGN_OR_RETURN(process.env, BuildEnv("", false, in.image.env, {}));
  ASSIGN_OR_RETURN(process.cwd, WorkingDir("", in.image.working_dir));
  ASSIGN_OR_RETURN(process.user, BuildUser({"", in.run_as_user, in.run_as_group, in.supplemental_groups, false,
                                            in.image.user, in.passwd_text, in.group_text}));
  process.capabilities = Capabilities{};
  process.no_new_privileges = true;
  process.oom_score_adj = ClampOomScore(in.oom_score_adj, in.host, built.notes);

  spec.root = {in.rootfs, true};
  TRY(CheckMounts(in.mounts));
  if (!in.bare) {
    spec.mounts = DefaultMounts(false);
    spec.mounts.push_back(ShmMount(in.shm_path));
  }
  AddMounts(spec.mounts, in.mounts);
  spec.annotations = in.annotations;
  DropRuntimeAnnotations(spec.annotations, built.notes);

  Linux& out = spec.linux_;
  if (in.modes.pid != NamespaceMode::kNode) out.namespaces.push_back({NamespaceType::kPid, ""});
  if (in.modes.ipc != NamespaceMode::kNode) out.namespaces.push_back({NamespaceType::kIpc, ""});
  if (in.modes.network != NamespaceMode::kNode) {
    out.namespaces.push_back({NamespaceType::kUts, ""});
    TRY(Join(out.namespaces, NamespaceType::kNetwork, in.network_namespace, "the sandbox"));
    spec.hostname = in.hostname;
  }
  out.namespaces.push_back({NamespaceType::kMount, ""});
  if (in.host.unified_cgroups) out.namespaces.push_back({NamespaceType::kCgroup, ""});
  out.sysctl = in.sysctls;
  out.cgroups_path = in.cgroups_path;
  out.resources = WithDeviceRules(in.resources, {}, false);
  if (!in.bare) {
    out.masked_paths = DefaultMaskedPaths();
    out.readonly_paths = DefaultReadonlyPaths();
  }
  out.seccomp = in.seccomp;
  return built;
}

Process BuildExecProcess(const Spec& container, const std::vector<std::string>& command, bool tty) {
  Process process = container.process;
  process.args = command;
  process.terminal = tty;
  if (tty && std::none_of(process.env.begin(), process.env.end(),
                          [](const std::string& e) { return e.starts_with("TERM="); })) {
    process.env.push_back("TERM=xterm");
  }
  return process;
}

}  // namespace portcullis::oci
