// runp, stopp, rmp, create, start, run, stop, rm, update and checkpoint.
#include <glob.h>
#include <unistd.h>

#include <ostream>

#include "base/strings.h"
#include "base/try.h"
#include "cli/crictl/config_files.h"
#include "cli/crictl/for_each.h"
#include "cli/crictl/login.h"
#include "cli/crictl/select.h"
#include "cli/crictl/verbs.h"

namespace portcullis::cli {
namespace {

Result<std::vector<std::string>> ResolveContainers(Session& session, const std::vector<std::string>& ids) {
  if (ids.empty()) return Fail(Code::kInvalidArgument, "no container id given; `crictl ps -a` lists all");
  std::vector<std::string> full;
  for (const std::string& id : ids) {
    ASSIGN_OR_RETURN(full.emplace_back(), ResolveContainer(session, id));
  }
  return full;
}

Result<std::vector<std::string>> ResolvePods(Session& session, const std::vector<std::string>& ids) {
  if (ids.empty()) return Fail(Code::kInvalidArgument, "no pod id given; `crictl pods` lists all");
  std::vector<std::string> full;
  for (const std::string& id : ids) {
    ASSIGN_OR_RETURN(full.emplace_back(), ResolvePod(session, id));
  }
  return full;
}

Result<std::string> StartPod(Session& session, cri::PodSandboxConfig config, const std::string& runtime_handler) {
  auto pod = session.runtime.RunPodSandbox({.config = std::move(config), .runtime_handler = runtime_handler});
  if (!pod) return Wrap(std::move(pod).error(), "run pod sandbox");
  return pod->pod_sandbox_id;
}

Result<bool> NeedsPull(Session& session, const cri::ImageSpec& image, PullPolicy policy) {
  if (policy != PullPolicy::kIfAbsent) return policy == PullPolicy::kAlways;
  auto status = session.runtime.ImageStatus({.image = image});
  if (!status) return Wrap(std::move(status).error(), "get the status of image {}", base::Quote(image.image));
  return !status->image;
}

// With the files read already; `pod` is a full id.
Result<std::string> CreateIn(Session& session, const std::string& pod, const cri::ContainerConfig& container,
                             const cri::PodSandboxConfig& pod_config, const CreateOptions& options) {
  ASSIGN_OR_RETURN(const bool pull, NeedsPull(session, *container.image, options.pull));
  if (pull) {
    ASSIGN_OR_RETURN(const auto auth, AuthOf(options.login));
    auto pulled = session.runtime.PullImage({.image = container.image, .auth = auth, .sandbox_config = pod_config});
    if (!pulled) return Wrap(std::move(pulled).error(), "pull image {}", base::Quote(container.image->image));
  }
  auto created =
      session.runtime.CreateContainer({.pod_sandbox_id = pod, .config = container, .sandbox_config = pod_config});
  if (!created) return Wrap(std::move(created).error(), "create container {}", base::Quote(container.metadata->name));
  return created->container_id;
}

Result<void> StartOne(Session& session, const std::string& id) {
  auto started = session.runtime.StartContainer({.container_id = id});
  if (!started) return Wrap(std::move(started).error(), "start container {}", base::Quote(id));
  session.out << id << '\n';
  return {};
}

Result<void> StopOne(Session& session, const std::string& id, int64_t grace_seconds) {
  auto stopped = session.runtime.StopContainer({.container_id = id, .timeout = grace_seconds});
  if (!stopped) return Wrap(std::move(stopped).error(), "stop container {}", base::Quote(id));
  session.out << id << '\n';
  return {};
}

Result<void> StopPod(Session& session, const std::string& id) {
  auto stopped = session.runtime.StopPodSandbox({.pod_sandbox_id = id});
  if (!stopped) return Wrap(std::move(stopped).error(), "stop pod sandbox {}", base::Quote(id));
  session.out << "Stopped sandbox " << id << '\n';
  return {};
}

// The log file of a removed container and its rotations, which nobody could find afterwards.
void RemoveLogs(Session& session, const std::string& log_path) {
  if (log_path.empty()) return;
  std::vector<std::string> files = {log_path};
  glob_t matches{};
  if (glob((log_path + ".*").c_str(), GLOB_NOSORT, nullptr, &matches) == 0) {
    for (size_t i = 0; i < matches.gl_pathc; ++i) files.emplace_back(matches.gl_pathv[i]);
  }
  globfree(&matches);
  for (const std::string& file : files) {
    if (unlink(file.c_str()) != 0 && errno != ENOENT) {
      session.err << "crictl: warning: remove log file " << file << ": " << ErrnoText(errno) << '\n';
    }
  }
}

Result<void> RemoveContainer(Session& session, const std::string& id, const RemoveOptions& options) {
  auto response = session.runtime.ContainerStatus({.container_id = id});
  if (!response) return Wrap(std::move(response).error(), "get the status of container {}", base::Quote(id));
  const cri::ContainerStatus status = response->status.value_or(cri::ContainerStatus{});
  if (status.state == cri::ContainerState::kContainerRunning) {
    if (!options.force) {
      return Fail(Code::kFailedPrecondition, "container {} is running, please stop it first (or use --force)",
                  base::Quote(id));
    }
    auto stopped = session.runtime.StopContainer({.container_id = id});
    if (!stopped) return Wrap(std::move(stopped).error(), "stop container {}", base::Quote(id));
  }
  auto removed = session.runtime.RemoveContainer({.container_id = id});
  if (!removed) return Wrap(std::move(removed).error(), "remove container {}", base::Quote(id));
  session.out << id << '\n';
  if (!options.keep_logs) RemoveLogs(session, status.log_path);
  return {};
}

Result<void> RemovePod(Session& session, const std::string& id, bool force) {
  auto response = session.runtime.PodSandboxStatus({.pod_sandbox_id = id});
  if (!response) return Wrap(std::move(response).error(), "get the status of pod sandbox {}", base::Quote(id));
  if (response->status && response->status->state == cri::PodSandboxState::kSandboxReady) {
    if (!force) {
      return Fail(Code::kFailedPrecondition, "pod sandbox {} is running, please stop it first (or use --force)",
                  base::Quote(id));
    }
    TRY(StopPod(session, id));
  }
  auto removed = session.runtime.RemovePodSandbox({.pod_sandbox_id = id});
  if (!removed) return Wrap(std::move(removed).error(), "remove pod sandbox {}", base::Quote(id));
  session.out << "Removed sandbox " << id << '\n';
  return {};
}

}  // namespace

Result<void> RunPod(Session& session, const RunPodOptions& options) {
  ASSIGN_OR_RETURN(cri::PodSandboxConfig config, LoadPodConfig(options.config_file));
  ASSIGN_OR_RETURN(const std::string id, StartPod(session, std::move(config), options.runtime_handler));
  session.out << id << '\n';
  return {};
}

Result<void> StopPods(Session& session, const std::vector<std::string>& ids) {
  ASSIGN_OR_RETURN(const auto full, ResolvePods(session, ids));
  return ForEach(full, [&](const std::string& id) { return StopPod(session, id); });
}

Result<void> RemovePods(Session& session, const RemoveOptions& options) {
  std::vector<std::string> ids;
  if (options.all) {
    ASSIGN_OR_RETURN(const auto pods, SelectPods(session, {}));
    for (const cri::PodSandbox& pod : pods) ids.push_back(pod.id);
  } else {
    ASSIGN_OR_RETURN(ids, ResolvePods(session, options.ids));
  }
  return ForEach(ids, [&](const std::string& id) { return RemovePod(session, id, options.force); });
}

Result<void> CreateContainer(Session& session, const CreateOptions& options) {
  ASSIGN_OR_RETURN(const cri::ContainerConfig container, LoadContainerConfig(options.container_file));
  ASSIGN_OR_RETURN(const cri::PodSandboxConfig pod_config, LoadPodConfig(options.pod_file));
  ASSIGN_OR_RETURN(const std::string pod, ResolvePod(session, options.pod));
  ASSIGN_OR_RETURN(const std::string id, CreateIn(session, pod, container, pod_config, options));
  session.out << id << '\n';
  return {};
}

Result<void> StartContainers(Session& session, const std::vector<std::string>& ids) {
  ASSIGN_OR_RETURN(const auto full, ResolveContainers(session, ids));
  for (const std::string& id : full) TRY(StartOne(session, id));
  return {};
}

Result<void> RunContainer(Session& session, const RunOptions& options) {
  ASSIGN_OR_RETURN(const cri::ContainerConfig container, LoadContainerConfig(options.create.container_file));
  ASSIGN_OR_RETURN(const cri::PodSandboxConfig pod_config, LoadPodConfig(options.create.pod_file));
  ASSIGN_OR_RETURN(const std::string pod, StartPod(session, pod_config, options.runtime_handler));
  ASSIGN_OR_RETURN(const std::string id, CreateIn(session, pod, container, pod_config, options.create));
  return StartOne(session, id);
}

Result<void> StopContainers(Session& session, const StopContainersOptions& options) {
  std::vector<std::string> ids;
  if (options.all) {
    if (!options.ids.empty()) return Fail(Code::kInvalidArgument, "give either container ids or --all, not both");
    ASSIGN_OR_RETURN(const auto containers, SelectContainers(session, {}));
    for (const cri::Container& container : containers) ids.push_back(container.id);
    if (ids.empty()) session.out << "No running containers found.\n";
  } else {
    ASSIGN_OR_RETURN(ids, ResolveContainers(session, options.ids));
  }
  return ForEach(ids, [&](const std::string& id) { return StopOne(session, id, options.grace_seconds); });
}

Result<void> RemoveContainers(Session& session, const RemoveOptions& options) {
  std::vector<std::string> ids;
  if (options.all) {
    ASSIGN_OR_RETURN(const auto containers, SelectContainers(session, {.all = true}));
    for (const cri::Container& container : containers) ids.push_back(container.id);
  } else {
    ASSIGN_OR_RETURN(ids, ResolveContainers(session, options.ids));
  }
  return ForEach(ids, [&](const std::string& id) { return RemoveContainer(session, id, options); });
}

Result<void> UpdateContainers(Session& session, const UpdateOptions& options) {
  ASSIGN_OR_RETURN(const auto ids, ResolveContainers(session, options.ids));
  for (const std::string& id : ids) {
    cri::UpdateContainerResourcesRequest request{.container_id = id};
    request.linux = cri::LinuxContainerResources{.cpu_period = options.cpu_period,
                                                 .cpu_quota = options.cpu_quota,
                                                 .cpu_shares = options.cpu_shares,
                                                 .memory_limit_in_bytes = options.memory,
                                                 .oom_score_adj = options.oom_score_adj,
                                                 .cpuset_cpus = options.cpuset_cpus,
                                                 .cpuset_mems = options.cpuset_mems};
    auto updated = session.runtime.UpdateContainerResources(request);
    if (!updated) return Wrap(std::move(updated).error(), "update container {}", base::Quote(id));
    session.out << id << '\n';
  }
  return {};
}

Result<void> CheckpointContainers(Session& session, const CheckpointOptions& options) {
  if (options.archive.empty()) {
    return Fail(Code::kInvalidArgument, "no destination given, use --export=/path/to/checkpoint.tar");
  }
  ASSIGN_OR_RETURN(const auto ids, ResolveContainers(session, options.ids));
  for (const std::string& id : ids) {
    auto made = session.runtime.CheckpointContainer({.container_id = id, .location = options.archive});
    if (!made) return Wrap(std::move(made).error(), "checkpoint container {}", base::Quote(id));
    session.out << id << '\n';
  }
  return {};
}

}  // namespace portcullis::cli
