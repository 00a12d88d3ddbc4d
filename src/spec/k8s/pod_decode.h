// The steps inside LoadStaticPod (static_pod.h), each a function of values: defaults, typed reading, and values (not
// fields) that this node does not support.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/diagnostic.h"
#include "base/document.h"
#include "spec/k8s/pod.h"

namespace portcullis::k8s {

// Kubernetes' defaulting (kubernetes-seccomp.md 6.1), on the JSON, so that /pods shows it. Members of a wrong type are
// left alone.
void ApplyPodDefaults(nlohmann::json& pod);

// Always, IfNotPresent: what Kubernetes chooses for an image without imagePullPolicy.
std::string DefaultPullPolicy(const std::string& image);

// The typed pod of a defaulted JSON; keeps copies of its metadata and spec.
Pod ReadPod(const nlohmann::json& pod);

// What the typed pod does not show: fields whose support depends on their value (hostUsers, os, AppArmor, resource
// names, ...) and choices that exclude each other (two sources of one volume or variable).
Diagnostics CheckSupportedValues(const base::Document& document, const nlohmann::json& pod);

}  // namespace portcullis::k8s
