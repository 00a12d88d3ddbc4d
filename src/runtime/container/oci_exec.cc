// ExecSync: a command in a running container, run to its end by a conmon of its own.
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"
#include "runtime/container/conmon.h"
#include "runtime/container/exec_filter.h"
#include "runtime/container/exec_scope.h"
#include "runtime/container/log_file.h"
#include "runtime/container/oci_runtime.h"

namespace portcullis::runtime {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kKillTimeout = std::chrono::seconds(10);
// How often a wait looks whether the command runs by now.
constexpr milliseconds kSetupPoll{20};

// The two streams of a CRI log; a line that is marked partial goes on without a newline.
void SplitLog(const std::string& text, ExecResult& out) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    if (const auto line = ParseCriLogLine(std::string_view(text).substr(at, end - at))) {
      std::string& stream = line->stream == LogStream::kStdout ? out.out : out.err;
      stream += line->content;
      if (!line->partial) stream += '\n';
    }
    at = end + 1;
  }
}

}  // namespace

Result<ExecResult> OciRuntime::ExecSync(const ContainerHandle& handle, const ExecOptions& options) const {
  if (!base::Exists(RootDir() + "/" + handle.id))
    return Fail(Code::kNotFound, "container {} does not exist", handle.id);
  if (options.process.args.empty()) return Fail(Code::kInvalidArgument, "exec in container {}: no command", handle.id);
  if (auto filtered = CheckExecFilter(RootDir() + "/" + handle.id, handle.bundle); !filtered) {
    return Wrap(std::move(filtered).error(), "exec in container {}", handle.id);
  }
  if (observers_ != nullptr) observers_->Exec({handle.id, options.process.args});

  const auto started = base::Now();
  const milliseconds setup_limit = options.setup_deadline.value_or(options_.deadline);
  const auto setup_deadline = started + setup_limit;
  const bool limited = options.timeout.count() > 0;
  const auto deadline = started + options.timeout;

  const ExecScope scope(cgroups_, handle, ExecDir());
  TRY(scope.Make());
  oci::Process process = options.process;
  process.terminal = false;
  const std::string process_file = scope.folder + "/process.json";
  const std::string pid_file = scope.folder + "/pidfile";
  const std::string log = scope.folder + "/log";
  TRY(base::WriteFileAtomic(process_file, oci::ToJson(process).dump(), 0600, base::Lasting::kUntilReboot));

  // Its own bundle folder and no exit folder: an exec's conmon would overwrite the container's sockets and exit code.
  std::vector<std::string> argv = ConmonArguments(handle.id, scope.folder);
  argv.insert(argv.end(),
              {"-u", scope.name, "-n", scope.name, "-p", pid_file, "--socket-dir-path", scope.folder + "/sockets", "-l",
               log, "--log-global-size-max", std::to_string(kMaxExecOutput), "-e", "--sync", "--exec-process-spec",
               process_file, "--runtime-opt", "--cgroup=" + scope.name});
  ASSIGN_OR_RETURN(Conmon conmon, Conmon::Start(std::move(argv), scope.folder, cgroups_, scope.conmon_cgroup));
  TRY(conmon.Release());

  ExecResult result;
  bool running = false;
  bool setup_failed = false;
  Result<SyncMessage> answer = SyncMessage{};
  while (true) {
    running = running || base::Exists(pid_file);
    // A command without a time limit is asked about now and then; the limit only bounds one wait.
    milliseconds wait = running ? milliseconds(std::chrono::minutes(1)) : kSetupPoll;
    const auto now = base::Now();
    if (limited) wait = std::clamp(std::chrono::duration_cast<milliseconds>(deadline - now), milliseconds(0), wait);
    answer = conmon.ReadSync(wait);
    if (answer || answer.error().code != Code::kDeadlineExceeded) break;
    result.timed_out = limited && base::Now() >= deadline;
    setup_failed = !running && base::Now() >= setup_deadline;
    if (result.timed_out || setup_failed) {
      scope.KillAll();
      break;
    }
  }
  if (const auto ended = conmon.WaitLaunched(kKillTimeout); !ended) {
    scope.KillAll();
    if (const auto reaped = conmon.WaitLaunched(kKillTimeout); !reaped) return Failure(reaped.error());
  }
  if (setup_failed && !result.timed_out) {
    return Fail(Code::kDeadlineExceeded,
                "exec in container {} failed: the OCI runtime {} did not run the command within {} ms", handle.id,
                options_.program.name, setup_limit.count());
  }
  if (!result.timed_out) {
    if (!answer) return Wrap(std::move(answer).error(), "exec in container {} failed", handle.id);
    if (answer->exit_code.value_or(-1) < 0) {
      return Fail(Code::kUnknown, "exec in container {} failed: {}", handle.id, CleanRuntimeMessage(answer->message));
    }
  }
  result.exit_code = result.timed_out ? -1 : static_cast<int>(*answer->exit_code);
  // No log: a command that timed out before it ran.
  if (base::Exists(log)) {
    ASSIGN_OR_RETURN(const std::string text, base::ReadFile(log, 2 * kMaxExecOutput));
    SplitLog(text, result);
  }
  return result;
}

}  // namespace portcullis::runtime
