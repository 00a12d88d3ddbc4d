#include "spec/k8s/apparmor_profile.h"

namespace portcullis::k8s {
namespace {

std::string Written(const AppArmorProfile& profile) {
  if (profile.type == "Localhost") return "localhost/" + profile.localhost_profile.value_or("");
  return profile.type == "RuntimeDefault" ? "runtime/default" : "unconfined";
}

}  // namespace

std::string AppArmorProfileOf(const Pod& pod, const Container& container) {
  if (container.security_context && container.security_context->apparmor_profile)
    return Written(*container.security_context->apparmor_profile);
  const auto annotation = pod.metadata.annotations.find(std::string(kAppArmorAnnotation) + container.name);
  if (annotation != pod.metadata.annotations.end() && !annotation->second.empty()) return annotation->second;
  const auto& of_pod = pod.spec.security_context.apparmor_profile;
  return of_pod ? Written(*of_pod) : "";
}

}  // namespace portcullis::k8s
