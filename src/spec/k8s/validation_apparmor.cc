// appArmorProfile of pods and containers, and the annotations from before it (pkg/apis/core/validation).
#include <algorithm>

#include "base/strings.h"
#include "spec/k8s/apparmor_profile.h"
#include "spec/k8s/validation_rules.h"

namespace portcullis::k8s {
namespace {

constexpr std::string_view kTypes[] = {"Localhost", "RuntimeDefault", "Unconfined"};
constexpr std::string_view kLocalhost = "localhost/";
constexpr size_t kMaxName = 4095;

void LocalhostName(const std::optional<std::string>& name, const std::string& path, ErrorList& errors) {
  const std::string trimmed = name ? std::string(base::Trim(*name)) : "";
  if (name && trimmed != *name) {
    errors.Invalid(path, *name, "must not be padded with whitespace");
  } else if (trimmed.empty()) {
    errors.Required(path, "must be set when AppArmor type is Localhost");
  } else if (name->size() > kMaxName) {
    errors.Add(path, fmt::format("Too long: may not be more than {} bytes", kMaxName));
  }
}

void Field(const std::optional<AppArmorProfile>& profile, const std::string& path, ErrorList& errors) {
  if (!profile) return;
  const std::string name_path = path + ".localhostProfile";
  if (profile->type == "Localhost") {
    LocalhostName(profile->localhost_profile, name_path, errors);
  } else if (profile->type.empty()) {
    errors.Required(path + ".type", "type is required when appArmorProfile is set");
  } else {
    errors.Unsupported(path + ".type", profile->type, kTypes);
    if (profile->localhost_profile) {
      errors.Invalid(name_path, *profile->localhost_profile, "can only be set when AppArmor type is Localhost");
    }
  }
}

bool IsContainer(const PodSpec& spec, std::string_view name) {
  const auto named = [name](const Container& container) { return container.name == name; };
  return std::ranges::any_of(spec.containers, named) || std::ranges::any_of(spec.init_containers, named);
}

void AnnotationMatchesField(const Pod& pod, const Container& container, const std::string& path, ErrorList& errors) {
  const auto annotation = pod.metadata.annotations.find(std::string(kAppArmorAnnotation) + container.name);
  if (annotation == pod.metadata.annotations.end() || annotation->second.empty()) return;
  if (!container.security_context || !container.security_context->apparmor_profile) return;
  const std::string field = AppArmorProfileOf(pod, container);
  if (field == annotation->second) return;
  if (field.starts_with(kLocalhost) && annotation->second.starts_with(kLocalhost)) {
    errors.Forbidden(path + ".localhostProfile", "apparmor profile in annotation and field must match");
  } else {
    errors.Forbidden(path + ".type", "apparmor type in annotation and field must match");
  }
}

}  // namespace

void ValidateAppArmor(const Pod& pod, ErrorList& errors) {
  for (const auto& [key, value] : pod.metadata.annotations) {
    if (!key.starts_with(kAppArmorAnnotation)) continue;
    const std::string path = fmt::format("metadata.annotations[{}]", key);
    const std::string name = key.substr(kAppArmorAnnotation.size());
    if (!IsContainer(pod.spec, name)) errors.Invalid(path, name, "container not found");
    if (!value.empty() && value != "runtime/default" && value != "unconfined" && !value.starts_with(kLocalhost)) {
      errors.Invalid(path, value, fmt::format("invalid AppArmor profile name: {}", base::Quote(value)));
    }
  }
  Field(pod.spec.security_context.apparmor_profile, "spec.securityContext.appArmorProfile", errors);
  const auto check_list = [&](const std::vector<Container>& containers, const std::string& list) {
    for (size_t i = 0; i < containers.size(); ++i) {
      const std::string path = fmt::format("{}[{}].securityContext.appArmorProfile", list, i);
      if (containers[i].security_context) Field(containers[i].security_context->apparmor_profile, path, errors);
      AnnotationMatchesField(pod, containers[i], path, errors);
    }
  };
  check_list(pod.spec.init_containers, "spec.initContainers");
  check_list(pod.spec.containers, "spec.containers");
}

}  // namespace portcullis::k8s
