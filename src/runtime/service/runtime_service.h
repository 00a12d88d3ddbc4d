// The CRI runtime: sandboxes, containers and images behind cri::RuntimeApi. One file per call (sandbox_run.cc, ...).
//
//   ASSIGN_OR_RETURN(auto runtime, RuntimeService::Start(options));   // recovers what an earlier process left
//   runtime->RunPodSandbox(...)                                       // in process, or behind cri/grpc's server
//
// Containers run on when this object goes or the process is killed; the next Start finds them. One process at a time
// owns a state and a run folder (flock). Every change is written to the store before and after it is made, so a start
// recognises and removes what was half-made. Thread-safe: operations of one pod are serial, pods do not wait for each
// other.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "cri/runtime_api.h"
#include "runtime/container/apparmor.h"
#include "runtime/container/cgroups.h"
#include "runtime/container/exit_watcher.h"
#include "runtime/container/observer.h"
#include "runtime/container/oci_runtime.h"
#include "runtime/container/pause_maker.h"
#include "runtime/container/process_watcher.h"
#include "runtime/image/image_store.h"
#include "runtime/image/snapshot.h"
#include "runtime/network/cni.h"
#include "runtime/network/default_network.h"
#include "runtime/network/netns.h"
#include "runtime/registry/image_puller.h"
#include "runtime/service/compiled_filters.h"
#include "runtime/service/janitor.h"
#include "runtime/service/oom.h"
#include "runtime/service/options.h"
#include "runtime/service/paths.h"
#include "runtime/service/registry.h"
#include "runtime/service/seccomp_profiles.h"
#include "runtime/streaming/streaming_server.h"
#include "spec/oci/spec_builder.h"

namespace portcullis::runtime {

inline constexpr char kRuntimeName[] = "portcullis";
inline constexpr char kRuntimeVersion[] = "0.1.0";

class RuntimeService : public cri::RuntimeApi {
 public:
  // `observers`, when given, must outlive the service.
  static Result<std::unique_ptr<RuntimeService>> Start(ServiceOptions options, ObserverList* observers = nullptr);
  ~RuntimeService() override;

  // Images are also loaded from archives, which CRI has no call for.
  ImageStore& images() { return *images_; }
  // Before the end: pulls at work and later ones give up soon. What they fetched is taken up by the next start.
  void StopPulls();
  const ServiceOptions& options() const { return options_; }
  const std::string& default_profile_name() const { return seccomp_.default_name(); }
  std::string oci_runtime_name() const { return oci_->options().program.name; }

  Result<cri::VersionResponse> Version(const cri::VersionRequest& request) override;
  Result<cri::StatusResponse> Status(const cri::StatusRequest& request) override;
  Result<cri::RuntimeConfigResponse> RuntimeConfig(const cri::RuntimeConfigRequest& request) override;
  Result<cri::UpdateRuntimeConfigResponse> UpdateRuntimeConfig(const cri::UpdateRuntimeConfigRequest& request) override;

  Result<cri::RunPodSandboxResponse> RunPodSandbox(const cri::RunPodSandboxRequest& request) override;
  Result<cri::StopPodSandboxResponse> StopPodSandbox(const cri::StopPodSandboxRequest& request) override;
  Result<cri::RemovePodSandboxResponse> RemovePodSandbox(const cri::RemovePodSandboxRequest& request) override;
  Result<cri::PodSandboxStatusResponse> PodSandboxStatus(const cri::PodSandboxStatusRequest& request) override;
  Result<cri::ListPodSandboxResponse> ListPodSandbox(const cri::ListPodSandboxRequest& request) override;
  Result<void> StreamPodSandboxes(const cri::StreamPodSandboxesRequest& request,
                                  const cri::Sink<cri::StreamPodSandboxesResponse>& sink) override;

  Result<cri::CreateContainerResponse> CreateContainer(const cri::CreateContainerRequest& request) override;
  Result<cri::StartContainerResponse> StartContainer(const cri::StartContainerRequest& request) override;
  Result<cri::StopContainerResponse> StopContainer(const cri::StopContainerRequest& request) override;
  Result<cri::RemoveContainerResponse> RemoveContainer(const cri::RemoveContainerRequest& request) override;
  Result<cri::ContainerStatusResponse> ContainerStatus(const cri::ContainerStatusRequest& request) override;
  Result<cri::ListContainersResponse> ListContainers(const cri::ListContainersRequest& request) override;
  Result<void> StreamContainers(const cri::StreamContainersRequest& request,
                                const cri::Sink<cri::StreamContainersResponse>& sink) override;
  Result<cri::UpdateContainerResourcesResponse> UpdateContainerResources(
      const cri::UpdateContainerResourcesRequest& request) override;
  Result<cri::ReopenContainerLogResponse> ReopenContainerLog(const cri::ReopenContainerLogRequest& request) override;
  Result<cri::ExecSyncResponse> ExecSync(const cri::ExecSyncRequest& request) override;
  Result<cri::ExecResponse> Exec(const cri::ExecRequest& request) override;
  Result<cri::AttachResponse> Attach(const cri::AttachRequest& request) override;
  Result<cri::PortForwardResponse> PortForward(const cri::PortForwardRequest& request) override;

