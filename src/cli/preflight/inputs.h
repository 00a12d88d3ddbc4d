// What `portcullis preflight` and `portcullis profile from-evidence` read: manifests, a node's pods, traces, targets.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/result.h"
#include "cli/status/status.h"
#include "insight/preflight/preflight.h"

namespace portcullis::cli {

struct Manifests {
  std::vector<insight::Subject> subjects;
  size_t files = 0;
  size_t others = 0;  // objects that make no pods
  Diagnostics diagnostics;
};

// A file, `-`, or a folder: its *.yaml, *.yml and *.json, also in folders below (hidden ones left out).
Result<void> AddManifests(const std::string& path, Manifests& out);
// The pods of a node, from its http://ADDRESS/pods ("127.0.0.1:10248"; a kubelet's read-only port).
Result<void> AddPodsOfNode(const std::string& address, Manifests& out);
// Running containers as `portcullis status` sees them over CRI. Runtimes other than ours do not tell what the manifest
// says: there an unconfined container counts as one whose manifest says nothing, and its declared profile as unknown.
void AddContainersOfRuntime(const std::vector<StatusRow>& rows, Manifests& out);
// Text of one source; `name` is for errors and reports.
void AddManifestText(std::string_view text, const std::string& name, Manifests& out);

// Tells how far a long input is: one line on standard error that is overwritten, nothing where that is no terminal.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  void Say(const std::string& text);

 private:
  bool live_ = false;
  bool dirty_ = false;
};

Result<insight::Evidence> ReadTraceFile(const std::string& path, ProgressLine& progress);

// "NS/POD/CONTAINER", as --as and --container take it.
Result<insight::Workload> ParseContainerName(const std::string& word, const std::string& flag);

struct TargetWords {
  std::string kernel;       // "": the running one
  std::string arch;         // "": this machine
  std::string oci_runtime;  // "crun", "runc"; "": the usual one of the runtime
};
// `word` is a release of the library ("containerd@2.2", "crio@1.30") or a profile's file.
Result<insight::Target> ReadTarget(const std::string& word, const TargetWords& words);

}  // namespace portcullis::cli
