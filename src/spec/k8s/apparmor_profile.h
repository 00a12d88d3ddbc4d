// Which AppArmor profile a container's pod asks for: the container's field, else its annotation (deprecated since
// Kubernetes 1.30, still of effect), else the pod's field. (pkg/security/apparmor/helpers.go: GetProfile.)
#pragma once

#include <string>
#include <string_view>

#include "spec/k8s/pod.h"

namespace portcullis::k8s {

// container.apparmor.security.beta.kubernetes.io/<container>
inline constexpr std::string_view kAppArmorAnnotation = "container.apparmor.security.beta.kubernetes.io/";

// "runtime/default", "localhost/<name>", "unconfined", or "" when nobody says: then the runtime decides.
std::string AppArmorProfileOf(const Pod& pod, const Container& container);

}  // namespace portcullis::k8s
