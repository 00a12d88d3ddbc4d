#include "node/pod/observer.h"

#include <algorithm>
#include <set>

#include "base/strings.h"
#include "base/try.h"
#include "node/pod/cri_config.h"
#include "node/pod/termination_message.h"

namespace portcullis::node {
namespace {

std::string Get(const std::map<std::string, std::string>& map, std::string_view key) {
  auto found = map.find(std::string(key));
  return found != map.end() ? found->second : "";
}

int ToInt(const std::string& text) {
  auto value = base::ParseUint(text);
  return value && *value < 1'000'000'000 ? static_cast<int>(*value) : 0;
}

bool MadeBy(const std::string& node_name, const cri::PodSandbox& sandbox) {
  return Get(sandbox.annotations, kNodeAnnotation) == node_name && !Get(sandbox.labels, kPodUidLabel).empty();
}

ForeignSandbox Foreign(const cri::PodSandbox& sandbox) {
  ForeignSandbox out{.id = sandbox.id, .pod = "", .node = Get(sandbox.annotations, kNodeAnnotation)};
  if (sandbox.metadata) out.pod = sandbox.metadata->namespace_ + "/" + sandbox.metadata->name;
  return out;
}

// Of one pod (by UID), or all that the runtime has.
Result<std::vector<cri::PodSandbox>> ListSandboxes(cri::RuntimeApi& runtime, const std::string& uid) {
  cri::ListPodSandboxRequest request;
  if (!uid.empty()) request.filter = cri::PodSandboxFilter{.label_selector = {{std::string(kPodUidLabel), uid}}};
  ASSIGN_OR_RETURN(cri::ListPodSandboxResponse response, runtime.ListPodSandbox(request));
  return std::move(response.items);
}

Result<std::vector<cri::Container>> ListContainers(cri::RuntimeApi& runtime, const std::string& uid) {
  cri::ListContainersRequest request;
  if (!uid.empty()) request.filter = cri::ContainerFilter{.label_selector = {{std::string(kPodUidLabel), uid}}};
  ASSIGN_OR_RETURN(cri::ListContainersResponse response, runtime.ListContainers(request));
  return std::move(response.containers);
}

ObservedSandbox FromStatus(const cri::PodSandboxStatus& status) {
  ObservedSandbox out;
  out.id = status.id;
  out.attempt = status.metadata ? status.metadata->attempt : 0;
  out.ready = status.state == cri::PodSandboxState::kSandboxReady;
  out.created_at = status.created_at;
  if (status.linux && status.linux->namespaces && status.linux->namespaces->options) {
    out.host_network = status.linux->namespaces->options->network == cri::NamespaceMode::kNode;
  }
  if (status.network && !status.network->ip.empty()) {
    out.ips.push_back(status.network->ip);
    for (const cri::PodIP& more : status.network->additional_ips) out.ips.push_back(more.ip);
  }
  return out;
}

ObservedContainer FromStatus(const cri::ContainerStatus& status, const PodSettings& settings) {
  ObservedContainer out;
  out.state = status.state;
  out.created_at = status.created_at;
  out.started_at = status.started_at;
  out.finished_at = status.finished_at;
  out.exit_code = status.exit_code;
  out.reason = status.reason;
  out.image = status.image ? status.image->image : "";
  out.image_ref = status.image_ref;
  if (out.exited()) {
    out.message = TerminationMessage(status, settings);
    if (out.message.empty()) out.message = status.message;
  }
  if (status.user && status.user->linux) {
    const cri::LinuxContainerUser& user = *status.user->linux;
    out.user = k8s::ContainerUser{user.uid, user.gid, user.supplemental_groups};
  }
  return out;
}

}  // namespace

Result<Listing> ListPods(cri::RuntimeApi& runtime, const std::string& node_name) {
  ASSIGN_OR_RETURN(std::vector<cri::PodSandbox> sandboxes, ListSandboxes(runtime, ""));
  ASSIGN_OR_RETURN(std::vector<cri::Container> containers, ListContainers(runtime, ""));
  Listing listing;
  std::map<std::string, std::set<std::string>> states;  // by UID, in an order that does not depend on the runtime's
  std::map<std::string, std::string> uid_of_sandbox;
  for (const cri::PodSandbox& sandbox : sandboxes) {
    if (!MadeBy(node_name, sandbox)) {
      listing.foreign.push_back(Foreign(sandbox));
      continue;
    }
    std::string uid = Get(sandbox.labels, kPodUidLabel);
    uid_of_sandbox[sandbox.id] = uid;
    listing.own[uid] = {Get(sandbox.labels, kPodNameLabel), Get(sandbox.labels, kPodNamespaceLabel), ""};
    states[uid].insert(fmt::format("{}={}", sandbox.id, static_cast<int>(sandbox.state)));
  }
  for (const cri::Container& container : containers) {
    auto uid = uid_of_sandbox.find(container.pod_sandbox_id);
    if (uid == uid_of_sandbox.end()) continue;
    states[uid->second].insert(fmt::format("{}={}", container.id, static_cast<int>(container.state)));
  }
  for (auto& [uid, pod] : listing.own) {
    for (const std::string& state : states[uid]) pod.state += state + ";";
  }
  return listing;
}

PodObserver::PodObserver(cri::RuntimeApi& runtime, const PodSettings& settings, std::string uid)
    : runtime_(runtime), settings_(settings), uid_(std::move(uid)) {}

Result<ObservedPod> PodObserver::Observe() {
  ObservedPod pod;
  pod.uid = uid_;
  TRY(AddSandboxes(pod));
  TRY(AddContainers(pod));
  return pod;
}

Result<void> PodObserver::AddSandboxes(ObservedPod& pod) {
  ASSIGN_OR_RETURN(std::vector<cri::PodSandbox> listed, ListSandboxes(runtime_, uid_));
  std::map<std::string, ObservedSandbox> known;
  for (const cri::PodSandbox& item : listed) {
    if (!MadeBy(settings_.node_name, item)) continue;
    bool ready = item.state == cri::PodSandboxState::kSandboxReady;
    auto before = sandboxes_.find(item.id);
    ObservedSandbox sandbox;
    if (before != sandboxes_.end() && before->second.ready == ready) {
      sandbox = before->second;
    } else {
      auto status = runtime_.PodSandboxStatus({.pod_sandbox_id = item.id});
      if (!status && status.error().code == Code::kNotFound) continue;  // removed since the listing
      if (!status) return Failure(std::move(status).error());
      if (!status->status) return Fail(Code::kInternal, "status of sandbox {} is empty", item.id);
      sandbox = FromStatus(*status->status);
    }
    known[item.id] = sandbox;
    pod.sandboxes.push_back(std::move(sandbox));
    pod.name = Get(item.labels, kPodNameLabel);
    pod.namespace_ = Get(item.labels, kPodNamespaceLabel);
    if (auto grace = base::ParseUint(Get(item.annotations, kGraceAnnotation))) {
      pod.grace_seconds = static_cast<int64_t>(std::min<uint64_t>(*grace, 1u << 31));
    }
  }
  sandboxes_ = std::move(known);
  std::sort(pod.sandboxes.begin(), pod.sandboxes.end(), [](const auto& a, const auto& b) {
    return std::tie(a.created_at, a.attempt) > std::tie(b.created_at, b.attempt);
  });
  return {};
}

Result<void> PodObserver::AddContainers(ObservedPod& pod) {
  ASSIGN_OR_RETURN(std::vector<cri::Container> listed, ListContainers(runtime_, uid_));
  std::map<std::string, ObservedContainer> known;
  for (const cri::Container& item : listed) {
    bool ours = std::any_of(pod.sandboxes.begin(), pod.sandboxes.end(),
                            [&](const auto& s) { return s.id == item.pod_sandbox_id; });
    if (!ours) continue;
    auto before = containers_.find(item.id);
    ObservedContainer container;
    if (before != containers_.end() && before->second.state == item.state) {
      container = before->second;
    } else {
      auto status = runtime_.ContainerStatus({.container_id = item.id});
      if (!status && status.error().code == Code::kNotFound) continue;
      if (!status) return Failure(std::move(status).error());
      if (!status->status) return Fail(Code::kInternal, "status of container {} is empty", item.id);
      container = FromStatus(*status->status, settings_);
      container.id = item.id;
      container.sandbox_id = item.pod_sandbox_id;
      container.name = Get(item.labels, kContainerNameLabel);
      container.attempt = ToInt(Get(item.annotations, kRestartCountAnnotation));
      container.hash = Get(item.annotations, kHashAnnotation);
    }
    known[item.id] = container;
    pod.containers.push_back(std::move(container));
  }
  containers_ = std::move(known);
  std::sort(pod.containers.begin(), pod.containers.end(), [](const auto& a, const auto& b) {
    return std::tie(a.created_at, a.attempt) > std::tie(b.created_at, b.attempt);
  });
  return {};
}

}  // namespace portcullis::node
