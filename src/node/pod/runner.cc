#include "node/pod/runner.h"

#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "base/files.h"
#include "base/log.h"
#include "base/thread.h"
#include "base/try.h"
#include "node/log/rotated_logs.h"
#include "node/pod/cri_config.h"
#include "node/pod/dns.h"
#include "node/pod/pod_cgroup.h"
#include "node/pod/pod_logs.h"
#include "node/volume/etc_hosts.h"
#include "node/volume/pod_dirs.h"
#include "node/volume/volumes.h"

namespace portcullis::node {
namespace {

const k8s::Container* FindContainer(const k8s::Pod& pod, const std::string& name) {
  for (const auto* list : {&pod.spec.init_containers, &pod.spec.containers}) {
    for (const k8s::Container& container : *list) {
      if (container.name == name) return &container;
    }
  }
  return nullptr;
}

// What is gone already is what was wanted.
template <class T>
Result<void> UnlessGone(Result<T> result) {
  if (!result && result.error().code != Code::kNotFound) return Failure(std::move(result).error());
  return {};
}

}  // namespace

ActionRunner::ActionRunner(cri::RuntimeApi& runtime, ImageManager& images, const PodSettings& settings)
    : runtime_(runtime), images_(images), settings_(settings) {}

cri::PodSandboxConfig ActionRunner::SandboxConfig(const k8s::Pod& pod, uint32_t attempt) {
  std::string text;
  if (!settings_.resolv_conf.empty()) {
    if (auto read = base::ReadFile(settings_.resolv_conf, 1u << 20)) {
      text = std::move(*read);
    } else {
      base::LogWarning("pods get no name servers of the node", {{"err", read.error().message}});
    }
  }
  std::vector<std::string> warnings;
  cri::DNSConfig dns = PodDns(pod, ParseResolvConf(text), settings_, &warnings);
  for (const std::string& warning : warnings) base::LogWarning(warning, {{"pod", PodForMessages(pod)}});
  return MakeSandboxConfig(pod, attempt, dns, settings_);
}

Result<void> ActionRunner::Create(const k8s::Pod& pod, const CreateSandbox& action) {
  PodDirs dirs(settings_.root_dir, pod.metadata.uid);
  TRY(dirs.Create());
  TRY(SetUpVolumes(pod, dirs));
  cri::PodSandboxConfig config = SandboxConfig(pod, action.attempt);
  TRY(base::MakeDirs(config.log_directory));
  ASSIGN_OR_RETURN(cri::RunPodSandboxResponse made, runtime_.RunPodSandbox({.config = config}));
  base::LogInfo("sandbox created", {{"pod", PodForMessages(pod)}, {"sandbox", made.pod_sandbox_id}});
  ASSIGN_OR_RETURN(cri::PodSandboxStatusResponse status,
                   runtime_.PodSandboxStatus({.pod_sandbox_id = made.pod_sandbox_id}));
  bool has_ip = status.status && status.status->network && !status.status->network->ip.empty();
  if (!has_ip && !pod.spec.host_network) {
    return Fail(Code::kInternal, "sandbox {} came up without an IP address", made.pod_sandbox_id);
  }
  return {};
}

Result<void> ActionRunner::Stop(const Kill& action) {
  std::mutex mutex;
  std::optional<Error> first_error;
  {
    std::vector<std::future<void>> stopping;
    for (const ContainerToStop& container : action.containers) {
      base::LogInfo("stopping container",
                    {{"container", container.name}, {"id", container.id}, {"reason", action.reason}});
      stopping.push_back(base::Async([&, id = container.id] {
        auto stopped = UnlessGone(runtime_.StopContainer({.container_id = id, .timeout = action.grace_seconds}));
        if (stopped) return;
        std::lock_guard<std::mutex> lock(mutex);
        if (!first_error) first_error = std::move(stopped).error();
      }));
    }
    for (std::future<void>& stopped : stopping) stopped.wait();
  }
  if (first_error) return Failure(std::move(*first_error));
  for (const std::string& id : action.sandbox_ids) TRY(UnlessGone(runtime_.StopPodSandbox({.pod_sandbox_id = id})));
  return {};
}

std::optional<StepFailure> ActionRunner::Configure(const k8s::Pod& pod, const k8s::Container& container,
                                                   const ObservedSandbox& sandbox, ContainerInputs& inputs) {
  auto failed = [](const Error& error) { return StepFailure{"CreateContainerConfigError", error.message}; };
  PodDirs dirs(settings_.root_dir, pod.metadata.uid);
  if (auto made = dirs.Create(); !made) return failed(made.error());
  auto volumes = SetUpVolumes(pod, dirs);
  if (!volumes) return failed(volumes.error());
  for (size_t i = 0; i < container.volume_mounts.size(); ++i) {
    const k8s::VolumeMount& mount = container.volume_mounts[i];
    std::string source = (*volumes)[mount.name];
    if (!mount.sub_path.empty()) {
      auto sub_path = SubPathSource(source, mount.sub_path, dirs.sub_path(mount.name, container.name, i));
      if (!sub_path) {
        return StepFailure{"CreateContainerConfigError",
                           fmt::format("failed to prepare subPath for volumeMount \"{}\" of container \"{}\": {}",
                                       mount.name, container.name, sub_path.error().message)};
      }
      source = std::move(*sub_path);
    }
    inputs.mount_sources.push_back(std::move(source));
  }
  bool own_hosts =
      std::any_of(container.volume_mounts.begin(), container.volume_mounts.end(),
                  [](const k8s::VolumeMount& mount) { return base::CleanPath(mount.mount_path) == "/etc/hosts"; });
  if (!own_hosts) {
    std::string node_hosts;
    if (pod.spec.host_network) {
      if (auto text = base::ReadFile("/etc/hosts", 1u << 20)) node_hosts = std::move(*text);
    }
    std::string text = EtcHostsText(pod, {.pod_ips = sandbox.ips,
                                          .host_name = k8s::PodHostname(pod),
                                          .cluster_domain = settings_.cluster_domain,
                                          .node_hosts_text = node_hosts});
    // Containers that run hold the file by its inode: only new content makes a new file.
    auto present = base::ReadFile(dirs.etc_hosts(), 1u << 20);
    if (!present || *present != text) {
      if (auto written = base::WriteFileAtomic(dirs.etc_hosts(), text, 0644, base::Lasting::kUntilReboot); !written)
        return failed(written.error());
    }
    inputs.etc_hosts = dirs.etc_hosts();
  }
  if (!container.termination_message_path.empty()) {
    auto log = dirs.CreateTerminationLog(container.name);
    if (!log) return failed(log.error());
    inputs.termination_log = std::move(*log);
  }
  return std::nullopt;
}

std::optional<StepFailure> ActionRunner::Start(const k8s::Pod& pod, const StartContainer& action,
                                               const ObservedSandbox& sandbox, PullMemory& pulls) {
  const k8s::Container* container = FindContainer(pod, action.name);
  if (container == nullptr)
    return StepFailure{"CreateContainerConfigError", "container " + action.name + " is not in the pod"};
  cri::PodSandboxConfig sandbox_config = SandboxConfig(pod, sandbox.attempt);

  auto image = images_.Ensure(*container, sandbox_config, pulls);
  if (auto* failure = std::get_if<StepFailure>(&image)) return std::move(*failure);

  std::vector<std::string> pod_ips = sandbox.ips;
  if (pod.spec.host_network && !settings_.host_ip.empty()) pod_ips = {settings_.host_ip};
  ContainerInputs inputs{
      .attempt = action.attempt, .image = std::get<ImageFacts>(std::move(image)), .pod_ips = std::move(pod_ips)};
  if (action.first)
    inputs.attempt = std::max(inputs.attempt, NextLogNumber(sandbox_config.log_directory, container->name));
  if (auto failure = Configure(pod, *container, sandbox, inputs)) return failure;
  auto config = MakeContainerConfig(pod, *container, inputs, settings_);
  if (!config) return StepFailure{"CreateContainerConfigError", config.error().message};
  if (auto made = base::MakeDirs(base::JoinPath(sandbox_config.log_directory, container->name)); !made) {
    return StepFailure{"CreateContainerError", made.error().message};
  }
  auto created =
      runtime_.CreateContainer({.pod_sandbox_id = sandbox.id, .config = *config, .sandbox_config = sandbox_config});
  if (!created) return StepFailure{"CreateContainerError", created.error().message};
  auto started = runtime_.StartContainer({.container_id = created->container_id});
  if (!started) return StepFailure{"RunContainerError", started.error().message};
  base::LogInfo("container started", {{"pod", PodForMessages(pod)},
                                      {"container", container->name},
                                      {"id", created->container_id},
                                      {"restart", std::to_string(inputs.attempt)}});
  LinkContainerLog(settings_, pod.metadata.name, pod.metadata.namespace_, container->name, created->container_id,
                   base::JoinPath(sandbox_config.log_directory, config->log_path));
  return std::nullopt;
}

Result<void> ActionRunner::Remove(const PodIdentity& pod, const RemoveContainer& action) {
  TRY(UnlessGone(runtime_.RemoveContainer({.container_id = action.id})));
  if (action.attempt < 0) return {};
  std::string log_dir = PodLogDirectory(settings_, pod.namespace_, pod.name, pod.uid);
  std::string log = fmt::format("{}/{}/{}.log", log_dir, action.name, action.attempt);
  if (const auto removed = RemoveLogs(log); !removed) {
    base::LogWarning("cannot remove container log", {{"path", log}, {"err", removed.error().message}});
  }
  UnlinkContainerLog(settings_, pod.name, pod.namespace_, action.name, action.id);
  return {};
}

Result<void> ActionRunner::Remove(const RemoveSandbox& action) {
  // Stopping again is harmless and makes sure that the network is taken down.
  TRY(UnlessGone(runtime_.StopPodSandbox({.pod_sandbox_id = action.id})));
  return UnlessGone(runtime_.RemovePodSandbox({.pod_sandbox_id = action.id}));
}

Result<void> ActionRunner::CleanUp(const PodIdentity& pod) {
  RemovePodCgroup(settings_, pod.uid);
  TRY(PodDirs(settings_.root_dir, pod.uid).Remove());
  if (pod.name.empty()) return {};
  std::string log_dir = PodLogDirectory(settings_, pod.namespace_, pod.name, pod.uid);
  UnlinkPodLogs(settings_, log_dir);
  return base::RemoveTree(log_dir);
}

}  // namespace portcullis::node
