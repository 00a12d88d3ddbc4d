// Static pods from a folder or one file (kubernetes-seccomp.md 6.1): reports the whole desired state whenever it
// changes.
//
//   StaticPodSource source({.path = "/etc/kubernetes/manifests", .node_name = "n1"}, [&](SourceUpdate update) {
//   manager.SetDesired(...); }); TRY(source.Start());     // the first update comes soon after, even when the path does
//   not exist (no pods then)
//
// Watches with inotify and lists again every `check_frequency`. A burst of events is gathered for some tens of
// milliseconds, and a file still being written for half a second, so that half a manifest is not taken for a whole one;
// a change takes effect within a second. A manifest that becomes bad keeps its old pod until the next periodic listing;
// then the pod goes, as in Kubernetes.
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "node/source/manifest_store.h"

namespace portcullis::node {

struct StaticPodSourceOptions {
  std::string path;       // a folder or a single file; need not exist yet
  std::string node_name;  // lower-case host name
  std::chrono::milliseconds check_frequency{std::chrono::seconds(20)};
  // How often is seen to it that the watch is on what is now at the path (it, a folder above it or a link may have been
  // swapped). While nothing can be watched, the path is also listed this often.
  std::chrono::milliseconds watch_check{500};
};

class StaticPodSource {
 public:
  // Called on the source's thread, never twice at once.
  using Callback = std::function<void(SourceUpdate)>;

  StaticPodSource(StaticPodSourceOptions options, Callback callback);
  ~StaticPodSource();  // stops
  StaticPodSource(const StaticPodSource&) = delete;
  StaticPodSource& operator=(const StaticPodSource&) = delete;

  Result<void> Start();
  void Stop();  // idempotent; no callback runs after it returns

 private:
  void Run();
  bool Watch();
  void LoseWatch();
  void Scan(bool periodic);
  bool DrainEvents();

  const StaticPodSourceOptions options_;
  const std::string path_;  // cleaned: the kubelet trims a trailing slash, too
  const Callback callback_;
  ManifestStore store_;
  base::UniqueFd inotify_;
  base::UniqueFd stop_event_;
  int watch_ = -1;
  struct stat watched_{};      // the folder that watch_ is on
  std::string watch_problem_;  // why there is no watch, as logged
  std::string watched_name_;   // of a single file: its name in the watched folder
  std::vector<std::string> being_written_;
  bool only_placed_ = true;  // since the last scan, files came by renames and no other change was seen
  std::thread thread_;
};

}  // namespace portcullis::node
