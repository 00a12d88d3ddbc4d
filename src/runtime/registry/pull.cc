#include "runtime/registry/pull.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/files.h"
#include "base/strings.h"
#include "base/thread.h"
#include "base/try.h"
#include "base/unique_fd.h"
#include "runtime/image/sha256.h"
#include "runtime/registry/pull_lock.h"
#include "runtime/registry/wait.h"
#include "spec/oci/digest.h"
#include "spec/oci/image_types.h"

namespace portcullis::runtime {
namespace {

constexpr int kAttempts = 5;
constexpr size_t kParallelLayers = 3;  // at a time; as containerd
constexpr std::chrono::milliseconds kFirstDelay{250};

std::string BlobIn(const std::string& folder, const std::string& digest) {
  return folder + "/blobs/sha256/" + std::string(oci::DigestHex(digest));
}

std::string AcceptManifests() {
  return fmt::format("Accept: {}, {}, {}, {}", oci::media::kOciManifest, oci::media::kOciIndex,
                     oci::media::kDockerManifest, oci::media::kDockerList);
}

Result<std::string> DigestOfFile(int fd, const std::string& path) {
  Sha256 sha;
  char buffer[1 << 16];
  for (off_t at = 0;;) {
    const ssize_t got = ::pread(fd, buffer, sizeof buffer, at);
    if (got < 0) return FailErrno(errno, "read {}", path);
    if (got == 0) return sha.Finish();
    sha.Update({buffer, static_cast<size_t>(got)});
    at += got;
  }
}

// One blob into one file, resumed where the file ends.
class Download {
 public:
  Download(RegistryClient& client, const oci::Descriptor& blob, const std::string& folder, const PullHooks& hooks)
      : client_(client), blob_(blob), path_(BlobIn(folder, blob.digest)), hooks_(hooks) {}

