// Which seccomp profile a container gets, and who decided (kubernetes-seccomp.md section 2.1). Fails closed: an unknown
// type or an empty localhostProfile is an error, as in Kubernetes after PR 141958, never silently Unconfined.
//
//   ASSIGN_OR_RETURN(EffectiveProfile profile, ResolveSeccompProfile(pod.spec, container, {.seccomp_default = true,
//   .root_dir = "/var/lib/kubelet"})); profile.type == SeccompType::kRuntimeDefault, profile.decided_by ==
//   DecidedBy::kNodeDefault
//
// A container's own profile replaces the pod's completely; the node's default holds only where neither says anything.
// Legacy annotations decide nothing (Kubernetes >= 1.27). The sandbox always gets RuntimeDefault:
// SandboxSeccompProfile().
#pragma once

#include <string>

#include "base/result.h"
#include "spec/k8s/pod.h"

namespace portcullis::k8s {

enum class SeccompType { kRuntimeDefault, kUnconfined, kLocalhost };
enum class DecidedBy { kContainer, kPod, kNodeDefault };

struct SeccompSettings {
  bool seccomp_default = false;               // the effective SeccompDefault
  std::string root_dir = "/var/lib/kubelet";  // profiles live in <root_dir>/seccomp
};

struct EffectiveProfile {
  SeccompType type = SeccompType::kUnconfined;
  std::string localhost_ref;  // absolute path; only for kLocalhost
  DecidedBy decided_by = DecidedBy::kNodeDefault;
};

// Errors are kInvalidArgument; the container must not start (waiting reason CreateContainerConfigError).
Result<EffectiveProfile> ResolveSeccompProfile(const PodSpec& pod, const Container& container,
                                               const SeccompSettings& settings);

EffectiveProfile SandboxSeccompProfile();

// <root_dir>/seccomp joined and cleaned lexically, as Go's filepath.Join. Absolute paths and any ".." element are
// refused.
Result<std::string> LocalhostProfilePath(const std::string& root_dir, const std::string& localhost_profile);

std::string SeccompTypeName(SeccompType type);    // "RuntimeDefault", "Unconfined", "Localhost"
std::string DecidedByName(DecidedBy decided_by);  // "container", "pod", "node default"
// What the manifest says, for tables: "RuntimeDefault", "Localhost/profiles/a.json", "Unconfined", "-" when nothing is
// set.
std::string DeclaredProfile(const PodSpec& pod, const Container& container);

}  // namespace portcullis::k8s
