#include "spec/k8s/pod_decode.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "spec/k8s/json_access.h"

namespace portcullis::k8s {
namespace {

using nlohmann::json;

int IntOr(const json& object, const char* name, int fallback) {
  const auto value = OptionalInt(object, name);
  if (!value || *value < std::numeric_limits<int>::min() || *value > std::numeric_limits<int>::max()) return fallback;
  return static_cast<int>(*value);
}

template <class T, class Read>
std::vector<T> List(const json& object, const char* name, Read read) {
  std::vector<T> out;
  const json& list = Member(object, name);
  if (!list.is_array()) return out;
  out.reserve(list.size());
  for (const json& element : list) out.push_back(read(element));
  return out;
}

std::vector<int64_t> Integers(const json& object, const char* name) {
  return List<int64_t>(object, name, [](const json& value) { return IntegerOf(value).value_or(-1); });
}

std::optional<SeccompProfile> ReadSeccompProfile(const json& context) {
  const json& value = Member(context, "seccompProfile");
  if (!value.is_object()) return std::nullopt;
  return SeccompProfile{.type = StringOr(value, "type"),
                        .localhost_profile = OptionalString(value, "localhostProfile")};
}

std::optional<AppArmorProfile> ReadAppArmorProfile(const json& context) {
  const json& value = Member(context, "appArmorProfile");
  if (!value.is_object()) return std::nullopt;
  return AppArmorProfile{.type = StringOr(value, "type"),
                         .localhost_profile = OptionalString(value, "localhostProfile")};
}

std::optional<SecurityContext> ReadSecurityContext(const json& container) {
  const json& value = Member(container, "securityContext");
  if (!value.is_object()) return std::nullopt;
  SecurityContext context{
      .privileged = OptionalBool(value, "privileged"),
      .allow_privilege_escalation = OptionalBool(value, "allowPrivilegeEscalation"),
      .read_only_root_filesystem = OptionalBool(value, "readOnlyRootFilesystem"),
      .run_as_non_root = OptionalBool(value, "runAsNonRoot"),
      .run_as_user = OptionalInt(value, "runAsUser"),
      .run_as_group = OptionalInt(value, "runAsGroup"),
      .capabilities = std::nullopt,
      .proc_mount = OptionalString(value, "procMount"),
      .seccomp_profile = ReadSeccompProfile(value),
      .apparmor_profile = ReadAppArmorProfile(value),
  };
  if (const json& capabilities = Member(value, "capabilities"); capabilities.is_object()) {
    context.capabilities = Capabilities{.add = Strings(capabilities, "add"), .drop = Strings(capabilities, "drop")};
  }
  return context;
}

PodSecurityContext ReadPodSecurityContext(const json& spec) {
  const json& value = Member(spec, "securityContext");
  return {
      .run_as_non_root = OptionalBool(value, "runAsNonRoot"),
      .run_as_user = OptionalInt(value, "runAsUser"),
      .run_as_group = OptionalInt(value, "runAsGroup"),
      .fs_group = OptionalInt(value, "fsGroup"),
      .supplemental_groups = Integers(value, "supplementalGroups"),
      .seccomp_profile = ReadSeccompProfile(value),
      .apparmor_profile = ReadAppArmorProfile(value),
  };
}

EnvVar ReadEnvVar(const json& value) {
  EnvVar variable{.name = StringOr(value, "name"), .value = StringOr(value, "value"), .from = std::nullopt};
  const json& source = Member(value, "valueFrom");
  if (const json& field = Member(source, "fieldRef"); field.is_object()) {
    variable.from = FieldRef{.field_path = StringOr(field, "fieldPath")};
  } else if (const json& resource = Member(source, "resourceFieldRef"); resource.is_object()) {
    variable.from = ResourceFieldRef{.container_name = StringOr(resource, "containerName"),
                                     .resource = StringOr(resource, "resource"),
                                     .divisor = QuantityOf(Member(resource, "divisor")).value_or(Quantity())};
  }
  return variable;
}

ContainerPort ReadPort(const json& value) {
  return {.name = StringOr(value, "name"),
          .protocol = StringOr(value, "protocol"),
          .container_port = IntOr(value, "containerPort", 0),
          .host_port = IntOr(value, "hostPort", 0),
          .host_ip = StringOr(value, "hostIP")};
}

VolumeMount ReadMount(const json& value) {
  return {.name = StringOr(value, "name"),
          .mount_path = StringOr(value, "mountPath"),
          .read_only = BoolOr(value, "readOnly", false),
          .sub_path = StringOr(value, "subPath"),
          .mount_propagation = StringOr(value, "mountPropagation", "None")};
}

ResourceList ReadResourceList(const json& resources, const char* name) {
  ResourceList out;
  const json& map = Member(resources, name);
  if (!map.is_object()) return out;
  for (const auto& [key, value] : map.items()) {
    if (auto quantity = QuantityOf(value)) out.emplace(key, *quantity);
  }
  return out;
}

Container ReadContainer(const json& value) {
  const json& resources = Member(value, "resources");
  return {
      .name = StringOr(value, "name"),
      .image = StringOr(value, "image"),
      .image_pull_policy = StringOr(value, "imagePullPolicy"),
      .command = Strings(value, "command"),
      .args = Strings(value, "args"),
      .working_dir = StringOr(value, "workingDir"),
      .env = List<EnvVar>(value, "env", ReadEnvVar),
      .ports = List<ContainerPort>(value, "ports", ReadPort),
      .volume_mounts = List<VolumeMount>(value, "volumeMounts", ReadMount),
      .resources = {.limits = ReadResourceList(resources, "limits"),
                    .requests = ReadResourceList(resources, "requests")},
      .security_context = ReadSecurityContext(value),
      .termination_message_path = StringOr(value, "terminationMessagePath"),
      .termination_message_policy = StringOr(value, "terminationMessagePolicy"),
      .stdin = BoolOr(value, "stdin", false),
      .stdin_once = BoolOr(value, "stdinOnce", false),
      .tty = BoolOr(value, "tty", false),
  };
}

Volume ReadVolume(const json& value) {
  Volume volume{.name = StringOr(value, "name"), .source = EmptyDir{}};
  if (const json& host_path = Member(value, "hostPath"); host_path.is_object()) {
    volume.source = HostPath{.path = StringOr(host_path, "path"), .type = StringOr(host_path, "type")};
  } else {
    const json& empty_dir = Member(value, "emptyDir");
    volume.source =
        EmptyDir{.medium = StringOr(empty_dir, "medium"), .size_limit = QuantityOf(Member(empty_dir, "sizeLimit"))};
  }
  return volume;
}

std::optional<DnsConfig> ReadDnsConfig(const json& spec) {
  const json& value = Member(spec, "dnsConfig");
  if (!value.is_object()) return std::nullopt;
  return DnsConfig{.nameservers = Strings(value, "nameservers"),
                   .searches = Strings(value, "searches"),
                   .options = List<DnsOption>(value, "options", [](const json& option) {
                     return DnsOption{.name = StringOr(option, "name"), .value = OptionalString(option, "value")};
                   })};
}

PodSpec ReadSpec(const json& spec) {
  PodSpec out{
      .init_containers = List<Container>(spec, "initContainers", ReadContainer),
      .containers = List<Container>(spec, "containers", ReadContainer),
      .volumes = List<Volume>(spec, "volumes", ReadVolume),
      .restart_policy = StringOr(spec, "restartPolicy"),
      .termination_grace_period_seconds = OptionalInt(spec, "terminationGracePeriodSeconds").value_or(30),
      .active_deadline_seconds = OptionalInt(spec, "activeDeadlineSeconds"),
      .dns_policy = StringOr(spec, "dnsPolicy"),
      .dns_config = ReadDnsConfig(spec),
      .node_name = StringOr(spec, "nodeName"),
      .os_name = StringOr(Member(spec, "os"), "name"),
      .hostname = StringOr(spec, "hostname"),
      .subdomain = StringOr(spec, "subdomain"),
      .host_aliases = List<HostAlias>(spec, "hostAliases",
                                      [](const json& alias) {
                                        return HostAlias{.ip = StringOr(alias, "ip"),
                                                         .hostnames = Strings(alias, "hostnames")};
                                      }),
      .host_network = BoolOr(spec, "hostNetwork", false),
      .host_pid = BoolOr(spec, "hostPID", false),
      .host_ipc = BoolOr(spec, "hostIPC", false),
      .share_process_namespace = BoolOr(spec, "shareProcessNamespace", false),
      .priority_class_name = StringOr(spec, "priorityClassName"),
      .priority = std::nullopt,
      .security_context = ReadPodSecurityContext(spec),
  };
  if (OptionalInt(spec, "priority")) out.priority = IntOr(spec, "priority", 0);
  return out;
}

}  // namespace

Pod ReadPod(const json& pod) {
  const json& metadata = Member(pod, "metadata");
  const json& spec = Member(pod, "spec");
  Pod out;
  out.metadata = {.name = StringOr(metadata, "name"),
                  .namespace_ = StringOr(metadata, "namespace", "default"),
                  .uid = StringOr(metadata, "uid"),
                  .labels = StringMapOf(metadata, "labels"),
                  .annotations = StringMapOf(metadata, "annotations")};
  out.spec = ReadSpec(spec);
  out.metadata_json = std::make_shared<const json>(metadata.is_object() ? metadata : json::object());
  out.spec_json = std::make_shared<const json>(spec.is_object() ? spec : json::object());
  return out;
}

}  // namespace portcullis::k8s
