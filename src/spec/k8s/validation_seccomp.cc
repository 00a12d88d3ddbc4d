// kubernetes-seccomp.md section 3: the field, Windows pods, and the annotations that decide nothing any more but can
// still reject a pod.
#include "base/strings.h"
#include "spec/k8s/validation_rules.h"

namespace portcullis::k8s {
namespace {

constexpr std::string_view kPodAnnotation = "seccomp.security.alpha.kubernetes.io/pod";
constexpr std::string_view kContainerAnnotationPrefix = "container.seccomp.security.alpha.kubernetes.io/";
constexpr std::string_view kLocalhostPrefix = "localhost/";
constexpr std::string_view kTypes[] = {"Localhost", "RuntimeDefault", "Unconfined"};

void LocalPath(const std::string& field, const std::string& path, ErrorList& errors) {
  if (path.starts_with('/')) errors.Invalid(field, path, "must be a relative path");
  if (HasDotDot(path)) errors.Invalid(field, path, "must not contain '..'");
}

void Field(const std::optional<SeccompProfile>& profile, const std::string& path, ErrorList& errors) {
  if (!profile) return;
  const bool localhost = profile->type == "Localhost";
  const std::string ref_path = path + ".localhostProfile";
  if (localhost && !profile->localhost_profile) {
    errors.Required(ref_path, "must be set when seccomp type is Localhost");
  }
  if (localhost && profile->localhost_profile) LocalPath(ref_path, *profile->localhost_profile, errors);
  if (!localhost && profile->localhost_profile) {
    errors.Add(ref_path, fmt::format("Invalid value: {{\"Type\":{},\"LocalhostProfile\":{}}}: can only be set when "
                                     "seccomp type is Localhost",
                                     base::Quote(profile->type), base::Quote(*profile->localhost_profile)));
  }
  if (profile->type.empty()) {
    errors.Required(path + ".type", "type is required when seccompProfile is set");
  } else {
    errors.Unsupported(path + ".type", profile->type, kTypes);
  }
}

void AnnotationValue(const std::string& key, const std::string& value, ErrorList& errors) {
  const std::string field = "metadata.annotations." + key;
  if (value == "runtime/default" || value == "docker/default" || value == "unconfined") return;
  if (value.starts_with(kLocalhostPrefix)) {
    LocalPath(field, value.substr(kLocalhostPrefix.size()), errors);
  } else {
    errors.Invalid(field, value, "must be a valid seccomp profile");
  }
}

void AnnotationMatchesField(const std::optional<SeccompProfile>& profile, const StringMap& annotations,
                            const std::string& key, const std::string& path, ErrorList& errors) {
  const auto annotation = annotations.find(key);
  if (!profile || annotation == annotations.end()) return;
  const std::string& value = annotation->second;
  bool same_type = true;
  if (profile->type == "Unconfined") same_type = value == "unconfined";
  if (profile->type == "RuntimeDefault") same_type = value == "runtime/default" || value == "docker/default";
  if (profile->type == "Localhost") same_type = value.starts_with(kLocalhostPrefix);
  if (!same_type) {
    errors.Forbidden(path + ".type", "seccomp type in annotation and field must match");
  } else if (profile->type == "Localhost" && profile->localhost_profile &&
             value.substr(kLocalhostPrefix.size()) != *profile->localhost_profile) {
    errors.Forbidden(path + ".localhostProfile", "seccomp profile in annotation and field must match");
  }
}

}  // namespace

void ValidateSeccomp(const Pod& pod, ErrorList& errors) {
  const StringMap& annotations = pod.metadata.annotations;
  for (const auto& [key, value] : annotations) {
    if (key == kPodAnnotation || key.starts_with(kContainerAnnotationPrefix)) AnnotationValue(key, value, errors);
  }

  const bool windows = pod.spec.os_name == "windows";
  const auto check = [&](const std::optional<SeccompProfile>& profile, const std::string& path,
                         const std::string& annotation) {
    Field(profile, path, errors);
    if (windows && profile) errors.Forbidden(path, "cannot be set for a windows pod");
    AnnotationMatchesField(profile, annotations, annotation, path, errors);
  };
  const auto check_list = [&](const std::vector<Container>& containers, const std::string& list) {
    for (size_t i = 0; i < containers.size(); ++i) {
      const Container& container = containers[i];
      check(container.security_context ? container.security_context->seccomp_profile : std::nullopt,
            fmt::format("{}[{}].securityContext.seccompProfile", list, i),
            std::string(kContainerAnnotationPrefix) + container.name);
    }
  };
  check(pod.spec.security_context.seccomp_profile, "spec.securityContext.seccompProfile", std::string(kPodAnnotation));
  check_list(pod.spec.init_containers, "spec.initContainers");
  check_list(pod.spec.containers, "spec.containers");
}

}  // namespace portcullis::k8s
