#include "runtime/service/seccomp_decision.h"

#include "base/strings.h"

namespace portcullis::runtime {
namespace {

constexpr std::string_view kLocalhostPrefix = "localhost/";

Result<SeccompDecision> Localhost(std::string_view path) {
  if (path.starts_with(kLocalhostPrefix)) path.remove_prefix(kLocalhostPrefix.size());
  if (path.empty())
    return Fail(Code::kInvalidArgument, "seccomp profile type is Localhost but no localhost_ref is set");
  if (!path.starts_with('/')) {
    return Fail(Code::kInvalidArgument, "seccomp localhost_ref {} must be an absolute path", base::Quote(path));
  }
  return SeccompDecision{.source = SeccompSource::kLocalhost, .localhost_path = std::string(path)};
}

Result<SeccompDecision> FromLegacyPath(const std::string& path) {
  if (path.empty() || path == "unconfined") return SeccompDecision{};
  if (path == "runtime/default" || path == "docker/default") {
    return SeccompDecision{.source = SeccompSource::kRuntimeDefault, .localhost_path = ""};
  }
  if (path.starts_with(kLocalhostPrefix)) return Localhost(path);
  return Fail(Code::kInvalidArgument, "invalid profile {}", base::Quote(path));
}

Result<SeccompDecision> FromProfile(const cri::SecurityProfile& profile) {
  using Type = cri::SecurityProfileProfileType;
  if (profile.profile_type != Type::kLocalhost && !profile.localhost_ref.empty()) {
    return Fail(Code::kInvalidArgument,
                "seccomp config invalid LocalhostRef must only be set if ProfileType is Localhost");
  }
  switch (profile.profile_type) {
    case Type::kUnconfined:
      return SeccompDecision{};
    case Type::kRuntimeDefault:
      return SeccompDecision{.source = SeccompSource::kRuntimeDefault, .localhost_path = ""};
    case Type::kLocalhost:
      return Localhost(profile.localhost_ref);
  }
  return Fail(Code::kInvalidArgument, "seccomp unknown ProfileType");  // a number that this CRI version does not have
}

template <class Context>
SeccompRequest RequestOf(const std::optional<Context>& context, bool kernel_has_seccomp) {
  SeccompRequest request{.kernel_has_seccomp = kernel_has_seccomp};
  if (context) {
    request.profile = context->seccomp;
    request.legacy_path = context->seccomp_profile_path;
    request.privileged = context->privileged;
  }
  return request;
}

}  // namespace

Result<SeccompDecision> DecideSeccomp(const SeccompRequest& request) {
  if (request.privileged) return SeccompDecision{};
  auto decision = request.profile ? FromProfile(*request.profile) : FromLegacyPath(request.legacy_path);
  // A kernel without seccomp: nothing may be run that asked for a filter, whatever is wrong with the request besides.
  const bool asks_for_none = decision && decision->source == SeccompSource::kNone;
  if (!request.kernel_has_seccomp && !asks_for_none) {
    return Fail(Code::kFailedPrecondition, "seccomp is not supported");
  }
  return decision;
}

SeccompRequest SeccompRequestOf(const std::optional<cri::LinuxContainerSecurityContext>& context,
                                bool kernel_has_seccomp) {
  return RequestOf(context, kernel_has_seccomp);
}

SeccompRequest SeccompRequestOf(const std::optional<cri::LinuxSandboxSecurityContext>& context,
                                bool kernel_has_seccomp) {
  return RequestOf(context, kernel_has_seccomp);
}

}  // namespace portcullis::runtime
