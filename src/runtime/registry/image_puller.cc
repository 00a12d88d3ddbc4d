#include "runtime/registry/image_puller.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>

#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"
#include "runtime/registry/credential_helper.h"
#include "runtime/registry/endpoints.h"
#include "runtime/registry/pull.h"
#include "runtime/registry/pull_lock.h"
#include "runtime/registry/registry_client.h"
#include "spec/oci/reference.h"

namespace portcullis::runtime {
namespace {

constexpr size_t kMaxFileBytes = 1u << 20;
constexpr time_t kAbandonedAfter = time_t{24} * 60 * 60;

Result<Registries> ReadRegistries(const std::string& path) {
  if (path == kDefaultRegistriesFile && !base::Exists(path)) return Registries();
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path, kMaxFileBytes));
  return Registries::Parse(text, path);
}

Result<DockerConfig> ReadLogins(const PullerOptions& options, const std::string& state_dir) {
  std::vector<std::string> candidates{options.auth_file};
  if (options.auth_file.empty()) {
    candidates = {options.kubelet_dir + "/config.json"};
    if (!state_dir.empty()) candidates.insert(candidates.begin(), state_dir + "/config.json");
    if (const char* folder = std::getenv("DOCKER_CONFIG")) candidates.push_back(std::string(folder) + "/config.json");
    if (const char* home = std::getenv("HOME")) candidates.push_back(std::string(home) + "/.docker/config.json");
  }
  for (const std::string& path : candidates) {
    if (options.auth_file.empty() && !base::Exists(path)) continue;
    ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path, kMaxFileBytes));
    return DockerConfig::Parse(text, path);
  }
  return DockerConfig();
}

// In docker's order: the registry's own helper or the store for all, then what is in the file.
Result<Credentials> LogInOf(const DockerConfig& logins, const oci::Reference& reference) {
  if (const std::string helper = logins.Helper(reference.registry); !helper.empty()) {
    auto answer = AskCredentialHelper(helper, reference.registry);
    if (!answer) return Wrap(std::move(answer).error(), "{}", logins.name());
    if (!answer->empty()) return answer;
  }
  return logins.Find(reference.registry, reference.repository);
}

bool IsOnDisk(const Image& image, const ImageStore& store) {
  return std::ranges::all_of(image.chain_ids,
                             [&store](const std::string& chain) { return base::Exists(store.LayerPath(chain)); });
}

// The folder itself stays: its lock is held.
Result<void> EmptyFolder(const std::string& folder) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, base::ListDir(folder));
  for (const std::string& name : names) TRY(base::RemoveTree(base::JoinPath(folder, name)));
  return {};
}

// Nothing to resume: also for what is only an empty frame.
void RemoveIfEmpty(const std::string& folder) {
  const auto blobs = base::ListDir(folder + "/blobs/sha256");
  if (blobs && !blobs->empty()) return;
  if (const auto removed = base::RemoveTree(folder); !removed) {
    base::LogWarning("a pull's folder could not be removed", {{"folder", folder}, {"err", removed.error().message}});
  }
}

bool HasDigest(const Image& image, const std::string& name) {
  return std::ranges::find(image.repo_digests, name) != image.repo_digests.end();
}

Result<Image> PullFrom(RegistryClient& client, const oci::Reference& reference, ImageStore& store,
                       const std::string& folder, const PullHooks& hooks) {
  const std::string name = reference.digest.empty() ? reference.TagString() : reference.WithDigest(reference.digest);
  auto present = store.Get(name);
  if (present && !IsOnDisk(*present, store)) present = Fail(Code::kDataLoss, "image {} has lost a layer", name);
  if (present) {
    ASSIGN_OR_RETURN(const std::string digest, ResolveDigest(client, reference));
    if (!digest.empty() && HasDigest(*present, reference.WithDigest(digest))) return std::move(*present);
  }
  ASSIGN_OR_RETURN(const RemoteImage remote, ResolveRemote(client, reference));
  if (present && HasDigest(*present, reference.WithDigest(remote.digest))) return std::move(*present);
  const auto load = [&]() -> Result<Image> {
    TRY(FetchLayout(client, remote, folder, hooks));
    ASSIGN_OR_RETURN(const std::vector<Image> loaded,
                     store.Load(folder, {.name = name, .progress = hooks.progress.step, .consume = true}));
    return loaded.front();
  };
  auto loaded = load();
  // A blob that the store had went, with the last image that used it, before this one was recorded.
  if (!loaded && loaded.error().code == Code::kNotFound && loaded.error().sys_errno == ENOENT) loaded = load();
  return loaded;
}

}  // namespace

