// Whether this node takes pods: a file in a folder that only root can write is both the switch and its protection, and
// outlasts restarts and reboots. `portcullis drain` makes it, `portcullis uncordon` removes it.
//
//   CordonWatch watch(CordonFile(root_dir), [](bool cordoned) { ... });   // told at once, then on every change
//   TRY(watch.Start());
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "base/result.h"
#include "base/unique_fd.h"

namespace portcullis::node {

// Its path below the kubelet's root folder (--root-dir).
std::string CordonFile(const std::string& root_dir);

Result<void> Cordon(const std::string& root_dir);    // no error when it is cordoned already
Result<void> Uncordon(const std::string& root_dir);  // nor here
bool IsCordoned(const std::string& root_dir);

class CordonWatch {
 public:
  using Callback = std::function<void(bool cordoned)>;  // first within Start, then from the watch's own thread
  CordonWatch(std::string root_dir, Callback callback);
  ~CordonWatch();  // stops
  CordonWatch(const CordonWatch&) = delete;
  CordonWatch& operator=(const CordonWatch&) = delete;

  // Errors: the root folder cannot be watched.
  Result<void> Start();
  void Stop();

 private:
  void Run();

  const std::string root_dir_;
  const Callback callback_;
  bool told_ = false;
  base::UniqueFd inotify_;
  base::UniqueFd stop_event_;
  std::thread thread_;
};

}  // namespace portcullis::node
