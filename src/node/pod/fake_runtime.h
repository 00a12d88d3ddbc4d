// For tests: a CRI runtime in memory that behaves, fails on request and tells what it was asked.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cri/runtime_api.h"

namespace portcullis::node {

class FakeRuntime : public cri::RuntimeApi {
 public:
  // --- controls ---
  void AddImage(const std::string& name, std::optional<int64_t> uid = std::nullopt, const std::string& user = "") {
    std::lock_guard<std::mutex> lock(mutex_);
    cri::Image image;
    image.id = "sha256:" + name;
    image.repo_tags = {name};
    if (uid) image.uid = cri::Int64Value{*uid};
    image.username = user;
    images_[name] = image;
  }
  // Names that PullImage finds.
  void AddToRegistry(const std::string& name) {
    std::lock_guard<std::mutex> lock(mutex_);
    registry_.insert(name);
  }
  // The call `rpc` answers this error from now on; an empty message heals it.
  void FailCall(const std::string& rpc, const std::string& message, Code code = Code::kUnknown) {
    std::lock_guard<std::mutex> lock(mutex_);
    failures_.erase(rpc);
    if (!message.empty()) failures_[rpc] = Error{code, message, 0};
  }
  // NetworkReady=false with that message; "" gives it back.
  void TakeNetwork(const std::string& message) {
    std::lock_guard<std::mutex> lock(mutex_);
    network_problem_ = message;
  }
  // While held, StopContainer does not return.
  void HoldStops(bool hold) {
    std::lock_guard<std::mutex> lock(mutex_);
    hold_stops_ = hold;
    stops_wake_.notify_all();
  }
  void GiveNoIp(bool no_ip) {
    std::lock_guard<std::mutex> lock(mutex_);
    no_ip_ = no_ip;
  }
  // Ends the running container of that name.
  bool Exit(const std::string& name, int code, const std::string& reason = "") {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto& [id, container] : containers_) {
      if (container.status.metadata->name != name || container.status.state != cri::ContainerState::kContainerRunning)
        continue;
      End(container, code, reason);
      return true;
    }
    return false;
  }
  void KillSandboxes() {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto& [id, sandbox] : sandboxes_) sandbox.state = cri::PodSandboxState::kSandboxNotready;
    for (auto& [id, container] : containers_) {
      if (container.status.state == cri::ContainerState::kContainerRunning) End(container, 137, "Error");
    }
  }

  // --- questions ---
  std::vector<std::string> calls() const {  // "StartContainer web", "StopPodSandbox s1", ... without the listings
    std::lock_guard<std::mutex> lock(mutex_);
    return calls_;
  }
  std::vector<std::optional<cri::AuthConfig>> logins() const {  // of PullImage
    std::lock_guard<std::mutex> lock(mutex_);
    return logins_;
  }
  size_t CountCalls(const std::string& prefix) const {
    std::vector<std::string> all = calls();
    return static_cast<size_t>(
        std::count_if(all.begin(), all.end(), [&](const auto& call) { return call.starts_with(prefix); }));
  }
  size_t StatusCalls() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return status_calls_;
  }
  size_t SandboxCount() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return sandboxes_.size();
  }
  std::vector<cri::ContainerStatus> Containers() const {
    std::lock_guard<std::mutex> lock(mutex_);
    std::vector<cri::ContainerStatus> out;
    for (const auto& [id, container] : containers_) out.push_back(container.status);
    return out;
  }
  uint64_t Listings() const {  // calls of ListPodSandbox
    std::lock_guard<std::mutex> lock(mutex_);
    return listings_;
  }
  bool Running(const std::string& name) const {
    for (const cri::ContainerStatus& status : Containers()) {
      if (status.metadata->name == name && status.state == cri::ContainerState::kContainerRunning) return true;
    }
    return false;
  }
  std::vector<cri::ContainerConfig> configs() const {  // as created
    std::lock_guard<std::mutex> lock(mutex_);
    return configs_;
  }
  std::vector<cri::PodSandboxConfig> sandbox_configs() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return sandbox_configs_;
  }

  // --- cri::RuntimeApi ---
  Result<cri::VersionResponse> Version(const cri::VersionRequest&) override {
    return cri::VersionResponse{
        .version = "0.1.0", .runtime_name = "fake", .runtime_version = "1", .runtime_api_version = "v1"};
  }

  Result<cri::StatusResponse> Status(const cri::StatusRequest&) override {
    std::lock_guard<std::mutex> lock(mutex_);
    ++status_calls_;
    if (auto failure = failures_.find("Status"); failure != failures_.end()) return Failure(failure->second);
    const bool ready = network_problem_.empty();
    return cri::StatusResponse{.status =
                                   cri::RuntimeStatus{.conditions = {{.type = "NetworkReady",
                                                                      .status = ready,
                                                                      .reason = ready ? "" : "NetworkPluginNotReady",
                                                                      .message = network_problem_}}}};
  }

  Result<cri::RunPodSandboxResponse> RunPodSandbox(const cri::RunPodSandboxRequest& request) override {
    std::lock_guard<std::mutex> lock(mutex_);
    if (auto failure = Note("RunPodSandbox", request.config->metadata->name)) return Failure(*failure);
    cri::PodSandboxStatus status;
    status.id = "s" + std::to_string(++last_id_);
    status.metadata = request.config->metadata;
    status.created_at = Tick();
    status.labels = request.config->labels;
    status.annotations = request.config->annotations;
    status.network = cri::PodSandboxNetworkStatus{};
    auto options = request.config->linux->security_context->namespace_options;
    bool host = options->network == cri::NamespaceMode::kNode;
    if (!host && !no_ip_) status.network->ip = "10.0.0." + std::to_string(last_id_);
    status.linux = cri::LinuxPodSandboxStatus{.namespaces = cri::Namespace{.options = options}};
    sandbox_configs_.push_back(*request.config);
    sandboxes_[status.id] = status;
    return cri::RunPodSandboxResponse{status.id};
  }

  Result<cri::StopPodSandboxResponse> StopPodSandbox(const cri::StopPodSandboxRequest& request) override {
    std::lock_guard<std::mutex> lock(mutex_);
    if (auto failure = Note("StopPodSandbox", request.pod_sandbox_id)) return Failure(*failure);
    auto found = sandboxes_.find(request.pod_sandbox_id);
    if (found != sandboxes_.end()) found->second.state = cri::PodSandboxState::kSandboxNotready;
    for (auto& [id, container] : containers_) {
      bool running = container.status.state == cri::ContainerState::kContainerRunning;
      if (container.sandbox == request.pod_sandbox_id && running) End(container, 137, "Error");
    }
    return cri::StopPodSandboxResponse{};
  }

  Result<cri::RemovePodSandboxResponse> RemovePodSandbox(const cri::RemovePodSandboxRequest& request) override {
    std::lock_guard<std::mutex> lock(mutex_);
    if (auto failure = Note("RemovePodSandbox", request.pod_sandbox_id)) return Failure(*failure);
    sandboxes_.erase(request.pod_sandbox_id);
    std::erase_if(containers_, [&](const auto& entry) { return entry.second.sandbox == request.pod_sandbox_id; });
    return cri::RemovePodSandboxResponse{};
  }

  Result<cri::PodSandboxStatusResponse> PodSandboxStatus(const cri::PodSandboxStatusRequest& request) override {
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = sandboxes_.find(request.pod_sandbox_id);
    if (found == sandboxes_.end()) return Fail(Code::kNotFound, "sandbox {} does not exist", request.pod_sandbox_id);
    return cri::PodSandboxStatusResponse{.status = found->second};
  }

  Result<cri::ListPodSandboxResponse> ListPodSandbox(const cri::ListPodSandboxRequest& request) override {
    std::lock_guard<std::mutex> lock(mutex_);
    ++listings_;
    if (auto failure = failures_.find("ListPodSandbox"); failure != failures_.end()) return Failure(failure->second);
    cri::ListPodSandboxResponse response;
    for (const auto& [id, status] : sandboxes_) {
      if (request.filter && !Matches(status.labels, request.filter->label_selector)) continue;
      response.items.push_back(ListItem<cri::PodSandbox>(id, status));
    }
    return response;
  }

  Result<cri::CreateContainerResponse> CreateContainer(const cri::CreateContainerRequest& request) override {
    std::lock_guard<std::mutex> lock(mutex_);
    if (auto failure = Note("CreateContainer", request.config->metadata->name)) return Failure(*failure);
    FakeContainer container;
    container.sandbox = request.pod_sandbox_id;
    cri::ContainerStatus& status = container.status;
    status.id = "c" + std::to_string(++last_id_);
    status.metadata = request.config->metadata;
    status.state = cri::ContainerState::kContainerCreated;
    status.created_at = Tick();
    status.image = cri::ImageSpec{.image = request.config->image->user_specified_image};
    status.image_ref = request.config->image->image;
    status.labels = request.config->labels;
    status.annotations = request.config->annotations;
    status.mounts = request.config->mounts;
    configs_.push_back(*request.config);
    std::string id = status.id;
    containers_[id] = std::move(container);
    return cri::CreateContainerResponse{id};
  }

  Result<cri::StartContainerResponse> StartContainer(const cri::StartContainerRequest& request) override {
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = containers_.find(request.container_id);
    if (found == containers_.end()) return Fail(Code::kNotFound, "container {} does not exist", request.container_id);
    if (auto failure = Note("StartContainer", found->second.status.metadata->name)) return Failure(*failure);
    found->second.status.state = cri::ContainerState::kContainerRunning;
    found->second.status.started_at = Tick();
    return cri::StartContainerResponse{};
  }

  Result<cri::StopContainerResponse> StopContainer(const cri::StopContainerRequest& request) override {
    std::unique_lock<std::mutex> lock(mutex_);
    stops_wake_.wait(lock, [this] { return !hold_stops_; });
    auto found = containers_.find(request.container_id);
    if (found == containers_.end()) return Fail(Code::kNotFound, "container {} does not exist", request.container_id);
    std::string what = found->second.status.metadata->name + " " + std::to_string(request.timeout);
    if (auto failure = Note("StopContainer", what)) return Failure(*failure);
    if (found->second.status.state == cri::ContainerState::kContainerRunning) End(found->second, 143, "Error");
    return cri::StopContainerResponse{};
  }

  Result<cri::RemoveContainerResponse> RemoveContainer(const cri::RemoveContainerRequest& request) override {
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = containers_.find(request.container_id);
    std::string name = found != containers_.end() ? found->second.status.metadata->name : request.container_id;
    if (auto failure = Note("RemoveContainer", name)) return Failure(*failure);
    if (found != containers_.end()) containers_.erase(found);
    return cri::RemoveContainerResponse{};
  }

  Result<cri::ListContainersResponse> ListContainers(const cri::ListContainersRequest& request) override {
    std::lock_guard<std::mutex> lock(mutex_);
    cri::ListContainersResponse response;
    for (const auto& [id, container] : containers_) {
      const cri::ContainerStatus& status = container.status;
      if (request.filter && !Matches(status.labels, request.filter->label_selector)) continue;
      auto item = ListItem<cri::Container>(id, status);
      item.pod_sandbox_id = container.sandbox;
      response.containers.push_back(std::move(item));
    }
    return response;
  }

  Result<cri::ContainerStatusResponse> ContainerStatus(const cri::ContainerStatusRequest& request) override {
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = containers_.find(request.container_id);
    if (found == containers_.end()) return Fail(Code::kNotFound, "container {} does not exist", request.container_id);
    return cri::ContainerStatusResponse{.status = found->second.status};
  }

  Result<cri::ImageStatusResponse> ImageStatus(const cri::ImageStatusRequest& request) override {
    std::lock_guard<std::mutex> lock(mutex_);
    if (auto failure = failures_.find("ImageStatus"); failure != failures_.end()) return Failure(failure->second);
    auto found = images_.find(request.image->image);
    cri::ImageStatusResponse response;
    if (found != images_.end()) response.image = found->second;
    return response;
  }

  Result<cri::PullImageResponse> PullImage(const cri::PullImageRequest& request) override {
    std::lock_guard<std::mutex> lock(mutex_);
    const std::string& name = request.image->image;
    if (auto failure = Note("PullImage", name)) return Failure(*failure);
    logins_.push_back(request.auth);
    if (!registry_.contains(name)) return Fail(Code::kNotFound, "failed to pull {}: not found", name);
    cri::Image image;
    image.id = "sha256:" + name;
    images_[name] = image;
    return cri::PullImageResponse{image.id};
  }

 private:
  struct FakeContainer {
    std::string sandbox;
    cri::ContainerStatus status;
  };

  // What a listing tells of a pod sandbox or a container.
  template <class Item, class Status>
  static Item ListItem(const std::string& id, const Status& status) {
    Item item;
    item.id = id;
    item.metadata = status.metadata;
    item.state = status.state;
    item.created_at = status.created_at;
    item.labels = status.labels;
    item.annotations = status.annotations;
    return item;
  }
  std::optional<Error> Note(const std::string& rpc, const std::string& what) {
    calls_.push_back(rpc + " " + what);
    auto failure = failures_.find(rpc);
    return failure != failures_.end() ? std::optional<Error>(failure->second) : std::nullopt;
  }
  // Strictly growing, as the order of creation counts.
  int64_t Tick() {
    last_time_ = std::max(last_time_ + 1, base::NowUnixNanos());
    return last_time_;
  }
  void End(FakeContainer& container, int code, const std::string& reason) {
    container.status.state = cri::ContainerState::kContainerExited;
    container.status.exit_code = code;
    container.status.finished_at = Tick();
    container.status.reason = !reason.empty() ? reason : code == 0 ? "Completed" : "Error";
  }
  static bool Matches(const std::map<std::string, std::string>& labels,
                      const std::map<std::string, std::string>& selector) {
    return std::all_of(selector.begin(), selector.end(), [&](const auto& wanted) {
      auto found = labels.find(wanted.first);
      return found != labels.end() && found->second == wanted.second;
    });
  }

  mutable std::mutex mutex_;
  int last_id_ = 0;
  uint64_t listings_ = 0;
  int64_t last_time_ = 0;
  bool no_ip_ = false;
  bool hold_stops_ = false;
  std::condition_variable stops_wake_;
  std::string network_problem_;
  size_t status_calls_ = 0;
  std::map<std::string, cri::PodSandboxStatus> sandboxes_;
  std::map<std::string, FakeContainer> containers_;
  std::map<std::string, cri::Image> images_;
  std::set<std::string> registry_;
  std::map<std::string, Error> failures_;
  std::vector<std::string> calls_;
  std::vector<std::optional<cri::AuthConfig>> logins_;
  std::vector<cri::ContainerConfig> configs_;
  std::vector<cri::PodSandboxConfig> sandbox_configs_;
};

}  // namespace portcullis::node
