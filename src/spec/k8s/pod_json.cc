#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "spec/k8s/pod_status.h"
#include "spec/k8s/resources.h"

namespace portcullis::k8s {
namespace {

using nlohmann::json;

void Set(json& object, const char* name, const std::string& value) {
  if (!value.empty()) object[name] = value;
}

void SetTime(json& object, const char* name, int64_t unix_nanos) {
  if (unix_nanos == 0) {
    object[name] = nullptr;
  } else {
    object[name] = base::FormatRfc3339(unix_nanos);
  }
}

json ToJson(const ContainerState& state) {
  json out = json::object();
  if (const auto* waiting = std::get_if<StateWaiting>(&state)) {
    json& value = out["waiting"] = json::object();
    Set(value, "reason", waiting->reason);
    Set(value, "message", waiting->message);
  } else if (const auto* running = std::get_if<StateRunning>(&state)) {
    SetTime(out["running"], "startedAt", running->started_at);
  } else if (const auto* terminated = std::get_if<StateTerminated>(&state)) {
    json& value = out["terminated"] = {{"exitCode", terminated->exit_code}};
    if (terminated->signal != 0) value["signal"] = terminated->signal;
    Set(value, "reason", terminated->reason);
    Set(value, "message", terminated->message);
    SetTime(value, "startedAt", terminated->started_at);
    SetTime(value, "finishedAt", terminated->finished_at);
    Set(value, "containerID", terminated->container_id);
  }
  return out;
}

json ToJson(const ContainerStatus& status) {
  json out = {
      {"name", status.name},       {"state", ToJson(status.state)},        {"lastState", ToJson(status.last_state)},
      {"ready", status.ready},     {"restartCount", status.restart_count}, {"image", status.image},
      {"imageID", status.image_id}};
  Set(out, "containerID", status.container_id);
  if (status.started) out["started"] = *status.started;
  if (status.user) {
    json user = {{"uid", status.user->uid}, {"gid", status.user->gid}};
    if (!status.user->supplemental_groups.empty()) user["supplementalGroups"] = status.user->supplemental_groups;
    out["user"] = {{"linux", std::move(user)}};
  }
  return out;
}

json ToJson(const std::vector<ContainerStatus>& statuses) {
  json out = json::array();
  for (const ContainerStatus& status : statuses) out.push_back(ToJson(status));
  return out;
}

json ToJson(const PodCondition& condition) {
  json out = {{"type", condition.type}, {"status", condition.status ? "True" : "False"}, {"lastProbeTime", nullptr}};
  SetTime(out, "lastTransitionTime", condition.last_transition_time);
  Set(out, "reason", condition.reason);
  Set(out, "message", condition.message);
  return out;
}

const StateTerminated* LastTermination(const ContainerStatus& status) {
  if (const auto* terminated = std::get_if<StateTerminated>(&status.state)) return terminated;
  return std::get_if<StateTerminated>(&status.last_state);
}

bool IsRunning(const ContainerStatus& status) { return std::holds_alternative<StateRunning>(status.state); }

}  // namespace

json PodStatusToJson(const Pod& pod, const PodStatus& status) {
  json out = {{"phase", status.phase}, {"qosClass", QosClassName(PodQos(pod.spec))}};
  if (!status.conditions.empty()) {
    json& conditions = out["conditions"] = json::array();
    for (const PodCondition& condition : status.conditions) conditions.push_back(ToJson(condition));
  }
  Set(out, "reason", status.reason);
  Set(out, "message", status.message);
  Set(out, "hostIP", status.host_ip);
  if (!status.pod_ips.empty()) {
    out["podIP"] = status.pod_ips.front();
    for (const std::string& ip : status.pod_ips) out["podIPs"].push_back({{"ip", ip}});
  }
  if (status.start_time) SetTime(out, "startTime", *status.start_time);
  if (!status.init_container_statuses.empty()) out["initContainerStatuses"] = ToJson(status.init_container_statuses);
  if (!status.container_statuses.empty()) out["containerStatuses"] = ToJson(status.container_statuses);
  return out;
}

json PodToJson(const Pod& pod, const PodStatus& status) {
  return {{"metadata", pod.metadata_json ? *pod.metadata_json : json::object()},
          {"spec", pod.spec_json ? *pod.spec_json : json::object()},
          {"status", PodStatusToJson(pod, status)}};
}

json PodListToJson(const std::vector<std::pair<const Pod*, const PodStatus*>>& pods) {
  json items = json::array();
  for (const auto& [pod, status] : pods) items.push_back(PodToJson(*pod, *status));
  return {{"kind", "PodList"}, {"apiVersion", "v1"}, {"metadata", json::object()}, {"items", std::move(items)}};
}

std::string PodPhase(const PodSpec& spec, std::span<const ContainerStatus> init_containers,
                     std::span<const ContainerStatus> containers) {
  size_t init_done = 0;
  for (const ContainerStatus& status : init_containers) {
    const auto* terminated = std::get_if<StateTerminated>(&status.state);
    if (terminated != nullptr && terminated->exit_code == 0) {
      ++init_done;
    } else if (terminated != nullptr && spec.restart_policy == "Never") {
      return "Failed";
    }
  }
  const bool any_running = std::any_of(containers.begin(), containers.end(), IsRunning);
  // A running regular container proves that init is over, even when the init containers' records are gone.
  if (init_done < spec.init_containers.size() && !any_running) return "Pending";

  size_t stopped = 0;
  size_t succeeded = 0;
  for (const ContainerStatus& status : containers) {
    if (IsRunning(status)) continue;
    const StateTerminated* terminated = LastTermination(status);
    if (terminated == nullptr) return "Pending";
    ++stopped;
    const bool current = std::holds_alternative<StateTerminated>(status.state);
    if (current && terminated->exit_code == 0) ++succeeded;
  }
  if (containers.size() < spec.containers.size()) return "Pending";
  if (stopped < containers.size()) return "Running";
  if (spec.restart_policy == "Always") return "Running";
  if (succeeded == stopped) return "Succeeded";
  return spec.restart_policy == "Never" ? "Failed" : "Running";
}

}  // namespace portcullis::k8s
