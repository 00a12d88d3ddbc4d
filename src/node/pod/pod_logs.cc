#include "node/pod/pod_logs.h"

#include <limits.h>
#include <unistd.h>

#include <algorithm>

#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"

namespace portcullis::node {
namespace {

std::string LinkPath(const PodSettings& settings, const std::string& pod_name, const std::string& namespace_,
                     const std::string& container, const std::string& container_id) {
  std::string name = fmt::format("{}_{}_{}-{}", pod_name, namespace_, container, container_id);
  constexpr std::string_view kSuffix = ".log";
  name.resize(std::min(name.size(), NAME_MAX - kSuffix.size()));
  return base::JoinPath(settings.container_log_links_dir, name + std::string(kSuffix));
}

std::string LinkTarget(const std::string& path) {
  char buffer[PATH_MAX];
  ssize_t n = ::readlink(path.c_str(), buffer, sizeof buffer);
  return n > 0 ? std::string(buffer, static_cast<size_t>(n)) : "";
}

}  // namespace

int NextLogNumber(const std::string& log_dir, const std::string& container) {
  auto names = base::ListDir(base::JoinPath(log_dir, container));
  if (!names) return 0;
  int next = 0;
  for (const std::string& name : *names) {
    size_t dot = name.find(".log");
    if (dot == std::string::npos || (dot + 4 != name.size() && name[dot + 4] != '.')) continue;
    auto number = base::ParseUint(std::string_view(name).substr(0, dot));
    if (number && *number < 1'000'000'000) next = std::max(next, static_cast<int>(*number) + 1);
  }
  return next;
}

void LinkContainerLog(const PodSettings& settings, const std::string& pod_name, const std::string& namespace_,
                      const std::string& container, const std::string& container_id, const std::string& log_path) {
  if (settings.container_log_links_dir.empty()) return;
  std::string link = LinkPath(settings, pod_name, namespace_, container, container_id);
  auto made = base::MakeDirs(settings.container_log_links_dir);
  if (!made) return base::LogWarning("cannot link container log", {{"link", link}, {"err", made.error().message}});
  if (::symlink(log_path.c_str(), link.c_str()) != 0 && errno != EEXIST) {
    base::LogWarning("cannot link container log", {{"link", link}, {"err", ErrnoText(errno)}});
  }
}

void UnlinkContainerLog(const PodSettings& settings, const std::string& pod_name, const std::string& namespace_,
                        const std::string& container, const std::string& container_id) {
  if (settings.container_log_links_dir.empty()) return;
  std::string link = LinkPath(settings, pod_name, namespace_, container, container_id);
  if (!LinkTarget(link).empty()) ::unlink(link.c_str());
}

void UnlinkPodLogs(const PodSettings& settings, const std::string& log_dir) {
  if (settings.container_log_links_dir.empty()) return;
  auto names = base::ListDir(settings.container_log_links_dir);
  if (!names) return;
  for (const std::string& name : *names) {
    std::string link = base::JoinPath(settings.container_log_links_dir, name);
    if (LinkTarget(link).starts_with(log_dir + "/")) ::unlink(link.c_str());
  }
}

}  // namespace portcullis::node
