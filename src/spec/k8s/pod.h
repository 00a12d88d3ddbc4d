// Pod: the part of Kubernetes' core/v1 Pod that this node acts on, typed, beside the JSON of the spec as the user (and
// Kubernetes' defaulting) wrote it. The JSON is what /pods shows; nothing ever writes to it after loading, so no node
// setting can change it.
//
// Where a Pod comes from: static_pod.h. Names are Kubernetes' own in this project's case: `imagePullPolicy` ->
// image_pull_policy. Every optional that Kubernetes defaults is filled in already. Enumerations are kept as Kubernetes'
// strings and are validated.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "spec/k8s/quantity.h"

namespace portcullis::k8s {

using StringMap = std::map<std::string, std::string>;

struct ObjectMeta {
  std::string name;  // static pods: with the suffix -<node name>
  std::string namespace_ = "default";
  std::string uid;  // static pods: 32 hex digits unless the manifest gives one
  StringMap labels;
  StringMap annotations;
};

struct SeccompProfile {
  std::string type;  // "RuntimeDefault", "Localhost", "Unconfined"; anything else fails closed
  std::optional<std::string> localhost_profile;  // relative to <root-dir>/seccomp
};

struct AppArmorProfile {
  std::string type;                              // as that of seccomp
  std::optional<std::string> localhost_profile;  // name of a profile that the host has loaded
};

struct Capabilities {
  std::vector<std::string> add;  // "NET_ADMIN", "ALL"
  std::vector<std::string> drop;
};

struct SecurityContext {  // of a container
  std::optional<bool> privileged;
  std::optional<bool> allow_privilege_escalation;
  std::optional<bool> read_only_root_filesystem;
  std::optional<bool> run_as_non_root;
  std::optional<int64_t> run_as_user;
  std::optional<int64_t> run_as_group;
  std::optional<Capabilities> capabilities;
  std::optional<std::string> proc_mount;  // "Default" or "Unmasked"
  std::optional<SeccompProfile> seccomp_profile;
  std::optional<AppArmorProfile> apparmor_profile;
};

struct PodSecurityContext {
  std::optional<bool> run_as_non_root;
  std::optional<int64_t> run_as_user;
  std::optional<int64_t> run_as_group;
  std::optional<int64_t> fs_group;
  std::vector<int64_t> supplemental_groups;
  std::optional<SeccompProfile> seccomp_profile;
  std::optional<AppArmorProfile> apparmor_profile;
};

struct FieldRef {
  std::string field_path;  // "metadata.name", "metadata.labels['k']", "spec.nodeName", "status.podIP", ...
};

struct ResourceFieldRef {
  std::string container_name;  // "" = the container itself
  std::string resource;        // "limits.cpu", "requests.memory", ...
  Quantity divisor;            // zero counts as 1
};

struct EnvVar {
  std::string name;
  std::string value;  // before $(VAR) expansion; used when `from` is absent
  std::optional<std::variant<FieldRef, ResourceFieldRef>> from;
};

struct ContainerPort {
  std::string name;
  std::string protocol = "TCP";  // TCP, UDP, SCTP
  int container_port = 0;
  int host_port = 0;  // 0 = none
  std::string host_ip;
};

struct VolumeMount {
  std::string name;
  std::string mount_path;
  bool read_only = false;
  std::string sub_path;
  std::string mount_propagation = "None";  // None, HostToContainer, Bidirectional
};

using ResourceList = std::map<std::string, Quantity>;  // "cpu", "memory", ...

struct ResourceRequirements {
  ResourceList limits;
  ResourceList requests;  // after defaulting: requests := limits where missing
};

struct Container {
  std::string name;
  std::string image;
  std::string image_pull_policy;  // Always, IfNotPresent, Never
  std::vector<std::string> command;
  std::vector<std::string> args;
  std::string working_dir;
  std::vector<EnvVar> env;
  std::vector<ContainerPort> ports;
  std::vector<VolumeMount> volume_mounts;
  ResourceRequirements resources;
  std::optional<SecurityContext> security_context;
  std::string termination_message_path;    // "/dev/termination-log"
  std::string termination_message_policy;  // File, FallbackToLogsOnError
  bool stdin = false;
  bool stdin_once = false;
  bool tty = false;
  bool privileged() const { return security_context && security_context->privileged.value_or(false); }
};

struct EmptyDir {
  std::string medium;  // "" or "Memory"
  std::optional<Quantity> size_limit;
};

struct HostPath {
  std::string path;
  std::string type;  // "", DirectoryOrCreate, Directory, FileOrCreate, File, Socket, CharDevice, BlockDevice
};

struct Volume {
  std::string name;
  std::variant<EmptyDir, HostPath> source;
};

struct HostAlias {
  std::string ip;
  std::vector<std::string> hostnames;
};

struct DnsOption {
  std::string name;
  std::optional<std::string> value;
};

struct DnsConfig {
  std::vector<std::string> nameservers;
  std::vector<std::string> searches;
  std::vector<DnsOption> options;
};

struct PodSpec {
  std::vector<Container> init_containers;  // run one after the other, each to success
  std::vector<Container> containers;
  std::vector<Volume> volumes;
  std::string restart_policy;  // Always, OnFailure, Never
  int64_t termination_grace_period_seconds = 30;
  std::optional<int64_t> active_deadline_seconds;
  std::string dns_policy;  // ClusterFirst, ClusterFirstWithHostNet, Default, None
  std::optional<DnsConfig> dns_config;
  std::string node_name;
  std::string os_name;   // "" or "linux"; "windows" is refused
  std::string hostname;  // "" = the pod's name
  std::string subdomain;
  std::vector<HostAlias> host_aliases;
  bool host_network = false;
  bool host_pid = false;
  bool host_ipc = false;
  bool share_process_namespace = false;
  std::string priority_class_name;
  std::optional<int32_t> priority;
  PodSecurityContext security_context;
};

struct Pod {
  ObjectMeta metadata;
  PodSpec spec;
  std::shared_ptr<const nlohmann::json> metadata_json;  // the whole of metadata and spec, after defaulting and identity
  std::shared_ptr<const nlohmann::json> spec_json;

  std::string FullName() const { return metadata.name + "_" + metadata.namespace_; }
  // Any container of any kind is privileged: the sandbox is then privileged, too.
  bool AnyPrivileged() const;
};

// `system-node-critical` or a priority of at least 2000001000: such pods are the last to be killed.
bool IsNodeCritical(const PodSpec& spec);

// The host name inside the pod: `hostname` or the pod's name, cut to 63 characters, trailing '-' and '.' removed.
std::string PodHostname(const Pod& pod);

}  // namespace portcullis::k8s
