#include "runtime/service/spec_input.h"

#include <algorithm>

#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "host/systemd/unit_names.h"

namespace portcullis::runtime {
namespace {

constexpr uint64_t kSandboxCpuShares = 2;      // the kernel's smallest: pause needs none
constexpr int64_t kSandboxOomScoreAdj = -998;  // Kubernetes: the last of a pod to be killed

Result<oci::NamespaceModes> Modes(const cri::NamespaceOption& options) {
  using Cri = cri::NamespaceMode;
  using Oci = oci::NamespaceMode;
  oci::NamespaceModes modes;
  const auto pod_or_node = [](Cri mode, std::string_view what) -> Result<Oci> {
    if (mode == Cri::kPod || mode == Cri::kNode) return mode == Cri::kPod ? Oci::kPod : Oci::kNode;
    return Fail(Code::kInvalidArgument, "namespace_options: {} namespace mode must be POD or NODE", what);
  };
  ASSIGN_OR_RETURN(modes.network, pod_or_node(options.network, "network"));
  ASSIGN_OR_RETURN(modes.ipc, pod_or_node(options.ipc, "ipc"));
  switch (options.pid) {
    case Cri::kPod:
      modes.pid = Oci::kPod;
      break;
    case Cri::kContainer:
      modes.pid = Oci::kContainer;
      break;
    case Cri::kNode:
      modes.pid = Oci::kNode;
      break;
    case Cri::kTarget:
      modes.pid = Oci::kTarget;
      break;
    default:
      return Fail(Code::kInvalidArgument, "namespace_options: unknown pid namespace mode {}",
                  static_cast<int>(options.pid));
  }
  if (options.userns_options && options.userns_options->mode != Cri::kNode) {
    return Fail(Code::kInvalidArgument, "namespace_options: user namespaces are not supported by this runtime");
  }
  return modes;
}

// Who says nothing gets CRI's default: POD throughout, also for processes. (A kubelet says CONTAINER for those.)
cri::NamespaceOption SandboxNamespaceOptions(const cri::PodSandboxConfig& sandbox) {
  if (!sandbox.linux || !sandbox.linux->security_context || !sandbox.linux->security_context->namespace_options) {
    return {};
  }
  return *sandbox.linux->security_context->namespace_options;
}

template <class T>
std::optional<T> Positive(int64_t value) {
  return value > 0 ? std::optional<T>(static_cast<T>(value)) : std::nullopt;
}

oci::ImageProcessConfig ProcessOf(const oci::ImageConfig& image) {
  return {.entrypoint = image.entrypoint,
          .cmd = image.cmd,
          .env = image.env,
          .working_dir = image.working_dir,
          .user = image.user};
}

std::optional<int64_t> ValueOf(const std::optional<cri::Int64Value>& value) {
  return value ? std::optional<int64_t>(value->value) : std::nullopt;
}

constexpr char kLocalhost[] = "localhost/";

// As Kubernetes writes it: "", "runtime/default", "unconfined" or "localhost/<name>".
std::string AppArmorOf(const cri::LinuxContainerSecurityContext& context) {
  if (!context.apparmor) return context.apparmor_profile;
  using Type = cri::SecurityProfileProfileType;
  switch (context.apparmor->profile_type) {
    case Type::kUnconfined:
      return "unconfined";
    case Type::kLocalhost:
      // A kubelet sends the bare name; containerd and CRI-O take it with the prefix of the older field too.
      return context.apparmor->localhost_ref.starts_with(kLocalhost) ? context.apparmor->localhost_ref
                                                                     : kLocalhost + context.apparmor->localhost_ref;
    case Type::kRuntimeDefault:
      break;
  }
  return "runtime/default";
}

Result<void> ApplySecurityContext(const cri::LinuxContainerSecurityContext& context, oci::ContainerSpecInput& input,
                                  std::vector<std::string>& notes) {
  input.readonly_rootfs = context.readonly_rootfs;
  input.no_new_privileges = context.no_new_privs;
  input.run_as_username = context.run_as_username;
  input.run_as_user = ValueOf(context.run_as_user);
  input.run_as_group = ValueOf(context.run_as_group);
  input.supplemental_groups = context.supplemental_groups;
  input.strict_supplemental_groups = context.supplemental_groups_policy == cri::SupplementalGroupsPolicy::kStrict;
  // Kubernetes sends the lists for an unprivileged container, none for procMount Unmasked; both empty from crictl means
  // "not said".
  if (!context.masked_paths.empty()) input.masked_paths = context.masked_paths;
  if (!context.readonly_paths.empty()) input.readonly_paths = context.readonly_paths;
  input.apparmor_profile = AppArmorOf(context);
  if (context.selinux_options && *context.selinux_options != cri::SELinuxOption{}) {
    notes.push_back("SELinux: labels are not supported by this runtime and were left out");
  }
  return {};
}

}  // namespace

Result<oci::NamespaceModes> ModesOf(const cri::PodSandboxConfig& sandbox) {
  ASSIGN_OR_RETURN(const oci::NamespaceModes modes, Modes(SandboxNamespaceOptions(sandbox)));
  if (modes.pid == oci::NamespaceMode::kTarget) {
    return Fail(Code::kInvalidArgument, "namespace_options: pid namespace mode TARGET is not for sandboxes");
  }
  return modes;
}

Result<oci::NamespaceModes> ModesOf(const cri::ContainerConfig& container, const cri::PodSandboxConfig& sandbox) {
  cri::NamespaceOption options = SandboxNamespaceOptions(sandbox);
  const cri::NamespaceMode network = options.network;
  if (container.linux && container.linux->security_context && container.linux->security_context->namespace_options) {
    options = *container.linux->security_context->namespace_options;
  }
  options.network = network;
  return Modes(options);
}

bool UsesHostNetwork(const cri::PodSandboxConfig& sandbox) {
  return SandboxNamespaceOptions(sandbox).network == cri::NamespaceMode::kNode;
}

bool IsPrivileged(const cri::ContainerConfig& container) {
  return container.linux && container.linux->security_context && container.linux->security_context->privileged;
}

oci::CapabilityRequest CapabilitiesOf(const cri::ContainerConfig& container, const std::vector<std::string>& daemon) {
  oci::CapabilityRequest request;
  request.privileged = IsPrivileged(container);
  request.daemon = daemon;
  if (container.linux && container.linux->security_context && container.linux->security_context->capabilities) {
    const cri::Capability& capabilities = *container.linux->security_context->capabilities;
    request.add = capabilities.add_capabilities;
    request.drop = capabilities.drop_capabilities;
    request.ambient = capabilities.add_ambient_capabilities;
  }
  return request;
}

oci::Resources ResourcesOf(const cri::LinuxContainerResources& resources) {
  oci::Resources out;
  out.cpu_shares = Positive<uint64_t>(resources.cpu_shares);
  out.cpu_period = Positive<uint64_t>(resources.cpu_period);
  if (resources.cpu_quota != 0) out.cpu_quota = resources.cpu_quota;  // -1: no limit
  out.cpuset_cpus = resources.cpuset_cpus;
  out.cpuset_mems = resources.cpuset_mems;
  if (resources.memory_limit_in_bytes != 0) out.memory_limit = resources.memory_limit_in_bytes;
  if (resources.memory_swap_limit_in_bytes != 0) out.memory_swap = resources.memory_swap_limit_in_bytes;
  for (const cri::HugepageLimit& limit : resources.hugepage_limits) out.hugepage_limits[limit.page_size] = limit.limit;
  out.unified = resources.unified;
  return out;
}

cri::LinuxContainerResources Merged(cri::LinuxContainerResources resources,
                                    const cri::LinuxContainerResources& changes) {
  const auto take = [](auto& to, const auto& from) {
    if (from != std::remove_cvref_t<decltype(from)>{}) to = from;
  };
  take(resources.cpu_period, changes.cpu_period);
  take(resources.cpu_quota, changes.cpu_quota);
  take(resources.cpu_shares, changes.cpu_shares);
  take(resources.memory_limit_in_bytes, changes.memory_limit_in_bytes);
  take(resources.oom_score_adj, changes.oom_score_adj);
  take(resources.cpuset_cpus, changes.cpuset_cpus);
  take(resources.cpuset_mems, changes.cpuset_mems);
  take(resources.hugepage_limits, changes.hugepage_limits);
  take(resources.memory_swap_limit_in_bytes, changes.memory_swap_limit_in_bytes);
  for (const auto& [file, value] : changes.unified) resources.unified[file] = value;
  return resources;
}

Result<oci::Mount> MountOf(const cri::Mount& mount) {
  const auto refuse = [&](std::string_view why) {
    return Fail(Code::kInvalidArgument, "mount {}: {}", base::Quote(mount.container_path), why);
  };
  if (!mount.container_path.starts_with('/')) return refuse("container path must be absolute");
  const auto lacks = [&](std::string_view what) {
    return Fail(Code::kUnimplemented, "mount {}: {} are not supported by this runtime",
                base::Quote(mount.container_path), what);
  };
  if (mount.image && !mount.image->image.empty()) return lacks("image volumes");
  if (!mount.uidmappings.empty() || !mount.gidmappings.empty()) return lacks("id-mapped mounts");
  if (!mount.host_path.starts_with('/')) return refuse("host path must be absolute");
  oci::Mount out;
  out.destination = base::CleanPath(mount.container_path);
  out.type = "bind";
  out.source = mount.host_path;
  out.options.push_back("rbind");
  switch (mount.propagation) {
    case cri::MountPropagation::kPropagationPrivate:
      out.options.push_back("rprivate");
      break;
    case cri::MountPropagation::kPropagationHostToContainer:
      out.options.push_back("rslave");
      break;
    case cri::MountPropagation::kPropagationBidirectional:
      out.options.push_back("rshared");
      break;
    default:
      return refuse("unknown mount propagation");
  }
  if (mount.recursive_read_only) {
    if (!mount.readonly) return refuse("recursive_read_only needs readonly");
    if (mount.propagation != cri::MountPropagation::kPropagationPrivate) {
      return refuse("recursive_read_only needs private mount propagation");
    }
    out.options.push_back("rro");
  }
  out.options.push_back(mount.readonly ? "ro" : "rw");
  return out;
}

std::string RootPropagation(const std::vector<cri::Mount>& mounts) {
  const auto any = [&](cri::MountPropagation wanted) {
    return std::any_of(mounts.begin(), mounts.end(), [&](const cri::Mount& m) { return m.propagation == wanted; });
  };
  if (any(cri::MountPropagation::kPropagationBidirectional)) return "rshared";
  return any(cri::MountPropagation::kPropagationHostToContainer) ? "rslave" : "";
}

Result<oci::ContainerSpecInput> ContainerInput(const cri::ContainerConfig& container,
                                               const cri::PodSandboxConfig& sandbox, const oci::ImageConfig& image,
                                               std::vector<std::string>& notes) {
  oci::ContainerSpecInput input;
  input.hostname = sandbox.hostname;
  input.image = ProcessOf(image);
  input.command = container.command;
  input.args = container.args;
  for (const cri::KeyValue& env : container.envs) input.env.emplace_back(env.key, env.value);
  input.working_dir = container.working_dir;
  input.tty = container.tty;
  ASSIGN_OR_RETURN(input.modes, ModesOf(container, sandbox));
  if (container.linux && container.linux->security_context) {
    TRY(ApplySecurityContext(*container.linux->security_context, input, notes));
  }
  if (container.linux && container.linux->resources) {
    input.resources = ResourcesOf(*container.linux->resources);
    input.oom_score_adj = container.linux->resources->oom_score_adj;
  }
  if (!container.cdi_devices.empty()) {
    return Fail(Code::kUnimplemented, "CDI devices are not supported by this runtime");
  }
  for (const cri::Mount& mount : container.mounts) {
    ASSIGN_OR_RETURN(oci::Mount converted, MountOf(mount));
    input.mounts.push_back(std::move(converted));
  }
  return input;
}

Result<oci::SandboxSpecInput> SandboxInput(const cri::PodSandboxConfig& sandbox, const oci::ImageConfig& image) {
  oci::SandboxSpecInput input;
  input.hostname = sandbox.hostname;
  input.image = ProcessOf(image);
  ASSIGN_OR_RETURN(input.modes, ModesOf(sandbox));
  input.resources.cpu_shares = kSandboxCpuShares;
  input.oom_score_adj = kSandboxOomScoreAdj;
  if (input.modes.network == oci::NamespaceMode::kPod) {
    // A pod's network is its own: low ports and ping need no capability there (containerd's defaults).
    input.sysctls = {{"net.ipv4.ip_unprivileged_port_start", "0"}, {"net.ipv4.ping_group_range", "0 2147483647"}};
  }
  if (sandbox.linux) {
    for (const auto& [name, value] : sandbox.linux->sysctls) {
      if (input.modes.network == oci::NamespaceMode::kNode && name.starts_with("net.")) {
        return Fail(Code::kInvalidArgument, "sysctl {} cannot be set for a pod on the host network", base::Quote(name));
      }
      input.sysctls[name] = value;
    }
    if (sandbox.linux->security_context) {
      const auto& context = *sandbox.linux->security_context;
      input.run_as_user = ValueOf(context.run_as_user);
      input.run_as_group = ValueOf(context.run_as_group);
      input.supplemental_groups = context.supplemental_groups;
    }
  }
  return input;
}

std::map<std::string, std::string> SandboxAnnotations(const cri::PodSandboxConfig& sandbox, const std::string& id,
                                                      const std::string& image) {
  std::map<std::string, std::string> annotations = sandbox.annotations;
  const cri::PodSandboxMetadata metadata = sandbox.metadata.value_or(cri::PodSandboxMetadata{});
  annotations["io.kubernetes.cri.container-type"] = "sandbox";
  annotations["io.kubernetes.cri.podsandbox.image-name"] = image;
  annotations["io.kubernetes.cri.sandbox-id"] = id;
  annotations["io.kubernetes.cri.sandbox-log-directory"] = sandbox.log_directory;
  annotations["io.kubernetes.cri.sandbox-name"] = metadata.name;
  annotations["io.kubernetes.cri.sandbox-namespace"] = metadata.namespace_;
  annotations["io.kubernetes.cri.sandbox-uid"] = metadata.uid;
  return annotations;
}

std::map<std::string, std::string> ContainerAnnotations(const cri::ContainerConfig& container,
                                                        const cri::PodSandboxConfig& sandbox,
                                                        const std::string& sandbox_id) {
  std::map<std::string, std::string> annotations = container.annotations;
  const cri::PodSandboxMetadata metadata = sandbox.metadata.value_or(cri::PodSandboxMetadata{});
  annotations["io.kubernetes.cri.container-name"] = container.metadata ? container.metadata->name : "";
  annotations["io.kubernetes.cri.container-type"] = "container";
  if (container.image) annotations["io.kubernetes.cri.image-name"] = container.image->image;
  annotations["io.kubernetes.cri.sandbox-id"] = sandbox_id;
  annotations["io.kubernetes.cri.sandbox-name"] = metadata.name;
  annotations["io.kubernetes.cri.sandbox-namespace"] = metadata.namespace_;
  annotations["io.kubernetes.cri.sandbox-uid"] = metadata.uid;
  return annotations;
}

Result<std::string> CgroupParent(const std::string& cri_parent, const std::string& fallback, cri::CgroupDriver driver) {
  const std::string& wanted = cri_parent.empty() ? fallback : cri_parent;
  for (const std::string& part : base::Split(wanted, '/')) {
    if (part == "..")
      return Fail(Code::kInvalidArgument, "cgroup parent {} must not contain '..'", base::Quote(wanted));
  }
  const std::string clean = base::CleanPath("/" + wanted);
  const std::string last(host::LastPart(clean));
  const bool is_slice = last.ends_with(".slice");
  if (driver == cri::CgroupDriver::kCgroupfs) {
    if (is_slice) {
      return Fail(
          Code::kInvalidArgument,
          "cgroup parent {} is a systemd slice but the cgroup driver is cgroupfs: set the kubelet's cgroupDriver",
          base::Quote(wanted));
    }
    if (clean == "/") return Fail(Code::kInvalidArgument, "cgroup parent must not be the root cgroup");
    return clean;
  }
  if (!is_slice) {
    return Fail(Code::kInvalidArgument,
                "cgroup parent {} is no systemd slice but the cgroup driver is systemd: set the kubelet's cgroupDriver",
                base::Quote(wanted));
  }
  auto path = host::CgroupOfSlice(last);
  if (!path) return Wrap(std::move(path).error(), "cgroup parent {}", base::Quote(wanted));
  if (*path == "/") return Fail(Code::kInvalidArgument, "cgroup parent must not be the root cgroup");
  if (clean != "/" + last && clean != *path) {
    return Fail(Code::kInvalidArgument, "cgroup parent {}: the slice {} lies at {}", base::Quote(wanted), last, *path);
  }
  return path;
}

}  // namespace portcullis::runtime
