// The pods that a set of manifest files stands for, file by file, so that one bad file harms no other.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/file_stamp.h"
#include "spec/k8s/pod.h"

namespace portcullis::node {

struct SourcePod {
  std::shared_ptr<const k8s::Pod> pod;
  std::string file;
};

// A manifest that gives no pod (or, with `kept`, still gives the one it gave before it became bad), and why.
struct ManifestProblem {
  std::string file;
  std::string error;        // one line, Kubernetes' words
  Diagnostics diagnostics;  // with line and column
  bool kept = false;
};

struct SourceUpdate {
  std::vector<SourcePod> pods;  // by file name; of two pods with the same namespace and name the first file's
  std::vector<ManifestProblem> problems;
  bool known = true;  // false: nothing has told the desired state yet, and the pods are only those known so far
};

struct ScanOptions {
  std::string path;
  std::string node_name;
  int64_t now = 0;  // Unix nanoseconds
  // On a periodic listing the old pod of a file that has been bad for `kBadFor` is given up.
  bool periodic = false;
};
inline constexpr int64_t kBadFor = 1'000'000'000;

// Not thread-safe: belongs to the source's thread.
class ManifestStore {
 public:
  // Reads what changed since the last scan. True when the desired state or the problems differ from before (always on
  // the first scan).
  bool Scan(const ScanOptions& options);
  const SourceUpdate& update() const { return update_; }

 private:
  struct File {
    base::FileStamp stamp;
    std::string digest;  // of the content that `pod` came from: touching a file does not make a new pod
    std::shared_ptr<const k8s::Pod> pod;
    std::string error;  // not empty: the present content is bad
    Diagnostics diagnostics;
    int64_t bad_since = 0;
  };

  bool ScanFile(const std::string& path, const ScanOptions& options);
  void Rebuild();

  bool first_ = true;
  std::string path_problem_;  // the path itself cannot be listed; logged when it changes
  std::map<std::string, File> files_;
  SourceUpdate update_;
};

}  // namespace portcullis::node
