#include "node/source/manifest_store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <set>
#include <utility>

#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "spec/k8s/static_pod.h"

namespace portcullis::node {
namespace {

// Opening does not block on a FIFO, and what was opened is what is read.
Result<std::string> ReadManifest(const std::string& path) {
  base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) return FailErrno(errno, "open {}", path);
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return FailErrno(errno, "stat {}", path);
  if (!S_ISREG(info.st_mode)) return Fail(Code::kInvalidArgument, "{} is not a regular file", path);
  return base::ReadFd(fd.get(), k8s::kMaxManifestBytes, path);
}

struct Listing {
  std::vector<std::string> paths;
  std::string problem;  // the path cannot be listed
  bool keep = false;    // and says nothing about its files: keep what is known
};

Listing ListManifests(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return {.problem = "path does not exist, ignoring"};
    return {.problem = "stat: " + ErrnoText(errno), .keep = true};
  }
  if (S_ISREG(info.st_mode)) return {.paths = {path}};
  if (!S_ISDIR(info.st_mode)) return {.problem = "path is not a directory or file"};
  auto names = base::ListDir(path);
  if (!names) return {.problem = names.error().message, .keep = true};
  Listing listing;
  for (const std::string& name : *names) {
    if (!name.starts_with('.')) listing.paths.push_back(base::JoinPath(path, name));
  }
  return listing;
}

}  // namespace

bool ManifestStore::Scan(const ScanOptions& options) {
  Listing listing = ListManifests(options.path);
  if (listing.problem != path_problem_) {
    path_problem_ = listing.problem;
    if (!path_problem_.empty()) base::LogWarning(path_problem_, {{"path", options.path}});
  }
  bool changed = std::exchange(first_, false);
  if (!listing.keep) {
    std::set<std::string> present(listing.paths.begin(), listing.paths.end());
    changed |= std::erase_if(files_, [&](const auto& entry) { return !present.contains(entry.first); }) > 0;
    for (const std::string& path : listing.paths) changed |= ScanFile(path, options);
  }
  if (changed) Rebuild();
  return changed;
}

bool ManifestStore::ScanFile(const std::string& path, const ScanOptions& options) {
  struct stat info{};
  bool exists = ::stat(path.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode)) {
    if (files_.erase(path) > 0) return true;
    if (options.periodic)
      base::LogDebug("Provided manifest path is a directory, not recursing into manifest path", {{"path", path}});
    return false;
  }
  if (exists && !S_ISREG(info.st_mode)) return files_.erase(path) > 0;

  auto known = files_.find(path);
  base::FileStamp stamp = exists ? base::StampOf(info) : base::FileStamp{};
  if (known != files_.end() && exists && known->second.stamp == stamp) {
    File& file = known->second;
    bool give_up = options.periodic && file.pod && !file.error.empty() && options.now - file.bad_since >= kBadFor;
    if (give_up) file.pod = nullptr;
    return give_up;
  }
  File& file = files_[path];
  bool had_error = !file.error.empty();
  file.stamp = stamp;

  Result<std::string> text = ReadManifest(path);
  std::string digest = text ? base::Sha256Hex(*text) : "";
  if (text && file.pod && !had_error && digest == file.digest) return false;

  k8s::PodLoad load;
  if (text) {
    load = k8s::LoadStaticPod(*text, {.file = path, .node_name = options.node_name, .seen = options.now});
  } else {
    load.error = text.error().message;
  }
  for (const Diagnostic& diagnostic : load.diagnostics) {
    if (diagnostic.severity == Severity::kWarning)
      base::LogWarning("manifest", {{"warning", FormatDiagnostic(diagnostic)}});
  }
  file.diagnostics = load.diagnostics;
  if (!load.pod) {
    file.error = load.error.empty() ? "no pod" : load.error;
    if (!had_error) file.bad_since = options.now;
    base::LogError("Could not process manifest file", {{"path", path}, {"err", file.error}});
    for (const Diagnostic& diagnostic : load.diagnostics) {
      if (diagnostic.severity == Severity::kError)
        base::LogError("manifest", {{"error", FormatDiagnostic(diagnostic)}});
    }
    return true;
  }
  file.error.clear();
  // The old pod (with its time of first sight) stands for equal content.
  if (!file.pod || digest != file.digest) file.pod = std::make_shared<const k8s::Pod>(std::move(*load.pod));
  file.digest = digest;
  return true;
}

void ManifestStore::Rebuild() {
  SourceUpdate next;
  std::map<std::string, std::string> owner_of_name;
  std::map<std::string, std::string> owner_of_uid;
  for (const auto& [path, file] : files_) {
    if (!file.error.empty()) next.problems.push_back({path, file.error, file.diagnostics, file.pod != nullptr});
    if (!file.pod) continue;
    const k8s::ObjectMeta& meta = file.pod->metadata;
    auto same_name = owner_of_name.find(file.pod->FullName());
    auto same_uid = owner_of_uid.find(meta.uid);
    if (same_name == owner_of_name.end() && same_uid == owner_of_uid.end()) {
      owner_of_name[file.pod->FullName()] = path;
      owner_of_uid[meta.uid] = path;
      next.pods.push_back({file.pod, path});
      continue;
    }
    bool name = same_name != owner_of_name.end();
    std::string error = fmt::format("pod {}/{} is ignored: {} has a pod with the same {}", meta.namespace_, meta.name,
                                    name ? same_name->second : same_uid->second, name ? "name" : "uid");
    base::LogError("Could not process manifest file", {{"path", path}, {"err", error}});
    next.problems.push_back({path, error, {}, false});
  }
  update_ = std::move(next);
}

}  // namespace portcullis::node
