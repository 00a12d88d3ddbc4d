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
#include "runtime/registry/endpoints.h"
#include "runtime/registry/pull.h"
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

Result<DockerConfig> ReadCredentials(const std::string& explicit_path, const std::string& state_dir) {
  std::vector<std::string> candidates{explicit_path};
  if (explicit_path.empty()) {
    candidates = {state_dir + "/config.json"};
    if (const char* folder = std::getenv("DOCKER_CONFIG")) candidates.push_back(std::string(folder) + "/config.json");
    if (const char* home = std::getenv("HOME")) candidates.push_back(std::string(home) + "/.docker/config.json");
  }
  for (const std::string& path : candidates) {
    if (explicit_path.empty() && !base::Exists(path)) continue;
    ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path, kMaxFileBytes));
    return DockerConfig::Parse(text, path);
  }
  return DockerConfig();
}

// Makes and locks a folder. Its holder before may have removed it meanwhile: then it is made anew.
Result<base::UniqueFd> LockFolder(const std::string& path) {
  for (;;) {
    TRY(base::MakeDirs(path, 0700));
    auto fd = base::OpenDir(path);
    if (!fd && fd.error().sys_errno == ENOENT) continue;
    if (!fd) return Failure(std::move(fd).error());
    while (::flock(fd->get(), LOCK_EX) != 0) {
      if (errno != EINTR) return FailErrno(errno, "lock {}", path);
    }
    struct stat held{};
    struct stat there{};
    if (::fstat(fd->get(), &held) == 0 && ::stat(path.c_str(), &there) == 0 && held.st_ino == there.st_ino) return fd;
  }
}

void RemoveAbandoned(const std::string& pulls) {
  const auto names = base::ListDir(pulls);
  if (!names) return;
  for (const std::string& name : *names) {
    const std::string path = pulls + "/" + name;
    const auto fd = base::OpenDir(path);
    struct stat info{};
    if (!fd || ::fstat(fd->get(), &info) != 0 || std::time(nullptr) - info.st_mtime < kAbandonedAfter) continue;
    if (::flock(fd->get(), LOCK_EX | LOCK_NB) != 0) continue;
    if (const auto removed = base::RemoveTree(path); !removed) {
      base::LogWarning("an abandoned pull could not be removed", {{"folder", path}, {"err", removed.error().message}});
    }
  }
}

Result<Image> PullFrom(RegistryClient& client, const oci::Reference& reference, ImageStore& store,
                       const std::string& folder, const PullHooks& hooks) {
  ASSIGN_OR_RETURN(const RemoteImage remote, ResolveRemote(client, reference));
  const std::string name = reference.digest.empty() ? reference.TagString() : reference.WithDigest(reference.digest);
  if (auto present = store.Get(name);
      present &&
      std::ranges::find(present->repo_digests, reference.WithDigest(remote.digest)) != present->repo_digests.end()) {
    return std::move(*present);
  }
  TRY(FetchLayout(client, remote, folder, hooks));
  ASSIGN_OR_RETURN(const std::vector<Image> loaded, store.Load(folder, {.name = name, .progress = hooks.progress}));
  return loaded.front();
}

}  // namespace

Result<Image> ImagePuller::Pull(const std::string& name, const Credentials& given,
                                const std::function<void(const std::string&)>& progress) {
  ASSIGN_OR_RETURN(const oci::Reference reference, oci::ParseReference(name));
  if (!reference.digest.empty()) {
    if (auto present = store_.Get(reference.WithDigest(reference.digest))) return std::move(*present);
  }
  ASSIGN_OR_RETURN(const Registries registries, ReadRegistries(options_.registries_file));
  ASSIGN_OR_RETURN(const DockerConfig logins, ReadCredentials(options_.auth_file, store_.state_dir()));
  const std::string pulls = store_.state_dir() + "/pulls";
  RemoveAbandoned(pulls);
  const std::string folder = pulls + "/" + base::Sha256Hex(reference.String());
  ASSIGN_OR_RETURN(const base::UniqueFd lock, LockFolder(folder));
  const PullHooks hooks{
      .have = [this](const std::string& digest, int64_t size) { return store_.HasBlob(digest, size); },
      .progress = progress,
  };
  std::vector<std::string> problems;
  Error last;
  for (const Endpoint& endpoint : registries.For(reference.registry)) {
    Credentials credentials = endpoint.credentials;
    if (endpoint.mirrored.empty()) {
      if (!given.empty()) credentials = given;
      if (credentials.empty()) credentials = logins.Find(reference.registry, reference.repository);
    }
    RegistryClient client(endpoint, reference.repository, credentials);
    if (progress) progress(reference.String() + ": from " + endpoint.url);
    auto pulled = PullFrom(client, reference, store_, folder, hooks);
    if (pulled) {
      TRY(base::RemoveTree(folder));
      return pulled;
    }
    last = std::move(pulled).error();
    problems.push_back(last.message);
    if (last.sys_errno == ENOSPC || last.sys_errno == EDQUOT || last.code == Code::kDataLoss) {
      TRY(base::RemoveTree(folder));
    }
    if (last.sys_errno != 0) break;  // this host's trouble: another registry does not mend it
    if (!base::Exists(folder)) TRY(base::MakeDirs(folder, 0700));
  }
  last.message = fmt::format("pull image {}: {}", base::Quote(name), base::Join(problems, "; then: "));
  return Failure(std::move(last));
}

}  // namespace portcullis::runtime
