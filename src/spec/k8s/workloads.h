// The containers that manifests describe, of every kind that makes pods: what tools look at that judge workloads
// without running them.
//
//   WorkloadsLoad load = LoadWorkloads(text, "app.yaml");
//   for (const PodTemplate& pod : load.templates) for (const TemplateContainer& one : pod.containers) ...
//
// Unlike LoadStaticPod (static_pod.h), which refuses what this node cannot run, this reads pods of any cluster:
// volumes, fields and kinds that are unknown here do not matter. Of the fields that decide about security
// (securityContext) what is misspelt or of a wrong type is told. Kinds: Pod, Deployment, ReplicaSet,
// ReplicationController, StatefulSet, DaemonSet, Job, CronJob, PodTemplate, anything else with a pod template at
// spec.template, and lists of them (a v1 PodList as the kubelet's /pods gives it, too).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "spec/k8s/pod.h"

namespace portcullis::k8s {

enum class ContainerRole { kInit, kSidecar, kMain, kEphemeral };
std::string_view ContainerRoleName(ContainerRole role);  // "init container", "container"

struct TemplateContainer {
  ContainerRole role = ContainerRole::kMain;
  Container container;
  bool runs_exec = false;  // an exec probe, or an exec lifecycle hook
  std::string id;          // without "containerd://", of a running pod's status; "" otherwise
  int line = 0;            // in the file; 0 when unknown
};

struct PodTemplate {
  std::string kind;  // "Pod", "Deployment"
  std::string name_space = "default";
  std::string name;  // of the object, not of its pods
  std::string uid;   // of a Pod
  std::string file;
  int line = 0;
  PodSpec spec;
  std::vector<TemplateContainer> containers;  // in the order init, main, ephemeral
};

struct WorkloadsLoad {
  std::vector<PodTemplate> templates;
  size_t others = 0;        // objects that make no pods
  Diagnostics diagnostics;  // errors: what could not be read
};

WorkloadsLoad LoadWorkloads(std::string_view text, const std::string& file);

// Can a pod of this name be one that the object made? Kubernetes' name patterns: Deployment web -> web-<hash>-<5>,
// StatefulSet db -> db-0, DaemonSet, Job -> <name>-<5>, CronJob -> <name>-<minutes>-<5>; a Pod is itself, or itself
// with the node's name when it is a static pod.
bool MayBePodOf(const PodTemplate& object, std::string_view pod_name);

}  // namespace portcullis::k8s
