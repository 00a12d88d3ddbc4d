#include "host/proc/process.h"

#include <unistd.h>

#include <array>
#include <optional>

#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"

namespace portcullis::host {
namespace {

constexpr size_t kMaxBytes = 64u << 10;

std::string PathOf(pid_t pid, const std::string& proc, const char* file) {
  return fmt::format("{}/{}/{}", proc, pid, file);
}

Result<std::string> Read(pid_t pid, const std::string& proc, const char* file) {
  auto text = base::ReadFile(PathOf(pid, proc, file), kMaxBytes);
  // ESRCH: it ended between open and read.
  if (!text && (text.error().sys_errno == ENOENT || text.error().sys_errno == ESRCH)) {
    return Fail(Code::kNotFound, "process {} does not exist", pid);
  }
  return text;
}

template <class T>
Result<T> Parsed(std::optional<T> value, pid_t pid, const std::string& proc, const char* file) {
  if (value) return *value;
  return Fail(Code::kDataLoss, "{} is malformed", PathOf(pid, proc, file));
}

}  // namespace

Result<ProcessStat> ReadStat(pid_t pid, const std::string& proc) {
  ASSIGN_OR_RETURN(const std::string text, Read(pid, proc, "stat"));
  return Parsed(ParseStat(text), pid, proc, "stat");
}

Result<ProcessStatus> ReadStatus(pid_t pid, const std::string& proc) {
  ASSIGN_OR_RETURN(const std::string text, Read(pid, proc, "status"));
  return Parsed(ParseStatus(text), pid, proc, "status");
}

Result<std::string> ReadCgroups(pid_t pid, const std::string& proc) { return Read(pid, proc, "cgroup"); }

std::string ReadComm(pid_t pid, const std::string& proc) {
  const auto text = Read(pid, proc, "comm");
  return text ? std::string(base::Trim(*text)) : "";
}

std::string ReadExecutable(pid_t pid, const std::string& proc) {
  std::array<char, 4096> target = {};
  const ssize_t size = ::readlink(PathOf(pid, proc, "exe").c_str(), target.data(), target.size());
  return size <= 0 ? "" : std::string(target.data(), static_cast<size_t>(size));
}

bool IsSameProcessAlive(pid_t pid, uint64_t start_time_ticks, const std::string& proc) {
  const auto stat = ReadStat(pid, proc);
  return stat && stat->start_time_ticks == start_time_ticks && stat->state != 'Z' && stat->state != 'X';
}

}  // namespace portcullis::host
