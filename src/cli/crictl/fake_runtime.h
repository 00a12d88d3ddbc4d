// A CRI runtime in memory for the tests of cli/crictl: holds what lists and statuses answer, and notes what it was
// asked.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cri/runtime_api.h"

namespace portcullis::cli {

class FakeRuntime : public cri::RuntimeApi {
 public:
  std::vector<cri::Container> containers;
  std::vector<cri::PodSandbox> pods;
  std::vector<cri::Image> images;
  std::map<std::string, cri::ContainerStatusResponse> statuses;  // by container id
  std::vector<cri::ContainerStats> stats;
  std::vector<std::string> calls;  // "StopContainer ab12 5"
  cri::CreateContainerRequest created;
  cri::UpdateContainerResourcesRequest updated;
  cri::ExecSyncResponse exec_answer;
  cri::StatusResponse status_answer;

  Result<cri::VersionResponse> Version(const cri::VersionRequest&) override {
    return cri::VersionResponse{
        .version = "0.1.0", .runtime_name = "fake", .runtime_version = "1.2.3", .runtime_api_version = "v1"};
  }
  Result<cri::StatusResponse> Status(const cri::StatusRequest&) override { return status_answer; }
  Result<cri::RuntimeConfigResponse> RuntimeConfig(const cri::RuntimeConfigRequest&) override {
    cri::RuntimeConfigResponse response;
    response.linux.emplace().cgroup_driver = cri::CgroupDriver::kCgroupfs;
    return response;
  }

  Result<cri::ListContainersResponse> ListContainers(const cri::ListContainersRequest& request) override {
    cri::ListContainersResponse response;
    for (const cri::Container& container : containers) {
      if (!request.filter || Fits(*request.filter, container)) response.containers.push_back(container);
    }
    return response;
  }
  Result<cri::ContainerStatusResponse> ContainerStatus(const cri::ContainerStatusRequest& request) override {
    calls.push_back("ContainerStatus " + request.container_id);
    const auto found = statuses.find(request.container_id);
    if (found == statuses.end()) return Fail(Code::kNotFound, "container {} not found", request.container_id);
    cri::ContainerStatusResponse response = found->second;
    if (!request.verbose) response.info.clear();
    return response;
  }
  Result<cri::ListPodSandboxResponse> ListPodSandbox(const cri::ListPodSandboxRequest& request) override {
    cri::ListPodSandboxResponse response;
    for (const cri::PodSandbox& pod : pods) {
      if (!request.filter || !request.filter->state || request.filter->state->state == pod.state) {
        response.items.push_back(pod);
      }
    }
    return response;
  }
  Result<cri::PodSandboxStatusResponse> PodSandboxStatus(const cri::PodSandboxStatusRequest& request) override {
    for (const cri::PodSandbox& pod : pods) {
      if (pod.id != request.pod_sandbox_id) continue;
      cri::PodSandboxStatusResponse response;
      cri::PodSandboxStatus& status = response.status.emplace();
      status.id = pod.id;
      status.metadata = pod.metadata;
      status.state = pod.state;
      status.created_at = pod.created_at;
      status.network.emplace().ip = "198.18.0.6";
      status.linux.emplace().namespaces.emplace().options.emplace().pid = cri::NamespaceMode::kContainer;
      if (request.verbose) response.info["info"] = R"({"pid": 7, "runtimeSpec": {"linux": {"seccomp": {}}}})";
      return response;
    }
    return Fail(Code::kNotFound, "pod {} not found", request.pod_sandbox_id);
  }

