#include "node/log/log_rotation.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/try.h"
#include "node/log/rotated_logs.h"

namespace portcullis::node {

LogRotation::LogRotation(LogRotationOptions options, cri::RuntimeApi& runtime) : options_(options), runtime_(runtime) {}

LogRotation::~LogRotation() { Stop(); }

void LogRotation::Start() {
  if (thread_.joinable()) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { Loop(stop); });
}

void LogRotation::Stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void LogRotation::Loop(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto rotated = Rotate(base::NowUnixNanos());
    const std::string problem = rotated ? "" : rotated.error().message;
    if (!problem.empty() && problem != last_problem_) {
      base::LogError("container logs cannot be rotated", {{"err", problem}});
    }
    last_problem_ = problem;
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, options_.period, [] { return false; });
  }
}

Result<void> LogRotation::Rotate(int64_t now_unix_nanos) {
  cri::ListContainersRequest running;
  running.filter.emplace().state = cri::ContainerStateValue{.state = cri::ContainerState::kContainerRunning};
  ASSIGN_OR_RETURN(const cri::ListContainersResponse listed, runtime_.ListContainers(running));
  std::map<std::string, Known> still;
  for (const cri::Container& container : listed.containers) {
    auto known = known_.extract(container.id);
    Known& one = still[container.id];
    if (!known.empty()) one = std::move(known.mapped());
    const auto rotated = RotateOne(container.id, one, now_unix_nanos);
    std::string problem = rotated ? "" : rotated.error().message;
    if (!problem.empty() && problem != one.problem) {
      base::LogWarning("cannot rotate a container's log", {{"id", container.id}, {"path", one.path}, {"err", problem}});
    }
    one.problem = std::move(problem);
  }
  known_ = std::move(still);
  return {};
}

Result<void> LogRotation::RotateOne(const std::string& id, Known& known, int64_t now) {
  if (known.path.empty()) {
    ASSIGN_OR_RETURN(const cri::ContainerStatusResponse response, runtime_.ContainerStatus({.container_id = id}));
    if (response.status) known.path = response.status->log_path;
  }
  const std::string& path = known.path;
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {};  // it has no log

  struct stat facts{};
  if (::lstat(path.c_str(), &facts) != 0) {
    if (errno != ENOENT) return FailErrno(errno, "stat {}", path);
    TRY(runtime_.ReopenContainerLog({.container_id = id}));  // as after a rotation that was cut off
    return {};
  }
  if (!S_ISREG(facts.st_mode) || facts.st_size < options_.max_bytes) return {};

  const std::string folder = path.substr(0, slash);
  const std::string log = path.substr(slash + 1);
  const std::string rotated = base::JoinPath(folder, RotatedName(log, now));
  if (base::Exists(rotated) || base::Exists(rotated + ".gz")) return {};  // twice in a second: at the next look
  ASSIGN_OR_RETURN(const std::vector<std::string> names, base::ListDir(folder));
  // The log and what it is called from now on are two of the files.
  const RotatedLogs plan = PlanRotatedLogs(log, names, static_cast<size_t>(std::max(options_.max_files, 2) - 2));
  Result<void> failure;
  for (const std::string& name : plan.remove) {
    const std::string old = base::JoinPath(folder, name);
    if (::unlink(old.c_str()) != 0 && errno != ENOENT && failure) failure = FailErrno(errno, "remove {}", old);
  }
  for (const std::string& name : plan.compress) {
    auto compressed = CompressLog(base::JoinPath(folder, name));
    if (!compressed && failure) failure = std::move(compressed);
  }
  // On a full disk nothing can be compressed; all the more must the log not grow on.
  if (::rename(path.c_str(), rotated.c_str()) != 0) return FailErrno(errno, "rename {} to {}", path, rotated);
  if (auto reopened = runtime_.ReopenContainerLog({.container_id = id}); !reopened) {
    if (!base::Exists(path)) std::rename(rotated.c_str(), path.c_str());
    return Wrap(std::move(reopened).error(), "reopen {}", path);
  }
  return failure;
}

}  // namespace portcullis::node
