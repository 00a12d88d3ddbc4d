// From a Pod to the messages that make it: cri::PodSandboxConfig and cri::ContainerConfig. Pure.
//
// The seccomp sub-message is always set explicitly, because an absent one means "unconfined" to most runtimes and an
// empty one RuntimeDefault. The sandbox always asks for RuntimeDefault. A privileged container still carries its
// profile: the runtime drops it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cri/types.h"
#include "node/pod/settings.h"
#include "spec/k8s/pod.h"

namespace portcullis::node {

// Labels and annotations by which a restarted node finds its pods again (kubernetes-seccomp.md 6.3, 6.14).
inline constexpr std::string_view kPodNameLabel = "io.kubernetes.pod.name";
inline constexpr std::string_view kPodNamespaceLabel = "io.kubernetes.pod.namespace";
inline constexpr std::string_view kPodUidLabel = "io.kubernetes.pod.uid";
inline constexpr std::string_view kContainerNameLabel = "io.kubernetes.container.name";
inline constexpr std::string_view kHashAnnotation = "io.kubernetes.container.hash";
inline constexpr std::string_view kRestartCountAnnotation = "io.kubernetes.container.restartCount";
inline constexpr std::string_view kTerminationPathAnnotation = "io.kubernetes.container.terminationMessagePath";
inline constexpr std::string_view kTerminationPolicyAnnotation = "io.kubernetes.container.terminationMessagePolicy";
inline constexpr std::string_view kPortsAnnotation = "io.kubernetes.container.ports";
inline constexpr std::string_view kGraceAnnotation = "io.kubernetes.pod.terminationGracePeriod";
// On containers, for `portcullis status`: what the manifest says ("-" if nothing), and "container", "pod" or "node
// default".
inline constexpr std::string_view kDeclaredAnnotation = "io.portcullis.seccomp.declared";
inline constexpr std::string_view kDecidedByAnnotation = "io.portcullis.seccomp.decided-by";
// On sandboxes: the node that made it. Pods without it, or of another node, are nobody's business here.
inline constexpr std::string_view kNodeAnnotation = "io.portcullis.node";

cri::PodSandboxConfig MakeSandboxConfig(const k8s::Pod& pod, uint32_t attempt, const cri::DNSConfig& dns,
                                        const PodSettings& settings);

// What the image says about whom it runs as.
struct ImageFacts {
  std::string id;
  std::optional<int64_t> uid;
  std::string user_name;
};

struct ContainerInputs {
  int attempt = 0;
  ImageFacts image;
  std::vector<std::string> pod_ips;
  std::vector<std::string> mount_sources;  // a path on the node for each of container.volume_mounts, in order
  std::string etc_hosts;                   // "": no managed file
  std::string termination_log;             // "": none
};
// Errors are for the waiting reason CreateContainerConfigError and carry Kubernetes' text.
Result<cri::ContainerConfig> MakeContainerConfig(const k8s::Pod& pod, const k8s::Container& container,
                                                 const ContainerInputs& inputs, const PodSettings& settings);

// <pod logs dir>/<namespace>_<name>_<uid>, as given to the sandbox.
std::string PodLogDirectory(const PodSettings& settings, const std::string& namespace_, const std::string& name,
                            const std::string& uid);

// Whether the container must not run because it would be root: "" or Kubernetes' explanation.
std::string CheckRunAsNonRoot(const k8s::Pod& pod, const k8s::Container& container, const ImageFacts& image);

// "web-n1_default(0123abcd)", as Kubernetes' messages name a pod.
std::string PodForMessages(const k8s::Pod& pod);

}  // namespace portcullis::node
