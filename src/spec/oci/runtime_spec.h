// The OCI runtime specification's config.json (opencontainers/runtime-spec 1.0.2) as far as this runtime writes it.
//
//   ASSIGN_OR_RETURN(BuiltSpec built, BuildContainerSpec(input));     // spec_builder.h
//   base::WriteFileAtomic(bundle + "/config.json", ToJson(built.spec).dump());
//   ... crictl inspect: info["runtimeSpec"] = ToJson(spec);
//
// Field names are the specification's, in snake case. Absent things are absent in the JSON: no empty lists, no nulls;
// `linux.seccomp` is missing (not {}) when the container is unconfined.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/seccomp/resolved.h"

namespace portcullis::oci {

// What Debian 12's crun accepts: it rejects 1.2.x.
inline constexpr char kOciVersion[] = "1.0.2";

struct User {
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> additional_gids;  // holds the primary gid too, as containerd writes it
  bool operator==(const User&) const = default;
};

// Names as in capabilities(7): "CAP_CHOWN".
struct Capabilities {
  std::vector<std::string> bounding;
  std::vector<std::string> effective;
  std::vector<std::string> inheritable;
  std::vector<std::string> permitted;
  std::vector<std::string> ambient;
  bool operator==(const Capabilities&) const = default;
};

struct Rlimit {
  std::string type;  // "RLIMIT_NOFILE"
  uint64_t hard = 0;
  uint64_t soft = 0;
  bool operator==(const Rlimit&) const = default;
};

struct Process {
  bool terminal = false;
  User user;
  std::vector<std::string> args;
  std::vector<std::string> env;  // "NAME=value"
  std::string cwd = "/";
  std::optional<Capabilities> capabilities;
  std::vector<Rlimit> rlimits;
  bool no_new_privileges = false;
  std::optional<int64_t> oom_score_adj;
  std::string apparmor_profile;
  std::string selinux_label;
  bool operator==(const Process&) const = default;
};

struct Root {
  std::string path;
  bool readonly = false;
  bool operator==(const Root&) const = default;
};

struct Mount {
  std::string destination;
  std::string type;
  std::string source;
  std::vector<std::string> options;
  bool operator==(const Mount&) const = default;
};

enum class NamespaceType { kPid, kNetwork, kMount, kIpc, kUts, kUser, kCgroup };

// A namespace to make (empty path) or to join. A kind not listed is shared with the runtime, that is, the host.
struct Namespace {
  NamespaceType type = NamespaceType::kMount;
  std::string path;
  bool operator==(const Namespace&) const = default;
};

// A device node to create in the container. type: "c", "b", "u" or "p".
struct Device {
  std::string path;
  std::string type;
  int64_t major = 0;
  int64_t minor = 0;
  std::optional<uint32_t> file_mode;  // permission bits
  std::optional<uint32_t> uid;
  std::optional<uint32_t> gid;
  bool operator==(const Device&) const = default;
};

// A rule of the device cgroup. Absent numbers and an empty type mean "all".
struct DeviceRule {
  bool allow = false;
  std::string type;
  std::optional<int64_t> major;
  std::optional<int64_t> minor;
  std::string access;  // of "rwm"
  bool operator==(const DeviceRule&) const = default;
};

// Zero-less: what is absent is left as the kernel has it. Units: cpu shares and quota as in cgroup v1 (quota and period
// in microseconds), memory in bytes, -1 for "no limit".
struct Resources {
  std::vector<DeviceRule> devices;
  std::optional<uint64_t> cpu_shares;
  std::optional<int64_t> cpu_quota;
  std::optional<uint64_t> cpu_period;
  std::string cpuset_cpus;
  std::string cpuset_mems;
  std::optional<int64_t> memory_limit;
  std::optional<int64_t> memory_reservation;
  std::optional<int64_t> memory_swap;  // memory and swap together
  std::optional<int64_t> pids_limit;
  std::map<std::string, uint64_t> hugepage_limits;  // "2MB" -> bytes
  std::map<std::string, std::string> unified;       // cgroup v2 file -> content
  bool operator==(const Resources&) const = default;
};

struct Linux {
  std::vector<Namespace> namespaces;
  std::vector<Device> devices;
  std::string cgroups_path;  // absolute: below the root of each hierarchy
  std::optional<Resources> resources;
  std::optional<seccomp::ResolvedProfile> seccomp;
  std::string rootfs_propagation;  // "", "rslave", "rshared", "private", ...
  std::vector<std::string> masked_paths;
  std::vector<std::string> readonly_paths;
  std::map<std::string, std::string> sysctl;
  bool operator==(const Linux&) const = default;
};

struct Spec {
  std::string oci_version = kOciVersion;
  Process process;
  Root root;
  std::string hostname;
  std::vector<Mount> mounts;
  std::map<std::string, std::string> annotations;
  Linux linux_;  // JSON key "linux"; the bare word is a macro in some compilers
  bool operator==(const Spec&) const = default;
};

nlohmann::json ToJson(const Spec& spec);
nlohmann::json ToJson(const Process& process);      // the process.json of an exec
nlohmann::json ToJson(const Resources& resources);  // what `runc update -r -` reads

// Reads what the types above hold; keys they do not hold are skipped. A wrong type or number is an error that names the
// place: `runtime spec <name>: /process/user/uid: want an unsigned 32-bit number`.
Result<Spec> SpecFromJson(const nlohmann::json& json, const std::string& name);

// "pid" <-> kPid.
std::string_view NamespaceTypeName(NamespaceType type);
std::optional<NamespaceType> ParseNamespaceType(std::string_view name);

}  // namespace portcullis::oci
