#include <limits>
#include <set>

#include "base/strings.h"
#include "spec/k8s/static_pod.h"
#include "spec/k8s/validation.h"
#include "spec/k8s/validation_rules.h"

namespace portcullis::k8s {
namespace {

constexpr std::string_view kPullPolicies[] = {"Always", "IfNotPresent", "Never"};
constexpr std::string_view kMessagePolicies[] = {"FallbackToLogsOnError", "File"};
constexpr std::string_view kProtocols[] = {"SCTP", "TCP", "UDP"};
constexpr std::string_view kPropagations[] = {"Bidirectional", "HostToContainer", "None"};
constexpr std::string_view kFieldPaths[] = {
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
    "status.hostIP", "status.hostIPs",     "status.podIP", "status.podIPs"};
constexpr std::string_view kResourceFields[] = {"limits.cpu",   "limits.ephemeral-storage",   "limits.memory",
                                                "requests.cpu", "requests.ephemeral-storage", "requests.memory"};
constexpr int64_t kMaxPort = 65535;

// metadata.labels['key'] and metadata.annotations['key']; nullopt for any other path.
std::optional<std::string> SubscriptKey(const std::string& path) {
  for (std::string_view map : {"metadata.labels['", "metadata.annotations['"}) {
    if (path.starts_with(map) && path.ends_with("']") && path.size() >= map.size() + 2) {
      return path.substr(map.size(), path.size() - map.size() - 2);
    }
  }
  return std::nullopt;
}

class ContainerValidator {
 public:
  ContainerValidator(const PodSpec& spec, ErrorList& errors) : spec_(spec), errors_(errors) {
    for (const Volume& volume : spec.volumes) volumes_.insert(volume.name);
  }

  void List(const std::vector<Container>& containers, const std::string& list) {
    for (size_t i = 0; i < containers.size(); ++i) One(containers[i], fmt::format("{}[{}]", list, i));
  }

 private:
  void One(const Container& container, const std::string& path) {
    if (container.name.empty()) {
      errors_.Required(path + ".name");
    } else {
      errors_.Check(path + ".name", container.name, CheckDns1123Label(container.name));
      if (!names_.insert(container.name).second) errors_.Duplicate(path + ".name", container.name);
    }
    if (container.image.empty()) {
      errors_.Required(path + ".image");
    } else if (base::Trim(container.image) != container.image) {
      errors_.Invalid(path + ".image", container.image, "must not have leading or trailing whitespace");
    }
    errors_.Unsupported(path + ".imagePullPolicy", container.image_pull_policy, kPullPolicies);
    errors_.Unsupported(path + ".terminationMessagePolicy", container.termination_message_policy, kMessagePolicies);
    Ports(container, path + ".ports");
    for (size_t i = 0; i < container.env.size(); ++i) Env(container.env[i], fmt::format("{}.env[{}]", path, i));
    Mounts(container, path + ".volumeMounts");
    Resources(container, path + ".resources");
    ValidateContainerSecurity(container, path + ".securityContext", errors_);
  }

  void Ports(const Container& container, const std::string& list) {
    std::set<std::string> names;
    for (size_t i = 0; i < container.ports.size(); ++i) {
      const ContainerPort& port = container.ports[i];
      const std::string path = fmt::format("{}[{}]", list, i);
      if (!port.name.empty()) {
        errors_.Check(path + ".name", port.name, CheckPortName(port.name));
        if (!names.insert(port.name).second) errors_.Duplicate(path + ".name", port.name);
      }
      if (port.container_port == 0) {
        errors_.Required(path + ".containerPort");
      } else {
        errors_.Range(path + ".containerPort", port.container_port, 1, kMaxPort);
      }
      if (port.host_port != 0) HostPort(port, path);
      errors_.Unsupported(path + ".protocol", port.protocol, kProtocols);
      if (!port.host_ip.empty()) errors_.Check(path + ".hostIP", port.host_ip, CheckIp(port.host_ip));
      if (spec_.host_network && port.container_port != port.host_port) {
        errors_.InvalidNumber(path + ".containerPort", port.container_port,
                              "must match `hostPort` when `hostNetwork` is true");
      }
    }
  }

  void HostPort(const ContainerPort& port, const std::string& path) {
    errors_.Range(path + ".hostPort", port.host_port, 1, kMaxPort);
    const std::string key = fmt::format("{}/{}/{}", port.protocol, port.host_ip, port.host_port);
    if (!host_ports_.insert(key).second) errors_.Duplicate(path + ".hostPort", key);
  }

  void Env(const EnvVar& variable, const std::string& path) {
    if (variable.name.empty()) {
      errors_.Required(path + ".name");
    } else {
      errors_.Check(path + ".name", variable.name, CheckEnvName(variable.name));
    }
    if (variable.value.find('\0') != std::string::npos) {
      errors_.Invalid(path + ".value", variable.value, "must not contain a NUL character");
    }
    if (!variable.from) return;
    if (const auto* field = std::get_if<FieldRef>(&*variable.from)) {
      const std::string here = path + ".valueFrom.fieldRef.fieldPath";
      if (field->field_path.empty()) {
        errors_.Required(here);
      } else if (const auto key = SubscriptKey(field->field_path)) {
        errors_.Check(here, *key, CheckQualifiedName(*key));
      } else {
        errors_.Unsupported(here, field->field_path, kFieldPaths);
      }
    } else if (const auto* resource = std::get_if<ResourceFieldRef>(&*variable.from)) {
      const std::string here = path + ".valueFrom.resourceFieldRef";
      if (resource->resource.empty()) {
        errors_.Required(here + ".resource");
      } else {
        errors_.Unsupported(here + ".resource", resource->resource, kResourceFields);
      }
      if (resource->divisor.IsNegative()) {
        errors_.Invalid(here + ".divisor", resource->divisor.text(), "must be greater than or equal to 0");
      }
    }
  }

