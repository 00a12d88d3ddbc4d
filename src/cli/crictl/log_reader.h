// Container logs in the CRI format, one entry per line of the file:
//
//   2026-11-23T20:02:42.945459455+00:00 stdout F hello
//
// P instead of F marks an entry whose line goes on in the next entry of the same stream.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/unique_fd.h"

namespace portcullis::cli {

struct LogEntry {
  int64_t time = 0;            // Unix nanoseconds
  std::string_view timestamp;  // as written
  std::string_view stream;     // "stdout" or "stderr"
  bool partial = false;
  std::string_view text;
};

// nullopt: the line is not in the CRI format.
std::optional<LogEntry> ParseLogEntry(std::string_view line);

struct LogPrintOptions {
  int64_t since = 0;         // Unix nanoseconds; older entries are left out
  int64_t limit_bytes = -1;  // of all output; negative: no limit
  bool timestamps = false;
  std::string stream;  // only entries of this one; "": of both
};

// Puts entries together to lines again and prints each to the stream it came from.
class LogPrinter {
 public:
  LogPrinter(std::ostream& out, std::ostream& err, const LogPrintOptions& options)
      : out_(out), err_(err), options_(options) {}

  void Add(std::string_view line);  // a line of the file, without its newline
  bool LimitReached() const { return options_.limit_bytes >= 0 && written_ >= options_.limit_bytes; }

 private:
  void Write(std::ostream& stream, std::string_view text);

  std::ostream& out_;
  std::ostream& err_;
  LogPrintOptions options_;
  int64_t written_ = 0;
  std::map<std::string, bool, std::less<>> mid_line_;  // per stream: the last entry printed was partial
};

// A log file that may grow and be rotated while it is read.
class LogFile {
 public:
  static Result<LogFile> Open(const std::string& path);

  // Goes to the start of the last `lines` whole lines.
  Result<void> SeekTail(int64_t lines);

  // Hands on every line that is complete by now, until `take` says false; an unfinished last line waits for the next
  // call.
  Result<void> ReadLines(const std::function<bool(std::string_view)>& take);

  // True when the path names another file by now; ReadLines then reads that one from its start.
  Result<bool> ReopenIfRotated();

  // What is left without a newline at the end, for a log that nobody writes to any more.
  std::string TakeRest() { return std::exchange(rest_, {}); }

 private:
  LogFile(std::string path, base::UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  std::string path_;
  base::UniqueFd fd_;
  std::string rest_;
};

}  // namespace portcullis::cli
