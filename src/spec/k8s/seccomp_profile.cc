#include "spec/k8s/seccomp_profile.h"

#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "spec/k8s/validation_rules.h"

namespace portcullis::k8s {
namespace {

const SeccompProfile* OwnProfile(const Container& container) {
  if (!container.security_context || !container.security_context->seccomp_profile) return nullptr;
  return &*container.security_context->seccomp_profile;
}

const SeccompProfile* PodProfile(const PodSpec& pod) {
  return pod.security_context.seccomp_profile ? &*pod.security_context.seccomp_profile : nullptr;
}

Result<EffectiveProfile> Convert(const SeccompProfile& profile, DecidedBy decided_by, const SeccompSettings& settings) {
  if (profile.type == "RuntimeDefault") return EffectiveProfile{SeccompType::kRuntimeDefault, "", decided_by};
  if (profile.type == "Unconfined") return EffectiveProfile{SeccompType::kUnconfined, "", decided_by};
  if (profile.type != "Localhost") {
    return Fail(Code::kInvalidArgument,
                "unsupported seccompProfile type {} (supported: Unconfined, RuntimeDefault, Localhost)",
                base::Quote(profile.type));
  }
  ASSIGN_OR_RETURN(std::string path, LocalhostProfilePath(settings.root_dir, profile.localhost_profile.value_or("")));
  return EffectiveProfile{SeccompType::kLocalhost, std::move(path), decided_by};
}

}  // namespace

Result<EffectiveProfile> ResolveSeccompProfile(const PodSpec& pod, const Container& container,
                                               const SeccompSettings& settings) {
  if (const SeccompProfile* own = OwnProfile(container)) return Convert(*own, DecidedBy::kContainer, settings);
  if (const SeccompProfile* profile = PodProfile(pod)) return Convert(*profile, DecidedBy::kPod, settings);
  const SeccompType type = settings.seccomp_default ? SeccompType::kRuntimeDefault : SeccompType::kUnconfined;
  return EffectiveProfile{type, "", DecidedBy::kNodeDefault};
}

EffectiveProfile SandboxSeccompProfile() { return {SeccompType::kRuntimeDefault, "", DecidedBy::kNodeDefault}; }

Result<std::string> LocalhostProfilePath(const std::string& root_dir, const std::string& localhost_profile) {
  if (localhost_profile.empty()) {
    // Kubernetes' words, full stop included.
    return Fail(Code::kInvalidArgument, "localhostProfile must be set if seccompProfile type is Localhost.");
  }
  // Validation has refused these before; the kubelet relies on that alone.
  if (localhost_profile.front() == '/') {
    return Fail(Code::kInvalidArgument, "localhostProfile {} must be a relative path", base::Quote(localhost_profile));
  }
  if (HasDotDot(localhost_profile)) {
    return Fail(Code::kInvalidArgument, "localhostProfile {} must not contain '..'", base::Quote(localhost_profile));
  }
  if (localhost_profile.find('\0') != std::string::npos) {
    return Fail(Code::kInvalidArgument, "localhostProfile {} must not contain a NUL character",
                base::Quote(localhost_profile));
  }
  return base::JoinPath(base::JoinPath(root_dir, "seccomp"), localhost_profile);
}

std::string SeccompTypeName(SeccompType type) {
  switch (type) {
    case SeccompType::kRuntimeDefault:
      return "RuntimeDefault";
    case SeccompType::kUnconfined:
      return "Unconfined";
    case SeccompType::kLocalhost:
      return "Localhost";
  }
  return "";
}

std::string DecidedByName(DecidedBy decided_by) {
  switch (decided_by) {
    case DecidedBy::kContainer:
      return "container";
    case DecidedBy::kPod:
      return "pod";
    case DecidedBy::kNodeDefault:
      return "node default";
  }
  return "";
}

std::string DeclaredProfile(const PodSpec& pod, const Container& container) {
  const SeccompProfile* profile = OwnProfile(container);
  if (profile == nullptr) profile = PodProfile(pod);
  if (profile == nullptr) return "-";
  if (profile->type == "Localhost") return "Localhost/" + profile->localhost_profile.value_or("");
  return profile->type;
}

}  // namespace portcullis::k8s
