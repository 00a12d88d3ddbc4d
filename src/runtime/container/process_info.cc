#include "runtime/container/process_info.h"

#include <cstdlib>

#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"

namespace portcullis::runtime {
namespace {

std::optional<uint64_t> ParseHex(const std::string& text) {
  if (text.empty() || text.size() > 16 || text.find_first_not_of("0123456789abcdef") != std::string::npos)
    return std::nullopt;
  return std::strtoull(text.c_str(), nullptr, 16);
}

// /proc/<pid>/status: "Name:\tvalue" lines.
void ReadStatusLine(const std::string& line, ProcessInfo& out) {
  const size_t colon = line.find(':');
  if (colon == std::string::npos) return;
  const std::string_view key = std::string_view(line).substr(0, colon);
  const std::string value(base::Trim(std::string_view(line).substr(colon + 1)));
  const auto number = [&] { return static_cast<int>(base::ParseUint(value).value_or(0)); };
  // Uid and Gid: real, effective, saved, file system.
  const auto effective = [&]() -> uint32_t {
    const std::vector<std::string> ids = base::Split(value, '\t');
    return ids.size() < 2 ? 0 : static_cast<uint32_t>(base::ParseUint(ids[1]).value_or(0));
  };
  if (key == "Seccomp") out.seccomp_mode = number();
  if (key == "Seccomp_filters") out.seccomp_filters = number();
  if (key == "NoNewPrivs") out.no_new_privs = number() != 0;
  if (key == "PPid") out.parent = number();
  if (key == "Uid") out.uid = effective();
  if (key == "Gid") out.gid = effective();
  if (key == "CapPrm") out.permitted_capabilities = ParseHex(value).value_or(0);
  if (key == "CapBnd") out.bounding_capabilities = ParseHex(value).value_or(0);
}

}  // namespace

Result<ProcessInfo> ReadProcessInfo(pid_t pid, const std::string& proc) {
  const std::string directory = fmt::format("{}/{}", proc, pid);
  const auto stat = base::ReadFile(directory + "/stat");
  const auto status = base::ReadFile(directory + "/status");
  for (const auto* file : {&stat, &status}) {
    if (*file) continue;
    // ESRCH: it ended between open and read.
    const int problem = file->error().sys_errno;
    if (problem == ENOENT || problem == ESRCH) return Fail(Code::kNotFound, "process {} does not exist", pid);
    return Failure(file->error());
  }
  ProcessInfo out;
  out.pid = pid;
  // "12 (a name) with) S 1 ...": the name may hold anything, so count from the last parenthesis. Field 3 is the state,
  // 22 the start.
  const size_t name_end = stat->rfind(')');
  if (name_end == std::string::npos) return Fail(Code::kDataLoss, "{}/stat has no process name", directory);
  const std::vector<std::string> fields = base::Split(base::Trim(std::string_view(*stat).substr(name_end + 1)), ' ');
  const std::optional<uint64_t> start = fields.size() > 19 ? base::ParseUint(fields[19]) : std::nullopt;
  if (!start || fields[0].size() != 1) return Fail(Code::kDataLoss, "{}/stat is malformed", directory);
  out.state = fields[0][0];
  out.start_time_ticks = *start;
  for (const std::string& line : base::Split(*status, '\n')) ReadStatusLine(line, out);
  return out;
}

bool IsSameProcessAlive(pid_t pid, uint64_t start_time_ticks, const std::string& proc) {
  const Result<ProcessInfo> info = ReadProcessInfo(pid, proc);
  return info && info->start_time_ticks == start_time_ticks && info->state != 'Z' && info->state != 'X';
}

}  // namespace portcullis::runtime
