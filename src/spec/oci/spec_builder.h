// From what a pod asks for to the OCI runtime spec of one container or one sandbox.
//
// Pure: every fact about the host and every file's text is an input.
//
//   ContainerSpecInput in;
//   in.rootfs = "/var/lib/portcullis/snapshots/7/merged";
//   in.image.entrypoint = {"/docker-entrypoint.sh"};
//   in.image.cmd = {"nginx", "-g", "daemon off;"};
//   in.sandbox = {.network = "/run/netns/pc-1", .ipc = "/proc/812/ns/ipc", .uts = "/proc/812/ns/uts"};
//   in.capabilities.daemon = in.host.capabilities;
//   in.seccomp = resolved;                               // resolved for ComputeCapabilities(...).bounding
//   ASSIGN_OR_RETURN(BuiltSpec built, BuildContainerSpec(in));
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engine/seccomp/resolved.h"
#include "spec/oci/capabilities.h"
#include "spec/oci/runtime_spec.h"

namespace portcullis::oci {

// What the daemon itself is and may do. runtime/container/host_facts.h reads it from the running system.
struct HostFacts {
  std::vector<std::string> capabilities;           // the daemon's permitted set, "CAP_..." names
  int64_t oom_score_adj = 0;                       // the daemon's own
  std::map<std::string, uint64_t> rlimit_maximum;  // "RLIMIT_NOFILE" -> the daemon's hard limit
  bool unified_cgroups = false;                    // cgroup v2 only: containers get a cgroup namespace
  std::vector<Device> devices;                     // device nodes below /dev, for privileged containers
};

struct ImageProcessConfig {
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::vector<std::string> env;  // "NAME=value"
  std::string working_dir;
  std::string user;
};

enum class NamespaceMode { kPod, kContainer, kNode, kTarget };  // CRI's

struct NamespaceModes {
  NamespaceMode network = NamespaceMode::kPod;  // kPod or kNode
  NamespaceMode pid = NamespaceMode::kContainer;
  NamespaceMode ipc = NamespaceMode::kPod;  // kPod or kNode
};

// Paths that a container joins; only those that the modes call for are read. `pid` is the sandbox's for kPod, the
// target container's for kTarget. The UTS namespace goes with the network one, as in Kubernetes.
struct SandboxNamespaces {
  std::string network;
  std::string ipc;
  std::string uts;
  std::string pid;
};

struct DeviceRequest {
  Device device;
  std::string access = "rwm";
};

struct ContainerSpecInput {
  std::string rootfs;
  bool readonly_rootfs = false;
  bool tty = false;
  std::string hostname;  // for HOSTNAME only; the UTS namespace is the sandbox's
  ImageProcessConfig image;
  std::vector<std::string> command;  // replaces the image's entrypoint, and its cmd
  std::vector<std::string> args;     // replaces the image's cmd
  std::vector<std::pair<std::string, std::string>> env;
  std::string working_dir;

  CapabilityRequest capabilities;  // .privileged says whether the container is privileged; .daemon is HostFacts'
  bool no_new_privileges = false;
  std::optional<std::vector<std::string>> masked_paths;    // absent: DefaultMaskedPaths()
  std::optional<std::vector<std::string>> readonly_paths;  // absent: DefaultReadonlyPaths()
  std::string apparmor_profile;

  std::string run_as_username;
  std::optional<int64_t> run_as_user;
  std::optional<int64_t> run_as_group;
  std::vector<int64_t> supplemental_groups;
  bool strict_supplemental_groups =
      false;                // CRI SupplementalGroupsPolicy.Strict: groups of the image's files are not added
  std::string passwd_text;  // of the root filesystem; empty when it has none
  std::string group_text;

  NamespaceModes modes;
  SandboxNamespaces sandbox;
  std::string shm_path;  // the sandbox's /dev/shm on the host; empty: a private one of 64 MiB

  std::vector<Mount> mounts;  // after the default ones, in order; one on a default destination replaces it
  std::vector<DeviceRequest> devices;
  Resources resources;
  std::optional<int64_t> oom_score_adj;
  std::vector<Rlimit> rlimits;
  std::string cgroups_path;
  std::map<std::string, std::string> annotations;
  std::optional<seccomp::ResolvedProfile> seccomp;  // ignored for a privileged container
  HostFacts host;
};

struct SandboxSpecInput {
  std::string rootfs;
  bool bare = false;     // nothing is mounted in the root: no /proc, /sys or /dev to reach anything by
  std::string hostname;  // set in the new UTS namespace; ignored on the host's network
  ImageProcessConfig image;
  std::string network_namespace;  // pinned; needed unless modes.network is kNode
  NamespaceModes modes;
  std::string shm_path;
  std::map<std::string, std::string> sysctls;
  std::vector<Mount> mounts;
  std::optional<int64_t> run_as_user;
  std::optional<int64_t> run_as_group;
  std::vector<int64_t> supplemental_groups;
  std::string passwd_text;
  std::string group_text;
  Resources resources;
  std::optional<int64_t> oom_score_adj;  // Kubernetes gives sandboxes -998
  std::string cgroups_path;
  std::map<std::string, std::string> annotations;
  std::optional<seccomp::ResolvedProfile> seccomp;
  HostFacts host;
};

struct BuiltSpec {
  Spec spec;
  std::vector<std::string> notes;  // what was asked for and not given, one sentence each, for status and log
};

// Errors (kInvalidArgument) name the field: no command, relative working directory, unknown user or capability,
// a namespace path that is missing, a bad mount destination.
Result<BuiltSpec> BuildContainerSpec(const ContainerSpecInput& input);

// The pause process: read-only root, no capabilities (ask ResolvedProfile for an empty bounding set), no new
// privileges, new IPC, UTS, PID and mount namespaces as the modes say.
Result<BuiltSpec> BuildSandboxSpec(const SandboxSpecInput& input);

// An exec in a running container: its own process with other arguments, no more rights than the container has.
Process BuildExecProcess(const Spec& container, const std::vector<std::string>& command, bool tty);

const std::vector<std::string>& DefaultMaskedPaths();
const std::vector<std::string>& DefaultReadonlyPaths();

// Annotations beginning `run.oci.` command crun (run.oci.seccomp_bpf_data replaces linux.seccomp altogether), as do
// those beginning `module.wasm.` (another program instead of the container's); `org.systemd.property.` sets properties
// of the container's scope with crun and runc. None may come from outside. Removes them, appending a note for each.
void DropRuntimeAnnotations(std::map<std::string, std::string>& annotations, std::vector<std::string>& notes);

}  // namespace portcullis::oci