  void Mounts(const Container& container, const std::string& list) {
    std::set<std::string> paths;
    for (size_t i = 0; i < container.volume_mounts.size(); ++i) {
      const VolumeMount& mount = container.volume_mounts[i];
      const std::string path = fmt::format("{}[{}]", list, i);
      if (mount.name.empty()) {
        errors_.Required(path + ".name");
      } else if (!volumes_.contains(mount.name)) {
        errors_.NotFound(path + ".name", mount.name);
      }
      if (mount.mount_path.empty()) errors_.Required(path + ".mountPath");
      if (!paths.insert(mount.mount_path).second) {
        errors_.Invalid(path + ".mountPath", mount.mount_path, "must be unique");
      }
      if (mount.mount_path.find('\0') != std::string::npos) {
        errors_.Invalid(path + ".mountPath", mount.mount_path, "must not contain a NUL character");
      }
      if (mount.sub_path.starts_with('/')) {
        errors_.Invalid(path + ".subPath", mount.sub_path, "must be a relative path");
      }
      if (HasDotDot(mount.sub_path)) errors_.Invalid(path + ".subPath", mount.sub_path, "must not contain '..'");
      errors_.Unsupported(path + ".mountPropagation", mount.mount_propagation, kPropagations);
      if (mount.mount_propagation == "Bidirectional" && !container.privileged()) {
        errors_.Forbidden(path + ".mountPropagation",
                          "Bidirectional mount propagation is available only to privileged containers");
      }
    }
  }

  void Resources(const Container& container, const std::string& path) {
    const auto check_sign = [this, &path](const ResourceList& list, std::string_view name) {
      for (const auto& [key, amount] : list) {
        if (amount.IsNegative()) {
          errors_.Invalid(fmt::format("{}.{}[{}]", path, name, key), amount.text(),
                          "must be greater than or equal to 0");
        }
      }
    };
    check_sign(container.resources.limits, "limits");
    check_sign(container.resources.requests, "requests");
    for (const auto& [key, request] : container.resources.requests) {
      const auto limit = container.resources.limits.find(key);
      if (limit != container.resources.limits.end() && request > limit->second) {
        errors_.Invalid(path + ".requests", request.text(),
                        fmt::format("must be less than or equal to {} limit of {}", key, limit->second.text()));
      }
    }
  }

  const PodSpec& spec_;
  ErrorList& errors_;
  std::set<std::string> volumes_;
  std::set<std::string> names_;
  std::set<std::string> host_ports_;
};

}  // namespace

void ValidateContainers(const PodSpec& spec, ErrorList& errors) {
  if (spec.containers.empty()) errors.Required("spec.containers");
  if (spec.containers.size() + spec.init_containers.size() > kMaxContainersPerPod) {
    errors.Add("spec.containers", fmt::format("Too many: must have at most {} items", kMaxContainersPerPod));
    return;
  }
  // Init containers run before the others, so that their host ports are free again.
  ContainerValidator(spec, errors).List(spec.containers, "spec.containers");
  ContainerValidator(spec, errors).List(spec.init_containers, "spec.initContainers");
  std::set<std::string> names;
  for (const Container& container : spec.containers) names.insert(container.name);
  for (size_t i = 0; i < spec.init_containers.size(); ++i) {
    if (names.contains(spec.init_containers[i].name)) {
      errors.Duplicate(fmt::format("spec.initContainers[{}].name", i), spec.init_containers[i].name);
    }
  }
}

void ValidateVolumes(const PodSpec& spec, ErrorList& errors) {
  static constexpr std::string_view kHostPathTypes[] = {
      "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"};
  static constexpr std::string_view kMediums[] = {"", "Memory"};
  std::set<std::string> names;
  for (size_t i = 0; i < spec.volumes.size(); ++i) {
    const Volume& volume = spec.volumes[i];
    const std::string path = fmt::format("spec.volumes[{}]", i);
    if (volume.name.empty()) {
      errors.Required(path + ".name");
    } else {
      errors.Check(path + ".name", volume.name, CheckDns1123Label(volume.name));
      if (!names.insert(volume.name).second) errors.Duplicate(path + ".name", volume.name);
    }
    if (const auto* host_path = std::get_if<HostPath>(&volume.source)) {
      if (host_path->path.empty()) {
        errors.Required(path + ".hostPath.path");
      } else if (HasDotDot(host_path->path)) {
        errors.Invalid(path + ".hostPath.path", host_path->path, "must not contain '..'");
      } else if (!host_path->path.starts_with('/')) {
        errors.Invalid(path + ".hostPath.path", host_path->path, "must be an absolute path");
      }
      errors.Unsupported(path + ".hostPath.type", host_path->type, kHostPathTypes);
    } else if (const auto* empty_dir = std::get_if<EmptyDir>(&volume.source)) {
      // Huge pages have been refused with their own text by then.
      if (!empty_dir->medium.starts_with("HugePages")) {
        errors.Unsupported(path + ".emptyDir.medium", empty_dir->medium, kMediums);
      }
      if (empty_dir->size_limit && empty_dir->size_limit->IsNegative()) {
        errors.Forbidden(path + ".emptyDir.sizeLimit", "SizeLimit field must be a valid resource quantity");
      }
    }
  }
}

}  // namespace portcullis::k8s
