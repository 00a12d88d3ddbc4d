// The files of a container's log: the one that is written to, and those that it was before.
//
//   /var/log/pods/default_web_1f2e/nginx/0.log                     the log
//   /var/log/pods/default_web_1f2e/nginx/0.log.20261130-171500     the last one before it
//   /var/log/pods/default_web_1f2e/nginx/0.log.20261130-160000.gz  an older one
//
// Names and order are the kubelet's (pkg/kubelet/logs/container_log_manager.go), so that log collectors find them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace portcullis::node {

// "0.log" is called "0.log.20261130-171500" once it is full; the time is UTC.
std::string RotatedName(std::string_view log, int64_t unix_nanos);

struct RotatedLogs {
  std::vector<std::string> remove;    // too many, half written, or there in both forms
  std::vector<std::string> compress;  // to <name>.gz
  bool operator==(const RotatedLogs&) const = default;
};

// What to do with the earlier files of `log` ("0.log") among the names of its folder, when the `keep` newest may stay.
// Names that rotation does not give are nobody's but their maker's. Pure.
RotatedLogs PlanRotatedLogs(std::string_view log, const std::vector<std::string>& names, size_t keep);

// Replaces a file by <path>.gz, whole or not at all; mode and owner are the same.
Result<void> CompressLog(const std::string& path);

// Removes the log of a container that is gone, and what was rotated of it. Absent ones are fine.
Result<void> RemoveLogs(const std::string& log_path);

}  // namespace portcullis::node