  Result<cri::ContainerStatsResponse> ContainerStats(const cri::ContainerStatsRequest& request) override;
  Result<cri::ListContainerStatsResponse> ListContainerStats(const cri::ListContainerStatsRequest& request) override;
  Result<void> StreamContainerStats(const cri::StreamContainerStatsRequest& request,
                                    const cri::Sink<cri::StreamContainerStatsResponse>& sink) override;
  Result<cri::PodSandboxStatsResponse> PodSandboxStats(const cri::PodSandboxStatsRequest& request) override;
  Result<cri::ListPodSandboxStatsResponse> ListPodSandboxStats(const cri::ListPodSandboxStatsRequest& request) override;
  Result<void> StreamPodSandboxStats(const cri::StreamPodSandboxStatsRequest& request,
                                     const cri::Sink<cri::StreamPodSandboxStatsResponse>& sink) override;
  Result<cri::ListMetricDescriptorsResponse> ListMetricDescriptors(
      const cri::ListMetricDescriptorsRequest& request) override;
  Result<cri::ListPodSandboxMetricsResponse> ListPodSandboxMetrics(
      const cri::ListPodSandboxMetricsRequest& request) override;
  Result<void> StreamPodSandboxMetrics(const cri::StreamPodSandboxMetricsRequest& request,
                                       const cri::Sink<cri::StreamPodSandboxMetricsResponse>& sink) override;

  Result<cri::ListImagesResponse> ListImages(const cri::ListImagesRequest& request) override;
  Result<void> StreamImages(const cri::StreamImagesRequest& request,
                            const cri::Sink<cri::StreamImagesResponse>& sink) override;
  Result<cri::ImageStatusResponse> ImageStatus(const cri::ImageStatusRequest& request) override;
  Result<cri::PullImageResponse> PullImage(const cri::PullImageRequest& request) override;
  Result<cri::RemoveImageResponse> RemoveImage(const cri::RemoveImageRequest& request) override;
  Result<cri::ImageFsInfoResponse> ImageFsInfo(const cri::ImageFsInfoRequest& request) override;

 private:
  RuntimeService(ServiceOptions options, Cgroups cgroups, SeccompProfiles seccomp);

  Result<void> OpenNetwork();
  // recover.cc: from what the store says and what the kernel, the OCI runtime and the exit files say to one truth.
  Result<void> Recover();
  // After a reboot, where the run folder is no tmpfs: the files that pinned network namespaces are plain files now, and
  // CNI plugins fail on them.
  void ForgetNamespaces();
  Result<void> RecoverContainer(const ContainerRow& row, bool rebooted);
  Result<void> RecoverSandbox(const SandboxRow& row, bool rebooted);
  // leftovers.cc: what no row knows. Problems are logged; they must not keep the node down.
  void RemoveLeftovers();

  // exits.cc: runs in the watcher's thread, and keeps it only for as long as the store takes. False when the store
  // failed: to be told again.
  bool OnExit(const ContainerExitEvent& event);
  // The kernel killed in a cgroup of `parent`, and in none of the containers there but the one that has ended.
  bool ParentSawOomKill(const std::string& parent, const std::string& ended);
  // OnExit for the exit that is on file; false when there is none. kDataLoss when the file is no exit code.
  Result<bool> TakeExitFile(const std::string& id);
  // No process is in the cgroup itself; false when that cannot be told (Cgroups::Processes says "none" then).
  bool IsSurelyEmpty(const std::string& cgroup) const;
  // In the janitor's rounds: ends containers whose conmon died, and notices sandboxes that ended after theirs had.
  void EndUnwatched();

  // teardown.cc: undoes everything that was or may have been made; each may be repeated.
  Result<void> TearDownContainer(const ContainerRow& row, const SandboxRow& sandbox);
  Result<void> TearDownSandbox(const SandboxRow& row);
  // Tears it down and forgets it; it must not run, or be let to.
  Result<void> ForgetContainer(const ContainerRow& row, const SandboxRow& sandbox);
  // half_made.cc: of rows in step kCreating or kRemoving that nobody is at work on.
  Result<void> FinishRemoval(const ContainerRow& row, const SandboxRow& sandbox);
  Result<void> FinishRemoval(const SandboxRow& row);
  // In the janitor's rounds: what could not be removed when it failed (the disk was full) goes without a new start.
  void RemoveHalfMade();
  Result<void> StopSandbox(const std::string& id);
  Result<void> ForgetSandbox(const std::string& id);
  // Stops it at once; returns when it does not run. Does nothing to one that does not.
  Result<void> KillContainer(const ContainerRow& row, const SandboxRow& sandbox);
  // After everything in its cgroup was killed: until the exit is on record, which it makes itself if conmon cannot.
  // `stopped_by` waits until a point in time and says whether the exit has been seen.
  using StoppedBy = std::function<bool(std::chrono::steady_clock::time_point)>;
  void AwaitKilled(const ContainerHandle& handle, const StoppedBy& stopped_by);