  Result<void> Run() {
    const std::string partial = path_ + ".partial";
    fd_ = base::UniqueFd(::open(partial.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd_.valid()) return FailErrno(errno, "create {}", partial);
    struct stat info{};
    if (::fstat(fd_.get(), &info) != 0) return FailErrno(errno, "stat {}", partial);
    at_ = info.st_size;
    auto delay = kFirstDelay;
    for (int attempt = 1;; ++attempt) {
      auto done = Attempt();
      if (done) break;
      const Code code = done.error().code;
      const bool again = code == Code::kUnavailable || code == Code::kAborted || code == Code::kOutOfRange;
      if (!again || attempt == kAttempts) return done;
      TRY(SleepFor(delay, client_.stop()));
      delay *= 2;
    }
    if (::fsync(fd_.get()) != 0) return FailErrno(errno, "sync {}", partial);
    if (::rename(partial.c_str(), path_.c_str()) != 0) return FailErrno(errno, "rename {} to {}", partial, path_);
    return {};
  }

 private:
  Result<void> Attempt() {
    if (at_ > blob_.size) TRY(Restart());
    const bool resumed = at_ > 0;
    if (at_ < blob_.size || blob_.size == 0) TRY(Transfer());
    if (at_ < blob_.size) {
      return Fail(Code::kUnavailable, "{} ended blob {} after {} of {} bytes", client_.url(), blob_.digest, at_,
                  blob_.size);
    }
    ASSIGN_OR_RETURN(const std::string digest, DigestOfFile(fd_.get(), path_));
    if (digest == blob_.digest) return {};
    TRY(Restart());
    // The part that was there already may be what is wrong.
    return Fail(resumed ? Code::kAborted : Code::kDataLoss, "{} sent {} where blob {} was asked for", client_.url(),
                digest, blob_.digest);
  }

  Result<void> Restart() {
    if (::ftruncate(fd_.get(), 0) != 0) return FailErrno(errno, "truncate {}", path_);
    at_ = 0;
    return {};
  }

  Result<void> Transfer() {
    std::vector<std::string> headers;
    if (at_ > 0) headers.push_back(fmt::format("Range: bytes={}-", at_));
    bool first = true;
    const auto take = [&](const http::ClientResponse& head, std::span<const char> data) -> Result<void> {
      if (std::exchange(first, false) && head.status == 200 && at_ > 0) TRY(Restart());  // it knows no ranges
      if (at_ + static_cast<int64_t>(data.size()) > blob_.size) {
        TRY(Restart());
        return Fail(Code::kDataLoss, "{} sent more than the {} bytes of blob {}", client_.url(), blob_.size,
                    blob_.digest);
      }
      while (!data.empty()) {
        const ssize_t written = ::pwrite(fd_.get(), data.data(), data.size(), at_);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return FailErrno(errno, "write {}", path_);
        at_ += written;
        data = data.subspan(static_cast<size_t>(written));
      }
      Report();
      return {};
    };
    auto answer = client_.Send(
        {.path = "blobs/" + blob_.digest, .headers = std::move(headers), .max_body_bytes = size_t{64} << 10}, take);
    if (!answer && answer.error().code == Code::kOutOfRange) TRY(Restart());
    if (!answer) return Failure(std::move(answer).error());
    return {};
  }

  void Report() const {
    if (hooks_.progress.has) hooks_.progress.has(blob_.digest, at_);
  }

  RegistryClient& client_;
  const oci::Descriptor& blob_;
  std::string path_;
  const PullHooks& hooks_;
  base::UniqueFd fd_;
  int64_t at_ = 0;
};

// A blob that another pull has fetched, and not yet handed to the store: shared by a hard link.
bool ShareWithOthers(const std::string& pulls, const std::string& digest, const std::string& path) {
  const auto names = base::ListDir(pulls);
  if (!names) return false;
  return std::ranges::any_of(*names, [&](const std::string& name) {
    return ::link(BlobIn(pulls + "/" + name, digest).c_str(), path.c_str()) == 0;
  });
}

Result<void> Fetch(RegistryClient& client, const oci::Descriptor& blob, const std::string& folder,
                   const PullHooks& hooks) {
  const std::string path = BlobIn(folder, blob.digest);
  const std::string pulls = folder.substr(0, folder.rfind('/'));
  const auto is_here = [&] {
    return base::Exists(path) || (hooks.have && hooks.have(blob.digest, blob.size)) ||
           ShareWithOthers(pulls, blob.digest, path);
  };
  if (!is_here()) {
    const std::string lock_path = fmt::format("{}/{}.lock", pulls, oci::DigestHex(blob.digest));
    ASSIGN_OR_RETURN(const LockFile lock, LockFile::Take(lock_path, client.stop()));
    if (!is_here()) return Download(client, blob, folder, hooks).Run();
  }
  if (hooks.progress.has) hooks.progress.has(blob.digest, blob.size);
  return {};
}

Result<void> DownloadAll(RegistryClient& client, const std::vector<oci::Descriptor>& blobs, const std::string& folder,
                         const PullHooks& hooks) {
  std::atomic<size_t> next{0};
  std::mutex mutex;
  std::optional<Error> failure;
  const auto work = [&] {
    for (size_t i = next++; i < blobs.size(); i = next++) {
      auto done = Fetch(client, blobs[i], folder, hooks);
      if (done) continue;
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::move(done).error();
      next = blobs.size();
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 1; i < std::min(kParallelLayers, blobs.size()); ++i) {
    auto thread = base::StartThread("download beside others", work);
    if (!thread) break;  // one after the other then
    threads.push_back(*std::move(thread));
  }
  work();
  for (std::thread& thread : threads) thread.join();
  if (failure) return Failure(*failure);
  return {};
}

Result<RemoteImage> GetManifest(RegistryClient& client, const std::string& tag_or_digest) {
  ASSIGN_OR_RETURN(http::ClientResponse answer, client.Send({.path = "manifests/" + tag_or_digest,
                                                             .headers = {AcceptManifests()},
                                                             .max_body_bytes = oci::kMaxManifestBytes}));
  RemoteImage out{.digest = oci::DigestOf(answer.body), .media_type = {}, .document = std::move(answer.body)};
  if (oci::IsDigest(tag_or_digest) && out.digest != tag_or_digest) {
    return Fail(Code::kDataLoss, "{} sent {} where manifest {} was asked for", client.url(), out.digest, tag_or_digest);
  }
  const std::string& type = answer.headers["content-type"];
  out.media_type = std::string(base::Trim(std::string_view(type).substr(0, type.find(';'))));
  if (auto decoded = oci::DecodeManifest(out.document, out.media_type); !decoded) {
    return Wrap(std::move(decoded).error(), "{}/{}", client.url(), client.repository());
  }
  return out;
}

}  // namespace

Result<RemoteImage> ResolveRemote(RegistryClient& client, const oci::Reference& reference) {
  return GetManifest(client, reference.digest.empty() ? reference.tag : reference.digest);
}

Result<std::string> ResolveDigest(RegistryClient& client, const oci::Reference& reference) {
  const std::string& what = reference.digest.empty() ? reference.tag : reference.digest;
  auto answer = client.Send({.path = "manifests/" + what, .headers = {AcceptManifests()}, .head = true});
  if (!answer && answer.error().code == Code::kUnavailable) return Failure(std::move(answer).error());
  if (!answer) return "";
  const std::string& digest = answer->headers["docker-content-digest"];
  return oci::IsDigest(digest) ? digest : "";
}

Result<void> FetchLayout(RegistryClient& client, const RemoteImage& image, const std::string& folder,
                         const PullHooks& hooks) {
  TRY(base::MakeDirs(folder + "/blobs/sha256", 0700));
  ASSIGN_OR_RETURN(oci::ManifestOrIndex decoded, oci::DecodeManifest(image.document, image.media_type));
  TRY(base::WriteFileAtomic(BlobIn(folder, image.digest), image.document, 0600));
  if (const auto* index = std::get_if<oci::Index>(&decoded)) {
    ASSIGN_OR_RETURN(const oci::Descriptor chosen, oci::ChoosePlatform(*index, oci::HostArchitecture()));
    ASSIGN_OR_RETURN(const RemoteImage inner, GetManifest(client, chosen.digest));
    TRY(base::WriteFileAtomic(BlobIn(folder, inner.digest), inner.document, 0600));
    ASSIGN_OR_RETURN(decoded, oci::DecodeManifest(inner.document, inner.media_type));
  }
  const auto* manifest = std::get_if<oci::Manifest>(&decoded);
  if (manifest == nullptr) {
    return Fail(Code::kInvalidArgument, "{}/{}: an index inside of an index", client.url(), client.repository());
  }
  std::vector<oci::Descriptor> blobs{manifest->config};
  for (const oci::Descriptor& layer : manifest->layers) {
    if (std::ranges::find(blobs, layer.digest, &oci::Descriptor::digest) == blobs.end()) blobs.push_back(layer);
  }
  if (hooks.progress.expects) {
    std::vector<BlobSize> sizes;
    sizes.reserve(blobs.size());
    for (const oci::Descriptor& blob : blobs) sizes.push_back({.digest = blob.digest, .bytes = blob.size});
    hooks.progress.expects(sizes);
  }
  TRY(DownloadAll(client, blobs, folder, hooks));
  const nlohmann::json index{
      {"schemaVersion", 2},
      {"manifests", {{{"mediaType", image.media_type}, {"digest", image.digest}, {"size", image.document.size()}}}}};
  TRY(base::WriteFileAtomic(folder + "/index.json", index.dump(), 0600));
  return base::WriteFileAtomic(folder + "/oci-layout", R"({"imageLayoutVersion":"1.0.0"})", 0600);
}

}  // namespace portcullis::runtime
