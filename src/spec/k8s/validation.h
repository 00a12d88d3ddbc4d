// Validation of a Pod as the API server (and the kubelet, for static pods) does it, in Kubernetes' own words.
//
// Runs on the typed, defaulted pod. Each problem is a Diagnostic whose `field` is Kubernetes' path and whose `message`
// is
// "<type text>: <detail>"; FieldErrorText joins them as Kubernetes prints them:
//   spec.containers[0].image: Required value
//   spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"
#pragma once

#include <string>

#include "base/diagnostic.h"
#include "spec/k8s/pod.h"

namespace portcullis::k8s {

// Errors only; line and column are 0 (LoadStaticPod fills them in). Empty: the pod is valid.
Diagnostics ValidatePod(const Pod& pod);

// "spec.x: Required value"
std::string FieldErrorText(const Diagnostic& diagnostic);
// "invalid pod: [e1 e2]"; "" when there is no error among them.
std::string AggregateErrors(const Diagnostics& diagnostics);

// RFC 1123 names as Kubernetes checks them: "" when right, else Kubernetes' explanation.
std::string CheckDns1123Label(const std::string& text);
std::string CheckDns1123Subdomain(const std::string& text);

}  // namespace portcullis::k8s