  // pod_cgroup.cc: the parent cgroup of a pod, made here unless the kubelet has made it.
  // What to note in its bundle (bundle.h: kOwnCgroupsAnnotation).
  Result<std::string> AcquireCgroup(const SandboxRow& row);
  void ReleaseCgroups();  // removes those made here that no sandbox needs

  // image_pull.cc: the pause container's image, pulled when it is not here.
  Result<Image> SandboxImage();

  // sandbox_run.cc, container_create.cc: the part between the row and the answer.
  // runtime_config.cc: the pod CIDRs last told.
  std::vector<std::string> IpRanges();
  Result<void> RecallPodCidr();

  // Gives a bundle its compiled filter where the OCI runtime takes one. Why not, otherwise, is in the row's warnings
  // when that is worth knowing.
  void AddCompiledFilter(const SeccompResult& seccomp, oci::Spec& spec, std::vector<std::string>& warnings);
  Result<void> MakeSandbox(SandboxRow& row, const Image& image, const SeccompResult& seccomp);
  // sandbox_pause.cc: the two ways to a pause process. `MakePause`: kUnimplemented, and nothing made, when the sandbox
  // asks for what our helper does not do. `CreatePause`: the OCI runtime's create, which waits for its start.
  Result<void> MakePause(SandboxRow& row, oci::SandboxSpecInput input, const Image& image,
                         const SeccompResult& seccomp);
  Result<void> CreatePause(SandboxRow& row, oci::SandboxSpecInput input, const Image& image,
                           const SeccompResult& seccomp);
  Result<void> StartPause(SandboxRow& row, const SeccompResult& seccomp);
  void OpenPauseMaker();
  Result<void> MakeContainer(ContainerRow& row, const SandboxRow& sandbox, const Image& image,
                             const std::vector<std::string>& bounding, const SeccompResult& seccomp);

  ContainerHandle HandleOf(const ContainerRow& row, const SandboxRow& sandbox) const;
  ContainerHandle HandleOf(const SandboxRow& row) const;

  // By id or unique prefix, without half-made ones.
  Result<ContainerRow> FindContainer(const std::string& id) const;
  Result<ContainerRow> FindRunning(const std::string& id) const;  // kFailedPrecondition when it does not run
  Result<SandboxRow> FindSandbox(const std::string& id) const;

  // container_status.cc, image_status.cc, stats.cc
  cri::ContainerStatus StatusOf(const ContainerRow& row) const;
  Result<cri::ContainerStats> StatsOf(const ContainerRow& row, const SandboxRow& sandbox);
  Result<cri::PodSandboxStats> StatsOf(const SandboxRow& row);
  uint64_t CpuRate(const std::string& id, int64_t now_nanos, uint64_t usage_nanos);

  const ServiceOptions options_;
  const Paths paths_;
  base::UniqueFd state_lock_;
  base::UniqueFd run_lock_;
  const cri::CgroupDriver driver_;
  const Cgroups cgroups_;
  const SeccompProfiles seccomp_;
  std::unique_ptr<CompiledFilters> compiled_filters_;  // null: switched off
  bool crun_takes_filters_ = false;
  oci::HostFacts host_;
  std::unique_ptr<ImageStore> images_;
  std::unique_ptr<ImagePuller> puller_;
  std::unique_ptr<Snapshots> snapshots_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<AppArmor> apparmor_;
  std::unique_ptr<OciRuntime> oci_;
  std::unique_ptr<PauseMaker> pause_maker_;          // null: the OCI runtime makes pause processes
  std::unique_ptr<DefaultNetwork> default_network_;  // null: not asked for
  std::unique_ptr<Cni> cni_;
  std::mutex ip_ranges_mutex_;  // held while they are told on
  std::vector<std::string> ip_ranges_;
  std::unique_ptr<NetnsStore> netns_;
  ObserverList* observers_ = nullptr;

  OomLedger oom_ledger_;
  std::mutex cgroup_mutex_;  // guards which cgroups exist

  struct CpuSample {
    int64_t time_nanos = 0;
    uint64_t usage_nanos = 0;
    uint64_t rate = 0;
  };
  std::mutex cpu_mutex_;
  std::map<std::string, CpuSample> cpu_samples_;

  // Last: their threads use all of the above, and the watcher's uses the janitor.
  std::unique_ptr<Janitor> janitor_;
  std::unique_ptr<ProcessWatcher> pauses_;
  std::unique_ptr<ExitWatcher> exits_;
  std::unique_ptr<StreamingServer> streaming_;
};

}  // namespace portcullis::runtime
