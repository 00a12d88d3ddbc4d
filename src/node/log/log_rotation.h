// Rotation of the logs of running containers, through any CRI runtime, as the kubelet does it: without it a container
// that writes much fills the node's disk.
//
//   LogRotation rotation({.max_bytes = 10 << 20, .max_files = 5}, runtime);
//   rotation.Start();
//   rotation.Stop();
//
// A log that has reached max_bytes is renamed (rotated_logs.h) and the runtime told to reopen it; what was rotated
// before is compressed, and the oldest go, so that a container has max_files at the most. Between two looks a log may
// grow beyond max_bytes: the size is no limit of the disk. Source: pkg/kubelet/logs/container_log_manager.go.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "base/result.h"
#include "cri/runtime_api.h"

namespace portcullis::node {

struct LogRotationOptions {
  int64_t max_bytes = 10 << 20;
  int max_files = 5;  // with the one that is written to; 2 at least
  std::chrono::milliseconds period{std::chrono::seconds(10)};
};

class LogRotation {
 public:
  LogRotation(LogRotationOptions options, cri::RuntimeApi& runtime);
  ~LogRotation();  // stops
  LogRotation(const LogRotation&) = delete;
  LogRotation& operator=(const LogRotation&) = delete;

  void Start();
  void Stop();

  // One round. A container whose log cannot be rotated keeps it, and does not keep others from it: the problem is
  // logged once. Fails when the runtime lists no containers.
  Result<void> Rotate(int64_t now_unix_nanos);

 private:
  struct Known {
    std::string path;     // as the runtime says; it does not change
    std::string problem;  // told once
  };
  Result<void> RotateOne(const std::string& id, Known& known, int64_t now);
  void Loop(const std::stop_token& stop);

  const LogRotationOptions options_;
  cri::RuntimeApi& runtime_;
  std::map<std::string, Known> known_;  // by container id
  std::string last_problem_;

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace portcullis::node