  Result<cri::RunPodSandboxResponse> RunPodSandbox(const cri::RunPodSandboxRequest& request) override {
    calls.push_back("RunPodSandbox " + request.config->metadata->name + " " + request.runtime_handler);
    return cri::RunPodSandboxResponse{.pod_sandbox_id = "newpod"};
  }
  Result<cri::StopPodSandboxResponse> StopPodSandbox(const cri::StopPodSandboxRequest& request) override {
    calls.push_back("StopPodSandbox " + request.pod_sandbox_id);
    return cri::StopPodSandboxResponse{};
  }
  Result<cri::RemovePodSandboxResponse> RemovePodSandbox(const cri::RemovePodSandboxRequest& request) override {
    calls.push_back("RemovePodSandbox " + request.pod_sandbox_id);
    return cri::RemovePodSandboxResponse{};
  }
  Result<cri::CreateContainerResponse> CreateContainer(const cri::CreateContainerRequest& request) override {
    calls.push_back("CreateContainer " + request.pod_sandbox_id);
    created = request;
    return cri::CreateContainerResponse{.container_id = "newcontainer"};
  }
  Result<cri::StartContainerResponse> StartContainer(const cri::StartContainerRequest& request) override {
    calls.push_back("StartContainer " + request.container_id);
    return cri::StartContainerResponse{};
  }
  Result<cri::StopContainerResponse> StopContainer(const cri::StopContainerRequest& request) override {
    calls.push_back("StopContainer " + request.container_id + " " + std::to_string(request.timeout));
    return cri::StopContainerResponse{};
  }
  Result<cri::RemoveContainerResponse> RemoveContainer(const cri::RemoveContainerRequest& request) override {
    calls.push_back("RemoveContainer " + request.container_id);
    return cri::RemoveContainerResponse{};
  }
  Result<cri::UpdateContainerResourcesResponse> UpdateContainerResources(
      const cri::UpdateContainerResourcesRequest& request) override {
    updated = request;
    return cri::UpdateContainerResourcesResponse{};
  }
  Result<cri::ReopenContainerLogResponse> ReopenContainerLog(const cri::ReopenContainerLogRequest& request) override {
    calls.push_back("ReopenContainerLog " + request.container_id);
    return cri::ReopenContainerLogResponse{};
  }
  Result<cri::CheckpointContainerResponse> CheckpointContainer(
      const cri::CheckpointContainerRequest& request) override {
    calls.push_back("CheckpointContainer " + request.container_id + " " + request.location);
    return cri::CheckpointContainerResponse{};
  }
  Result<cri::UpdateRuntimeConfigResponse> UpdateRuntimeConfig(
      const cri::UpdateRuntimeConfigRequest& request) override {
    calls.push_back("UpdateRuntimeConfig " + request.runtime_config->network_config->pod_cidr);
    return cri::UpdateRuntimeConfigResponse{};
  }
  Result<void> GetContainerEvents(const cri::GetEventsRequest&,
                                  const cri::Sink<cri::ContainerEventResponse>& sink) override {
    for (const char* id : {"c1", "c2"}) {
      if (!sink({.container_id = id})) break;
    }
    return {};
  }
  Result<cri::ListMetricDescriptorsResponse> ListMetricDescriptors(const cri::ListMetricDescriptorsRequest&) override {
    return cri::ListMetricDescriptorsResponse{.descriptors = {{.name = "container_memory_rss"}}};
  }
  Result<cri::ListPodSandboxMetricsResponse> ListPodSandboxMetrics(const cri::ListPodSandboxMetricsRequest&) override {
    return cri::ListPodSandboxMetricsResponse{.pod_metrics = {{.pod_sandbox_id = pods[0].id}}};
  }
  Result<cri::ExecSyncResponse> ExecSync(const cri::ExecSyncRequest& request) override {
    calls.push_back("ExecSync " + request.container_id + " " + request.cmd[0] + " " + std::to_string(request.timeout));
    return exec_answer;
  }

  Result<cri::ListImagesResponse> ListImages(const cri::ListImagesRequest&) override {
    return cri::ListImagesResponse{.images = images};
  }
  Result<cri::ImageStatusResponse> ImageStatus(const cri::ImageStatusRequest& request) override {
    cri::ImageStatusResponse response;
    for (const cri::Image& image : images) {
      const auto& tags = image.repo_tags;
      const std::string& name = request.image->image;
      if (image.id == name || std::find(tags.begin(), tags.end(), name) != tags.end()) response.image = image;
    }
    return response;
  }
  Result<cri::PullImageResponse> PullImage(const cri::PullImageRequest& request) override {
    calls.push_back("PullImage " + request.image->image);
    return cri::PullImageResponse{.image_ref = "sha256:pulled"};
  }
  Result<cri::RemoveImageResponse> RemoveImage(const cri::RemoveImageRequest& request) override {
    calls.push_back("RemoveImage " + request.image->image);
    return cri::RemoveImageResponse{};
  }
  Result<cri::ImageFsInfoResponse> ImageFsInfo(const cri::ImageFsInfoRequest&) override {
    cri::ImageFsInfoResponse response;
    cri::FilesystemUsage& usage = response.image_filesystems.emplace_back();
    usage.timestamp = 1;
    usage.fs_id.emplace().mountpoint = "/var/lib/x";
    usage.used_bytes.emplace().value = 5;
    usage.inodes_used.emplace().value = 6;
    return response;
  }

  // Every call shows one more second of CPU time in ten seconds.
  Result<cri::ListContainerStatsResponse> ListContainerStats(const cri::ListContainerStatsRequest&) override {
    for (cri::ContainerStats& item : stats) {
      item.cpu->timestamp += 10'000'000'000;
      item.cpu->usage_core_nano_seconds->value += 1'000'000'000;
    }
    return cri::ListContainerStatsResponse{.stats = stats};
  }

 private:
  static bool Fits(const cri::ContainerFilter& filter, const cri::Container& container) {
    if (filter.state && filter.state->state != container.state) return false;
    for (const auto& [key, value] : filter.label_selector) {
      const auto found = container.labels.find(key);
      if (found == container.labels.end() || found->second != value) return false;
    }
    return true;
  }
};

}  // namespace portcullis::cli
