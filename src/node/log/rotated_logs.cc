#include "node/log/rotated_logs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>

#include "base/clock.h"
#include "base/files.h"
#include "base/try.h"
#include "base/unique_fd.h"

namespace portcullis::node {
namespace {

constexpr std::string_view kCompressed = ".gz";
constexpr std::string_view kHalfWritten = ".tmp";
constexpr std::string_view kTimeForm = "dddddddd-dddddd";  // d: a digit

bool HasTimeForm(std::string_view text) {
  return std::ranges::equal(text, kTimeForm,
                            [](char c, char form) { return form == 'd' ? c >= '0' && c <= '9' : c == form; });
}

// The part behind "0.log.", when rotation gives such names.
bool IsRotated(std::string_view log, std::string_view name) {
  if (!name.starts_with(log) || name.size() <= log.size() || name[log.size()] != '.') return false;
  name.remove_prefix(log.size() + 1);
  if (name.ends_with(kHalfWritten)) name.remove_suffix(kHalfWritten.size());
  if (name.ends_with(kCompressed)) name.remove_suffix(kCompressed.size());
  return HasTimeForm(name);
}

Result<void> Remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT && errno != ENOTDIR) return FailErrno(errno, "remove {}", path);
  return {};
}

struct CloseGzip {
  void operator()(gzFile file) const { ::gzclose(file); }
};

Result<void> WriteCompressed(int from, const std::string& source, int to, const std::string& target) {
  base::UniqueFd copy(::fcntl(to, F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) return FailErrno(errno, "compress {}", source);
  std::unique_ptr<gzFile_s, CloseGzip> out(::gzdopen(copy.get(), "wb"));
  if (!out) return FailErrno(ENOMEM, "compress {}", source);
  static_cast<void>(copy.Release());  // gzclose closes it
  std::array<char, 64u << 10> buffer;
  for (;;) {
    const ssize_t count = ::read(from, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FailErrno(errno, "read {}", source);
    if (count == 0) break;
    if (::gzwrite(out.get(), buffer.data(), static_cast<unsigned>(count)) != count) {
      return FailErrno(errno, "write {}", target);
    }
  }
  if (::gzclose(out.release()) != Z_OK) return FailErrno(errno, "write {}", target);
  return {};
}

}  // namespace

std::string RotatedName(std::string_view log, int64_t unix_nanos) {
  std::string time = base::FormatRfc3339(unix_nanos);  // 2026-11-30T17:15:00Z
  std::erase_if(time, [](char c) { return c == '-' || c == ':' || c == 'Z'; });
  std::ranges::replace(time, 'T', '-');
  return fmt::format("{}.{}", log, time);
}

RotatedLogs PlanRotatedLogs(std::string_view log, const std::vector<std::string>& names, size_t keep) {
  RotatedLogs plan;
  const std::set<std::string> all(names.begin(), names.end());
  std::vector<std::string> whole;  // oldest first, as the names sort
  for (const std::string& name : all) {
    if (!IsRotated(log, name)) continue;
    // A compressed file has its name once it is whole.
    const bool is_needless = name.ends_with(kHalfWritten) || all.contains(name + std::string(kCompressed));
    (is_needless ? plan.remove : whole).push_back(name);
  }
  const size_t too_many = whole.size() - std::min(whole.size(), keep);
  for (size_t i = 0; i < whole.size(); ++i) {
    if (i < too_many) {
      plan.remove.push_back(whole[i]);
    } else if (!whole[i].ends_with(kCompressed)) {
      plan.compress.push_back(whole[i]);
    }
  }
  return plan;
}

Result<void> CompressLog(const std::string& path) {
  const base::UniqueFd from(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat facts{};
  if (!from.valid() || ::fstat(from.get(), &facts) != 0) return FailErrno(errno, "open {}", path);
  if (!S_ISREG(facts.st_mode)) return Fail(Code::kFailedPrecondition, "compress {}: it is no regular file", path);
  const std::string target = path + std::string(kCompressed);
  const std::string half = target + std::string(kHalfWritten);
  TRY(Remove(half));
  const base::UniqueFd to(::open(half.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!to.valid()) return FailErrno(errno, "create {}", half);
  auto written = WriteCompressed(from.get(), path, to.get(), half);
  if (written && (::fchown(to.get(), facts.st_uid, facts.st_gid) != 0 ||
                  ::fchmod(to.get(), facts.st_mode & 07777) != 0 || ::rename(half.c_str(), target.c_str()) != 0)) {
    written = FailErrno(errno, "make {}", target);
  }
  if (!written) {
    static_cast<void>(Remove(half));
    return written;
  }
  return Remove(path);
}

Result<void> RemoveLogs(const std::string& log_path) {
  const size_t slash = log_path.rfind('/');
  if (slash == std::string::npos) return Fail(Code::kInvalidArgument, "log {} has no folder", log_path);
  const std::string folder = log_path.substr(0, slash);
  const std::string_view log = std::string_view(log_path).substr(slash + 1);
  auto failure = Remove(log_path);
  const auto names = base::ListDir(folder);
  if (!names) return names.error().sys_errno == ENOENT ? failure : Result<void>(Failure(names.error()));
  for (const std::string& name : *names) {
    if (!IsRotated(log, name)) continue;
    auto removed = Remove(base::JoinPath(folder, name));
    if (!removed && failure) failure = std::move(removed);
  }
  return failure;
}

}  // namespace portcullis::node
