#include "node/pod/cri_config.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "node/pod/decide.h"
#include "node/pod/env.h"
#include "spec/k8s/apparmor_profile.h"
#include "spec/k8s/resources.h"
#include "spec/k8s/seccomp_profile.h"

namespace portcullis::node {
namespace {

// What a container sees masked or read-only below /proc and /sys unless procMount is Unmasked; as a kubelet 1.36 sends
// it.
constexpr const char* kMaskedPaths[] = {"/proc/asound",     "/proc/acpi",        "/proc/interrupts",
                                        "/proc/kcore",      "/proc/keys",        "/proc/latency_stats",
                                        "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
                                        "/proc/scsi",       "/sys/firmware",     "/sys/devices/virtual/powercap"};
constexpr const char* kReadonlyPaths[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};

cri::SecurityProfile ToCri(const k8s::EffectiveProfile& profile) {
  cri::SecurityProfile out;
  switch (profile.type) {
    case k8s::SeccompType::kRuntimeDefault:
      out.profile_type = cri::SecurityProfileProfileType::kRuntimeDefault;
      break;
    case k8s::SeccompType::kUnconfined:
      out.profile_type = cri::SecurityProfileProfileType::kUnconfined;
      break;
    case k8s::SeccompType::kLocalhost:
      out.profile_type = cri::SecurityProfileProfileType::kLocalhost;
      out.localhost_ref = profile.localhost_ref;
      break;
  }
  return out;
}

cri::NamespaceOption Namespaces(const k8s::PodSpec& spec) {
  using Mode = cri::NamespaceMode;
  cri::NamespaceOption out;
  out.network = spec.host_network ? Mode::kNode : Mode::kPod;
  out.ipc = spec.host_ipc ? Mode::kNode : Mode::kPod;
  out.pid = spec.host_pid ? Mode::kNode : spec.share_process_namespace ? Mode::kPod : Mode::kContainer;
  out.userns_options = cri::UserNamespace{.mode = Mode::kNode};
  return out;
}

cri::Protocol ToProtocol(const std::string& name) {
  return name == "UDP" ? cri::Protocol::kUdp : name == "SCTP" ? cri::Protocol::kSctp : cri::Protocol::kTcp;
}

std::vector<cri::PortMapping> PortMappings(const k8s::PodSpec& spec) {
  std::vector<cri::PortMapping> out;
  if (spec.host_network) return out;
  for (const k8s::Container& container : spec.containers) {
    for (const k8s::ContainerPort& port : container.ports) {
      if (port.host_port == 0) continue;
      out.push_back({ToProtocol(port.protocol), port.container_port, port.host_port, port.host_ip});
    }
  }
  return out;
}

std::string PortsJson(const std::vector<k8s::ContainerPort>& ports) {
  nlohmann::json out = nlohmann::json::array();
  for (const k8s::ContainerPort& port : ports) {
    nlohmann::json item{{"containerPort", port.container_port}, {"protocol", port.protocol}};
    if (!port.name.empty()) item["name"] = port.name;
    if (port.host_port != 0) item["hostPort"] = port.host_port;
    if (!port.host_ip.empty()) item["hostIP"] = port.host_ip;
    out.push_back(std::move(item));
  }
  return out.dump();
}

std::map<std::string, std::string> PodLabels(const k8s::Pod& pod) {
  return {{std::string(kPodNameLabel), pod.metadata.name},
          {std::string(kPodNamespaceLabel), pod.metadata.namespace_},
          {std::string(kPodUidLabel), pod.metadata.uid}};
}

std::optional<int64_t> RunAsUser(const k8s::Pod& pod, const k8s::Container& container) {
  if (container.security_context && container.security_context->run_as_user)
    return container.security_context->run_as_user;
  return pod.spec.security_context.run_as_user;
}

std::optional<int64_t> RunAsGroup(const k8s::Pod& pod, const k8s::Container& container) {
  if (container.security_context && container.security_context->run_as_group)
    return container.security_context->run_as_group;
  return pod.spec.security_context.run_as_group;
}

// Kubernetes knows capabilities without the prefix; runtimes take both, but only one spelling is sent.
std::vector<std::string> CapabilityNames(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const std::string& name : names) out.push_back(name.starts_with("CAP_") ? name.substr(4) : name);
  return out;
}

// Sent in both forms, as the kubelet does: older runtimes know the text alone.
std::optional<cri::SecurityProfile> AppArmorToCri(const std::string& written) {
  using Type = cri::SecurityProfileProfileType;
  constexpr std::string_view kLocalhost = "localhost/";
  if (written.empty()) return std::nullopt;
  if (written.starts_with(kLocalhost)) {
    return cri::SecurityProfile{.profile_type = Type::kLocalhost, .localhost_ref = written.substr(kLocalhost.size())};
  }
  return cri::SecurityProfile{.profile_type = written == "unconfined" ? Type::kUnconfined : Type::kRuntimeDefault};
}

cri::LinuxContainerSecurityContext SecurityContextOf(const k8s::Pod& pod, const k8s::Container& container,
                                                     const ImageFacts& image, const k8s::EffectiveProfile& profile) {
  const k8s::SecurityContext none;
  const k8s::SecurityContext& own = container.security_context ? *container.security_context : none;
  cri::LinuxContainerSecurityContext out;
  out.seccomp = ToCri(profile);
  out.apparmor_profile = k8s::AppArmorProfileOf(pod, container);
  out.apparmor = AppArmorToCri(out.apparmor_profile);
  out.privileged = container.privileged();
  out.namespace_options = Namespaces(pod.spec);
  if (own.capabilities) {
    out.capabilities = cri::Capability{.add_capabilities = CapabilityNames(own.capabilities->add),
                                       .drop_capabilities = CapabilityNames(own.capabilities->drop)};
  }
  if (auto user = RunAsUser(pod, container)) {
    out.run_as_user = cri::Int64Value{*user};
  } else if (image.uid) {
    out.run_as_user = cri::Int64Value{*image.uid};
  } else {
    out.run_as_username = image.user_name;
  }
  // CRI wants a group only together with a user.
  auto group = RunAsGroup(pod, container);
  if (group && (out.run_as_user || !out.run_as_username.empty())) out.run_as_group = cri::Int64Value{*group};
  if (group && !out.run_as_group) {
    out.run_as_user = cri::Int64Value{0};
    out.run_as_group = cri::Int64Value{*group};
  }
  out.supplemental_groups = pod.spec.security_context.supplemental_groups;
  if (pod.spec.security_context.fs_group) out.supplemental_groups.push_back(*pod.spec.security_context.fs_group);
  out.readonly_rootfs = own.read_only_root_filesystem.value_or(false);
  out.no_new_privs = !own.allow_privilege_escalation.value_or(true);
  if (own.proc_mount.value_or("Default") != "Unmasked") {
    out.masked_paths.assign(std::begin(kMaskedPaths), std::end(kMaskedPaths));
    out.readonly_paths.assign(std::begin(kReadonlyPaths), std::end(kReadonlyPaths));
  }
  return out;
}

cri::MountPropagation ToPropagation(const std::string& name) {
  if (name == "HostToContainer") return cri::MountPropagation::kPropagationHostToContainer;
  if (name == "Bidirectional") return cri::MountPropagation::kPropagationBidirectional;
  return cri::MountPropagation::kPropagationPrivate;
}

std::vector<cri::Mount> Mounts(const k8s::Container& container, const ContainerInputs& inputs) {
  std::vector<cri::Mount> out;
  std::set<std::string> taken;
  for (size_t i = 0; i < container.volume_mounts.size() && i < inputs.mount_sources.size(); ++i) {
    const k8s::VolumeMount& mount = container.volume_mounts[i];
    cri::Mount made;
    made.container_path = mount.mount_path.starts_with('/') ? mount.mount_path : "/" + mount.mount_path;
    made.host_path = inputs.mount_sources[i];
    made.readonly = mount.read_only;
    made.propagation = ToPropagation(mount.mount_propagation);
    taken.insert(base::CleanPath(made.container_path));
    out.push_back(std::move(made));
  }
  auto add = [&](const std::string& at, const std::string& from) {
    if (from.empty() || at.empty() || taken.contains(base::CleanPath(at))) return;
    cri::Mount mount;
    mount.container_path = at;
    mount.host_path = from;
    out.push_back(std::move(mount));
  };
  add("/etc/hosts", inputs.etc_hosts);
  add(container.termination_message_path, inputs.termination_log);
  return out;
}

cri::LinuxContainerResources Resources(const k8s::Pod& pod, const k8s::Container& container,
                                       const PodSettings& settings) {
  k8s::ContainerResources amounts = k8s::ResourcesOf(pod, container, settings.memory_capacity, settings.cpu_cfs_quota);
  cri::LinuxContainerResources out;
  out.cpu_period = amounts.cpu_period;
  out.cpu_quota = amounts.cpu_quota;
  out.cpu_shares = amounts.cpu_shares;
  out.memory_limit_in_bytes = amounts.memory_limit;
  out.oom_score_adj = amounts.oom_score_adj;
  if (settings.cgroup_v2) out.unified["memory.oom.group"] = "1";
  return out;
}

}  // namespace