void RemoveAbandonedPulls(const std::string& state_dir) {
  const std::string pulls = state_dir + "/pulls";
  const auto names = base::ListDir(pulls);
  if (!names) return;
  for (const std::string& name : *names) {
    const std::string path = base::JoinPath(pulls, name);
    const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct stat info{};
    if (!fd.valid() || ::fstat(fd.get(), &info) != 0) continue;
    // A lock without its holder is what a killed pull left.
    const bool old = S_ISREG(info.st_mode) || std::time(nullptr) - info.st_mtime >= kAbandonedAfter;
    if (!old || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) continue;
    if (const auto removed = base::RemoveTree(path); !removed) {
      base::LogWarning("an abandoned pull could not be removed", {{"folder", path}, {"err", removed.error().message}});
    }
  }
}

Result<Credentials> ConfiguredLogin(const PullerOptions& options, const std::string& state_dir,
                                    const std::string& image) {
  ASSIGN_OR_RETURN(const oci::Reference reference, oci::ParseReference(image));
  ASSIGN_OR_RETURN(const DockerConfig logins, ReadLogins(options, state_dir));
  return LogInOf(logins, reference);
}

Result<Image> ImagePuller::Pull(const PullRequest& request) {
  const std::string& name = request.name;
  ASSIGN_OR_RETURN(const oci::Reference reference, oci::ParseReference(name));
  if (!reference.digest.empty()) {
    auto present = store_.Get(reference.WithDigest(reference.digest));
    if (present && IsOnDisk(*present, store_)) return std::move(*present);
  }
  ASSIGN_OR_RETURN(const Registries registries, ReadRegistries(options_.registries_file));
  ASSIGN_OR_RETURN(const DockerConfig logins, ReadLogins(options_, store_.state_dir()));
  RemoveAbandonedPulls(store_.state_dir());
  const std::string folder = store_.state_dir() + "/pulls/" + base::Sha256Hex(reference.String());
  ASSIGN_OR_RETURN(const base::UniqueFd lock, LockFolder(folder, stop_.get_token()));
  const PullHooks hooks{
      .have = [this](const std::string& digest, int64_t size) { return store_.HasBlob(digest, size); },
      .progress = request.progress,
  };
  std::vector<std::string> problems;
  Error last;
  for (const Endpoint& endpoint : registries.For(reference.registry)) {
    Credentials credentials = endpoint.credentials;
    if (endpoint.mirrored.empty()) {
      if (!request.credentials.empty()) credentials = request.credentials;
      if (credentials.empty()) {
        ASSIGN_OR_RETURN(credentials, LogInOf(logins, reference));
      }
    }
    RegistryClient client({.endpoint = endpoint,
                           .repository = reference.repository,
                           .credentials = std::move(credentials),
                           .connect_timeout = options_.connect_timeout,
                           .stop = stop_.get_token()},
                          tokens_);
    if (hooks.progress.step) hooks.progress.step(reference.String() + ": from " + endpoint.url);
    auto pulled = PullFrom(client, reference, store_, folder, hooks);
    if (pulled) {
      TRY(base::RemoveTree(folder));
      return pulled;
    }
    last = std::move(pulled).error();
    problems.push_back(last.message);
    if (last.sys_errno == ENOSPC || last.sys_errno == EDQUOT || last.code == Code::kDataLoss ||
        last.code == Code::kInvalidArgument) {
      TRY(EmptyFolder(folder));
    }
    // This host's trouble, or its end: another registry does not mend it.
    if (last.sys_errno != 0 || last.code == Code::kCancelled) break;
  }
  RemoveIfEmpty(folder);
  last.message = fmt::format("pull image {}: {}", base::Quote(name), base::Join(problems, "; then: "));
  return Failure(std::move(last));
}

}  // namespace portcullis::runtime
