#include "node/volume/pod_dirs.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"

namespace portcullis::node {
namespace {

constexpr const char* kMark = "/.portcullis";

// mountinfo writes blanks and backslashes as \040 and the like.
std::string Unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    bool octal = text[i] == '\\' && i + 3 < text.size() &&
                 std::all_of(text.begin() + i + 1, text.begin() + i + 4, [](char c) { return c >= '0' && c <= '7'; });
    if (!octal) {
      out += text[i];
      continue;
    }
    out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
    i += 3;
  }
  return out;
}

// Mount points below `folder`, in the order they were mounted.
Result<std::vector<std::string>> MountsBelow(const std::string& folder) {
  std::unique_ptr<char, decltype(&::free)> real(::realpath(folder.c_str(), nullptr), &::free);
  if (!real) return FailErrno(errno, "resolve {}", folder);
  std::string prefix = std::string(real.get()) + "/";
  ASSIGN_OR_RETURN(std::string text, base::ReadFile("/proc/self/mountinfo"));
  std::vector<std::string> out;
  for (const std::string& line : base::Split(text, '\n')) {
    std::vector<std::string> words = base::Split(line, ' ');
    if (words.size() < 5) continue;
    std::string point = Unescape(words[4]);
    if (point.starts_with(prefix)) out.push_back(std::move(point));
  }
  return out;
}

Result<void> RemoveAllButNewest(const std::string& folder) {
  ASSIGN_OR_RETURN(std::vector<std::string> names, base::ListDir(folder));
  std::vector<std::pair<int64_t, std::string>> by_age;
  for (const std::string& name : names) {
    struct stat info{};
    if (::lstat((folder + "/" + name).c_str(), &info) != 0) continue;
    by_age.emplace_back(info.st_mtim.tv_sec * int64_t{1'000'000'000} + info.st_mtim.tv_nsec, name);
  }
  std::sort(by_age.begin(), by_age.end());
  if (!by_age.empty()) by_age.pop_back();
  for (const auto& [age, name] : by_age) TRY(base::RemoveTree(folder + "/" + name));
  return {};
}

}  // namespace

PodDirs::PodDirs(const std::string& root_dir, const std::string& uid)
    : uid_(uid), path_(base::JoinPath(root_dir, "pods") + "/" + uid) {}

std::string PodDirs::sub_path(const std::string& volume, const std::string& container, size_t index) const {
  return fmt::format("{}/volume-subpaths/{}/{}/{}", path_, volume, container, index);
}

Result<void> PodDirs::Create() const {
  if (uid_.empty() || uid_ == "." || uid_ == ".." || uid_.find('/') != std::string::npos) {
    return Fail(Code::kInvalidArgument, "make pod folder: uid {} is not a single path element", base::Quote(uid_));
  }
  for (const char* folder : {"/volumes", "/containers", "/volume-subpaths"}) TRY(base::MakeDirs(path_ + folder, 0750));
  if (!base::Exists(path_ + kMark)) TRY(base::WriteFileAtomic(path_ + kMark, "", 0600));
  return {};
}

Result<void> PodDirs::Remove() const {
  if (!base::Exists(path_)) return {};
  ASSIGN_OR_RETURN(std::vector<std::string> mounts, MountsBelow(path_));
  std::reverse(mounts.begin(), mounts.end());
  for (const std::string& point : mounts) {
    if (::umount2(point.c_str(), UMOUNT_NOFOLLOW | MNT_DETACH) != 0 && errno != EINVAL && errno != ENOENT) {
      return FailErrno(errno, "unmount {}", point);
    }
  }
  // The mark goes last: a crash in the middle leaves a folder that is known as ours.
  ASSIGN_OR_RETURN(std::vector<std::string> names, base::ListDir(path_));
  for (const std::string& name : names) {
    if ("/" + name != kMark) TRY(base::RemoveTree(path_ + "/" + name));
  }
  return base::RemoveTree(path_);
}

Result<std::string> PodDirs::CreateTerminationLog(const std::string& container) const {
  std::string folder = path_ + "/containers/" + container;
  TRY(base::MakeDirs(folder, 0750));
  TRY(RemoveAllButNewest(folder));
  std::string path = folder + "/" + base::RandomHex(4);
  base::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!fd.valid()) return FailErrno(errno, "create termination log {}", path);
  if (::fchmod(fd.get(), 0666) != 0) return FailErrno(errno, "set mode of termination log {}", path);
  return path;
}

Result<std::vector<std::string>> ListPodDirs(const std::string& root_dir) {
  std::string pods = base::JoinPath(root_dir, "pods");
  std::vector<std::string> out;
  if (!base::Exists(pods)) return out;
  ASSIGN_OR_RETURN(std::vector<std::string> names, base::ListDir(pods));
  for (std::string& name : names) {
    if (base::Exists(pods + "/" + name + kMark)) out.push_back(std::move(name));
  }
  return out;
}

}  // namespace portcullis::node