cri::PodSandboxConfig MakeSandboxConfig(const k8s::Pod& pod, uint32_t attempt, const cri::DNSConfig& dns,
                                        const PodSettings& settings) {
  const k8s::PodSpec& spec = pod.spec;
  cri::PodSandboxConfig config;
  config.metadata = cri::PodSandboxMetadata{pod.metadata.name, pod.metadata.uid, pod.metadata.namespace_, attempt};
  config.log_directory = PodLogDirectory(settings, pod.metadata.namespace_, pod.metadata.name, pod.metadata.uid);
  config.dns_config = dns;
  if (!spec.host_network) config.hostname = k8s::PodHostname(pod);
  config.port_mappings = PortMappings(spec);
  config.labels = pod.metadata.labels;
  config.labels.merge(PodLabels(pod));
  for (const auto& [key, value] : PodLabels(pod))
    config.labels[key] = value;  // a pod's own label cannot take their place
  config.annotations = pod.metadata.annotations;
  config.annotations[std::string(kNodeAnnotation)] = settings.node_name;
  config.annotations[std::string(kGraceAnnotation)] = std::to_string(spec.termination_grace_period_seconds);

  cri::LinuxSandboxSecurityContext security;
  security.seccomp = ToCri(k8s::SandboxSeccompProfile());
  security.privileged = pod.AnyPrivileged();
  security.namespace_options = Namespaces(spec);
  const k8s::PodSecurityContext& pod_security = spec.security_context;
  if (pod_security.run_as_user) security.run_as_user = cri::Int64Value{*pod_security.run_as_user};
  if (pod_security.run_as_group && pod_security.run_as_user)
    security.run_as_group = cri::Int64Value{*pod_security.run_as_group};
  security.supplemental_groups = pod_security.supplemental_groups;
  if (pod_security.fs_group) security.supplemental_groups.push_back(*pod_security.fs_group);

  cri::LinuxPodSandboxConfig linux_config;
  if (settings.cgroups_per_qos) {
    linux_config.cgroup_parent =
        k8s::PodCgroupParent(settings.cgroup_driver, settings.cgroup_root, k8s::PodQos(spec), pod.metadata.uid);
  }
  linux_config.security_context = std::move(security);
  linux_config.overhead = cri::LinuxContainerResources{};
  k8s::PodResources amounts = k8s::ResourcesOfPod(pod);
  cri::LinuxContainerResources resources;
  resources.cpu_period = k8s::kCpuPeriodMicros;
  resources.cpu_shares = amounts.cpu_shares;
  resources.cpu_quota = settings.cpu_cfs_quota ? amounts.cpu_quota : 0;
  resources.memory_limit_in_bytes = amounts.memory_limit;
  linux_config.resources = std::move(resources);
  config.linux = std::move(linux_config);
  return config;
}

