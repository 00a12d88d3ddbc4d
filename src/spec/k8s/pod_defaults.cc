#include <nlohmann/json.hpp>

#include "spec/k8s/json_access.h"
#include "spec/k8s/pod_decode.h"

namespace portcullis::k8s {
namespace {

using nlohmann::json;

void Default(json& object, const char* name, json value) {
  const json& member = Member(object, name);
  if (member.is_null() || (member.is_string() && member.get_ref<const std::string&>().empty())) {
    object[name] = std::move(value);
  }
}

// Calls `visit` for every object of the list `object[name]`.
template <class Visit>
void EachObject(json& object, const char* name, Visit visit) {
  if (!object.is_object()) return;
  const auto it = object.find(name);
  if (it == object.end() || !it->is_array()) return;
  for (json& element : *it) {
    if (element.is_object()) visit(element);
  }
}

void DefaultRequests(json& container) {
  Default(container, "resources", json::object());
  json& resources = container["resources"];
  const json limits = Member(resources, "limits");
  if (!limits.is_object() || limits.empty()) return;
  if (Member(resources, "requests").is_null()) resources["requests"] = json::object();
  json& requests = resources["requests"];
  if (!requests.is_object()) return;
  for (const auto& [name, limit] : limits.items()) {
    if (!requests.contains(name)) requests[name] = limit;
  }
}

void DefaultProbe(json& container, const char* name) {
  if (!Member(container, name).is_object()) return;
  json& probe = container[name];
  Default(probe, "timeoutSeconds", 1);
  Default(probe, "periodSeconds", 10);
  Default(probe, "successThreshold", 1);
  Default(probe, "failureThreshold", 3);
  if (Member(probe, "httpGet").is_object()) {
    Default(probe["httpGet"], "path", "/");
    Default(probe["httpGet"], "scheme", "HTTP");
  }
}

void DefaultContainer(json& container, bool host_network) {
  Default(container, "terminationMessagePath", "/dev/termination-log");
  Default(container, "terminationMessagePolicy", "File");
  Default(container, "imagePullPolicy", DefaultPullPolicy(StringOr(container, "image")));
  DefaultRequests(container);
  for (const char* probe : {"livenessProbe", "readinessProbe", "startupProbe"}) DefaultProbe(container, probe);
  EachObject(container, "ports", [host_network](json& port) {
    Default(port, "protocol", "TCP");
    const auto container_port = OptionalInt(port, "containerPort");
    if (host_network && container_port && OptionalInt(port, "hostPort").value_or(0) == 0) {
      port["hostPort"] = *container_port;
    }
  });
  EachObject(container, "env", [](json& variable) {
    if (!Member(variable, "valueFrom").is_object()) return;
    json& source = variable["valueFrom"];
    if (Member(source, "fieldRef").is_object()) Default(source["fieldRef"], "apiVersion", "v1");
    if (Member(source, "resourceFieldRef").is_object()) Default(source["resourceFieldRef"], "divisor", "0");
  });
}

}  // namespace

std::string DefaultPullPolicy(const std::string& image) {
  const size_t at = image.find('@');
  const std::string name = image.substr(0, at);
  const size_t slash = name.rfind('/');
  const size_t colon = name.rfind(':');
  const bool has_tag = colon != std::string::npos && (slash == std::string::npos || colon > slash);
  const bool latest = has_tag ? name.substr(colon + 1) == "latest" : at == std::string::npos;
  return latest ? "Always" : "IfNotPresent";
}

void ApplyPodDefaults(json& pod) {
  if (!pod.is_object()) return;
  Default(pod, "metadata", json::object());
  if (pod["metadata"].is_object()) Default(pod["metadata"], "namespace", "default");
  if (!Member(pod, "spec").is_object()) return;
  json& spec = pod["spec"];
  Default(spec, "restartPolicy", "Always");
  Default(spec, "dnsPolicy", "ClusterFirst");
  Default(spec, "terminationGracePeriodSeconds", 30);
  Default(spec, "schedulerName", "default-scheduler");
  Default(spec, "securityContext", json::object());
  Default(spec, "enableServiceLinks", true);
  const bool host_network = BoolOr(spec, "hostNetwork", false);
  for (const char* list : {"initContainers", "containers"}) {
    EachObject(spec, list, [host_network](json& container) { DefaultContainer(container, host_network); });
  }
  EachObject(spec, "volumes", [](json& volume) {
    const size_t sources = volume.size() - (volume.contains("name") ? 1 : 0);
    if (sources == 0) volume["emptyDir"] = json::object();
    if (Member(volume, "hostPath").is_object()) {
      Default(volume["hostPath"], "type", "");
    }
  });
}

}  // namespace portcullis::k8s
