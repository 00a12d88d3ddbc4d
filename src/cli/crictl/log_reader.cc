#include "cli/crictl/log_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <ostream>

#include "base/clock.h"
#include "base/try.h"

namespace portcullis::cli {
namespace {

constexpr size_t kChunk = 64u << 10;
constexpr size_t kMaxLine = 4u << 20;  // runtimes cut entries at 16 KiB; more is not a CRI log

// Cuts the word up to the next blank off the front of `text`.
std::string_view TakeWord(std::string_view& text) {
  const size_t blank = text.find(' ');
  const std::string_view word = text.substr(0, blank);
  text.remove_prefix(blank == std::string_view::npos ? text.size() : blank + 1);
  return word;
}

}  // namespace

std::optional<LogEntry> ParseLogEntry(std::string_view line) {
  LogEntry entry;
  entry.timestamp = TakeWord(line);
  entry.stream = TakeWord(line);
  const std::string_view tags = TakeWord(line);
  const auto time = base::ParseRfc3339(entry.timestamp);
  if (!time || (entry.stream != "stdout" && entry.stream != "stderr")) return std::nullopt;
  const std::string_view first_tag = tags.substr(0, tags.find(':'));
  if (first_tag != "P" && first_tag != "F") return std::nullopt;
  entry.time = *time;
  entry.partial = first_tag == "P";
  entry.text = line;
  return entry;
}

void LogPrinter::Add(std::string_view line) {
  const auto entry = ParseLogEntry(line);
  if (!entry) {
    Write(out_, line);
    return Write(out_, "\n");
  }
  if (entry->time < options_.since) return;
  if (!options_.stream.empty() && entry->stream != options_.stream) return;
  std::ostream& stream = entry->stream == "stderr" ? err_ : out_;
  bool& mid_line = mid_line_[std::string(entry->stream)];
  if (options_.timestamps && !mid_line) Write(stream, std::string(entry->timestamp) + " ");
  Write(stream, entry->text);
  if (!entry->partial) Write(stream, "\n");
  mid_line = entry->partial;
}

void LogPrinter::Write(std::ostream& stream, std::string_view text) {
  if (options_.limit_bytes >= 0) {
    text = text.substr(0, static_cast<size_t>(std::max<int64_t>(0, options_.limit_bytes - written_)));
  }
  stream << text;
  written_ += static_cast<int64_t>(text.size());
}

Result<LogFile> LogFile::Open(const std::string& path) {
  base::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return FailErrno(errno, "open log file {}", path);
  return LogFile(path, std::move(fd));
}

Result<void> LogFile::ReadLines(const std::function<bool(std::string_view)>& take) {
  std::array<char, kChunk> chunk;
  while (true) {
    const ssize_t count = read(fd_.get(), chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FailErrno(errno, "read log file {}", path_);
    if (count == 0) return {};
    rest_.append(chunk.data(), static_cast<size_t>(count));
    size_t begin = 0;
    for (size_t end; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1) {
      if (!take(std::string_view(rest_).substr(begin, end - begin))) return {};
    }
    rest_.erase(0, begin);
    if (rest_.size() > kMaxLine) return Fail(Code::kDataLoss, "log file {} has a line over {} bytes", path_, kMaxLine);
  }
}

Result<void> LogFile::SeekTail(int64_t lines) {
  std::deque<off_t> starts;
  std::map<std::string, bool, std::less<>> mid_line;
  off_t offset = 0;
  TRY(ReadLines([&](std::string_view line) {
    const auto entry = ParseLogEntry(line);
    const std::string stream(entry ? entry->stream : "");
    if (!mid_line[stream]) starts.push_back(offset);
    mid_line[stream] = entry && entry->partial;
    if (static_cast<int64_t>(starts.size()) > lines) starts.pop_front();
    offset += static_cast<off_t>(line.size()) + 1;
    return true;
  }));
  rest_.clear();
  const off_t target = starts.empty() ? offset : starts.front();
  if (lseek(fd_.get(), target, SEEK_SET) < 0) return FailErrno(errno, "seek in log file {}", path_);
  return {};
}

Result<bool> LogFile::ReopenIfRotated() {
  struct stat ours{};
  struct stat named{};
  if (fstat(fd_.get(), &ours) != 0) return FailErrno(errno, "stat log file {}", path_);
  if (stat(path_.c_str(), &named) != 0) {
    if (errno == ENOENT) return false;  // moved away, the new one is not there yet
    return FailErrno(errno, "stat log file {}", path_);
  }
  if (ours.st_dev == named.st_dev && ours.st_ino == named.st_ino) return false;
  ASSIGN_OR_RETURN(LogFile next, Open(path_));
  *this = std::move(next);
  return true;
}

}  // namespace portcullis::cli