Result<cri::ContainerConfig> MakeContainerConfig(const k8s::Pod& pod, const k8s::Container& container,
                                                 const ContainerInputs& inputs, const PodSettings& settings) {
  // Before the profile: when both are wrong, Kubernetes reports the user.
  if (std::string why = CheckRunAsNonRoot(pod, container, inputs.image); !why.empty()) {
    return Fail(Code::kInvalidArgument, "{}", why);
  }
  ASSIGN_OR_RETURN(
      k8s::EffectiveProfile profile,
      k8s::ResolveSeccompProfile(pod.spec, container,
                                 {.seccomp_default = settings.seccomp_default, .root_dir = settings.root_dir}));
  cri::ContainerConfig config;
  ASSIGN_OR_RETURN(config.envs, MakeEnvironment(pod, container, inputs.pod_ips, settings));
  std::map<std::string, std::string> variables;
  for (const cri::KeyValue& variable : config.envs) variables[variable.key] = variable.value;
  for (const std::string& word : container.command) config.command.push_back(ExpandReferences(word, variables));
  for (const std::string& word : container.args) config.args.push_back(ExpandReferences(word, variables));
  config.metadata = cri::ContainerMetadata{container.name, static_cast<uint32_t>(inputs.attempt)};
  config.image = cri::ImageSpec{.image = inputs.image.id, .user_specified_image = container.image};
  config.working_dir = container.working_dir;
  config.mounts = Mounts(container, inputs);
  config.labels = PodLabels(pod);
  config.labels[std::string(kContainerNameLabel)] = container.name;
  auto annotate = [&config](std::string_view key, std::string value) {
    config.annotations[std::string(key)] = std::move(value);
  };
  annotate(kHashAnnotation, ContainerHash(container));
  annotate(kRestartCountAnnotation, std::to_string(inputs.attempt));
  annotate(kTerminationPathAnnotation, container.termination_message_path);
  annotate(kTerminationPolicyAnnotation, container.termination_message_policy);
  annotate(kGraceAnnotation, std::to_string(pod.spec.termination_grace_period_seconds));
  if (!container.ports.empty()) annotate(kPortsAnnotation, PortsJson(container.ports));
  annotate(kDeclaredAnnotation, k8s::DeclaredProfile(pod.spec, container));
  // The profile is sent all the same, and the runtime leaves it off (kubernetes-seccomp.md 2.6).
  annotate(kDecidedByAnnotation,
           container.privileged() ? std::string("privileged") : k8s::DecidedByName(profile.decided_by));
  config.log_path = fmt::format("{}/{}.log", container.name, inputs.attempt);
  config.stdin = container.stdin;
  config.stdin_once = container.stdin_once;
  config.tty = container.tty;
  config.linux =
      cri::LinuxContainerConfig{.resources = Resources(pod, container, settings),
                                .security_context = SecurityContextOf(pod, container, inputs.image, profile)};
  return config;
}

