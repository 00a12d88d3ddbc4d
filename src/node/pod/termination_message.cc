#include "node/pod/termination_message.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <vector>

#include "base/files.h"
#include "base/strings.h"
#include "node/pod/cri_config.h"

namespace portcullis::node {
namespace {

constexpr size_t kMaxMessage = 4096;
constexpr size_t kMaxLogTail = 2048;
constexpr size_t kMaxLogLines = 80;
// The end of a log that is read for its last lines; prefixes and partial lines make it longer than what is kept.
constexpr off_t kLogWindow = 64 << 10;

bool IsBelow(const std::string& path, const std::string& folder) {
  return base::CleanPath(path) == path && path.starts_with(base::CleanPath(folder) + "/");
}

// At most `limit` bytes, from the start or from the end; "" when it is not a readable regular file.
std::string ReadPart(const std::string& path, off_t limit, bool from_end) {
  base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat info{};
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return "";
  off_t offset = from_end ? std::max<off_t>(0, info.st_size - limit) : 0;
  std::string out(static_cast<size_t>(std::min(limit, info.st_size)), '\0');
  ssize_t n = ::pread(fd.get(), out.data(), out.size(), offset);
  out.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return out;
}

std::string Annotation(const cri::ContainerStatus& status, std::string_view key) {
  auto found = status.annotations.find(std::string(key));
  return found != status.annotations.end() ? found->second : "";
}

}  // namespace

std::string TailOfCriLog(std::string_view log) {
  std::string out;
  size_t lines = 0;
  for (const std::string& line : base::Split(log, '\n')) {
    // <time> <stream> <F|P>[:tags] <content>
    size_t at = 0;
    for (int blank = 0; blank < 3 && at != std::string::npos; ++blank) {
      at = line.find(' ', at);
      if (at != std::string::npos) ++at;
    }
    if (at == std::string::npos || at < 3) continue;
    size_t tag = line.rfind(' ', at - 2);
    bool partial = tag != std::string::npos && line[tag + 1] == 'P';
    out += line.substr(at);
    if (partial) continue;
    out += '\n';
    ++lines;
  }
  for (size_t cut; lines > kMaxLogLines && (cut = out.find('\n')) != std::string::npos; --lines) out.erase(0, cut + 1);
  if (out.size() > kMaxLogTail) out.erase(0, out.size() - kMaxLogTail);
  return out;
}

std::string TerminationMessage(const cri::ContainerStatus& status, const PodSettings& settings) {
  std::string inside = Annotation(status, kTerminationPathAnnotation);
  std::string message;
  for (const cri::Mount& mount : status.mounts) {
    if (!inside.empty() && mount.container_path == inside &&
        IsBelow(mount.host_path, base::JoinPath(settings.root_dir, "pods"))) {
      message = ReadPart(mount.host_path, kMaxMessage, false);
    }
  }
  bool from_logs = Annotation(status, kTerminationPolicyAnnotation) == "FallbackToLogsOnError" && status.exit_code != 0;
  if (message.empty() && from_logs && IsBelow(status.log_path, settings.pod_logs_dir)) {
    message = TailOfCriLog(ReadPart(status.log_path, kLogWindow, true));
  }
  return message;
}

}  // namespace portcullis::node
