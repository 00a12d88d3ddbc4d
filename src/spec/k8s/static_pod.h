// From the text of a manifest to a Pod that may run: decode strictly, default, give the static pod its identity,
// validate.
//
//   PodLoad load = LoadStaticPod(text, {.file = "/etc/kubernetes/manifests/web.yaml", .node_name = "n1", .seen =
//   base::NowUnixNanos()}); for (const Diagnostic& d : load.diagnostics) ...            // with file:line:column,
//   warnings too if (!load.pod) LogError("Could not process manifest file", {{"err", load.error}});
//
// Stricter than the kubelet on purpose: unknown and duplicate fields are errors with the nearest valid name, and
// whatever Kubernetes knows but this node does not do is an error (it would change behaviour or security) or a warning
// (it has no effect here), never silence.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "spec/k8s/pod.h"

namespace portcullis::k8s {

inline constexpr size_t kMaxManifestBytes = 10u << 20;
inline constexpr size_t kMaxContainersPerPod = 256;

struct StaticPodSource {
  std::string file;             // path as configured; part of the pod's identity
  std::string node_name;        // lower-case host name
  std::string source = "file";  // "file" or "http"
  int64_t seen = 0;             // Unix nanoseconds: annotation kubernetes.io/config.seen
};

struct PodLoad {
  std::optional<Pod> pod;  // set exactly when no diagnostic is an error
  Diagnostics diagnostics;
  // Why there is no pod, on one line, in Kubernetes' words: "invalid pod: [spec.containers: Required value]"; "" when
  // there is one.
  std::string error;
};

PodLoad LoadStaticPod(std::string_view text, const StaticPodSource& source);

// What a URL serves: one Pod, or a PodList (or a v1 List of Pods).
struct PodListLoad {
  std::vector<Pod> pods;             // all of them, or none: as in Kubernetes one bad pod spoils the list
  std::vector<std::string> digests;  // of each pod's text: equal ones mean the same pod
  Diagnostics diagnostics;           // fields are "items[2].spec.containers"
  std::string error;                 // "" when the pods (there may be none) are what is wanted
};

inline constexpr size_t kMaxPodsPerList = 1024;
PodListLoad LoadStaticPods(std::string_view text, const StaticPodSource& source);

// Keys of the annotations that the node adds to a static pod.
inline constexpr std::string_view kConfigSourceAnnotation = "kubernetes.io/config.source";
inline constexpr std::string_view kConfigSeenAnnotation = "kubernetes.io/config.seen";
inline constexpr std::string_view kConfigHashAnnotation = "kubernetes.io/config.hash";

}  // namespace portcullis::k8s