std::string PodLogDirectory(const PodSettings& settings, const std::string& namespace_, const std::string& name,
                            const std::string& uid) {
  return base::JoinPath(settings.pod_logs_dir, namespace_ + "_" + name + "_" + uid);
}

std::string PodForMessages(const k8s::Pod& pod) { return pod.FullName() + "(" + pod.metadata.uid + ")"; }

std::string CheckRunAsNonRoot(const k8s::Pod& pod, const k8s::Container& container, const ImageFacts& image) {
  std::optional<bool> wanted = pod.spec.security_context.run_as_non_root;
  if (container.security_context && container.security_context->run_as_non_root)
    wanted = container.security_context->run_as_non_root;
  if (!wanted.value_or(false)) return "";
  std::string whose = fmt::format("(pod: {}, container: {})", base::Quote(PodForMessages(pod)), container.name);
  if (auto user = RunAsUser(pod, container)) {
    return *user == 0 ? "container's runAsUser breaks non-root policy " + whose : "";
  }
  if (image.uid.value_or(image.user_name.empty() ? 0 : -1) == 0) {
    return "container has runAsNonRoot and image will run as root " + whose;
  }
  if (!image.uid) {
    return fmt::format(
        "container has runAsNonRoot and image has non-numeric user ({}), cannot verify user is non-root {}",
        image.user_name, whose);
  }
  return "";
}

}  // namespace portcullis::node
