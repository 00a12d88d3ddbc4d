#include "runtime/container/oci_runtime.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/document.h"
#include "base/files.h"
#include "base/log.h"
#include "base/spawn.h"
#include "base/strings.h"
#include "base/try.h"
#include "host/proc/process.h"
#include "runtime/container/runtime_message.h"

namespace portcullis::runtime {

using std::chrono::milliseconds;

// Which file a process runs: it changes at execve.
struct ProgramFile {
  pid_t pid = -1;
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const ProgramFile&) const = default;
};

namespace {

constexpr milliseconds kKillTimeout = std::chrono::seconds(10);
constexpr milliseconds kConmonGrace = std::chrono::seconds(2);
constexpr size_t kMaxId = 128;
constexpr int kSeccompFilter = 2;  // SECCOMP_MODE_FILTER, as /proc/PID/status shows it

Result<void> CheckHandle(const ContainerHandle& handle) {
  // The first character is no dash: an id must not read as an option.
  const bool good = !handle.id.empty() && handle.id.size() <= kMaxId && handle.id[0] != '-' &&
                    std::all_of(handle.id.begin(), handle.id.end(),
                                [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; });
  if (!good)
    return Fail(Code::kInvalidArgument, "container id {}: want letters, digits, - and _", base::Quote(handle.id));
  if (!handle.cgroup_parent.starts_with('/') || handle.cgroup_parent.size() < 2) {
    return Fail(Code::kInvalidArgument, "container {}: cgroup parent {} is not absolute", handle.id,
                base::Quote(handle.cgroup_parent));
  }
  return {};
}

milliseconds Left(std::chrono::steady_clock::time_point deadline) {
  return std::max(milliseconds(0), std::chrono::duration_cast<milliseconds>(deadline - base::Now()));
}

std::optional<pid_t> ReadPidFile(const std::string& path) {
  const auto text = base::ReadFile(path, 64);
  const std::optional<uint64_t> pid = text ? base::ParseUint(base::Trim(*text)) : std::nullopt;
  if (!pid || *pid == 0 || *pid > (1u << 30)) return std::nullopt;
  return static_cast<pid_t>(*pid);
}

// nullopt when the process has ended.
std::optional<ProgramFile> ProgramOf(pid_t pid) {
  struct stat info{};
  if (::stat(fmt::format("/proc/{}/exe", pid).c_str(), &info) != 0) return std::nullopt;
  return ProgramFile{pid, info.st_dev, info.st_ino};
}

std::optional<ContainerStatus> ParseStatus(const std::string& text) {
  if (text == "creating") return ContainerStatus::kCreating;
  if (text == "created") return ContainerStatus::kCreated;
  if (text == "running") return ContainerStatus::kRunning;
  if (text == "stopped") return ContainerStatus::kStopped;
  if (text == "paused") return ContainerStatus::kPaused;
  return std::nullopt;
}

void RemoveFile(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    base::LogWarning("a file stays behind", {{"path", path}, {"error", ErrnoText(errno)}});
  }
}

void LogProblem(const Result<void>& result, const std::string& id) {
  if (!result)
    base::LogWarning("cleaning up after a container failed", {{"container", id}, {"error", result.error().message}});
}

}  // namespace

OciRuntime::OciRuntime(OciRuntimeOptions options, Cgroups cgroups, ObserverList* observers)
    : options_(std::move(options)), cgroups_(std::move(cgroups)), observers_(observers) {}

Result<void> OciRuntime::Prepare() const {
  TRY(EndStaleExecs());
  for (const std::string& directory : {RootDir(), ExitDir(), AttachDir(), ExecDir()})
    TRY(base::MakeDirs(directory, 0700));
  return {};
}

Result<std::string> OciRuntime::Run(const std::string& what, const std::vector<std::string>& arguments,
                                    std::string input, std::function<void()> on_timeout) const {
  base::CommandOptions command;
  command.spawn.argv = {options_.program.path, "--root=" + RootDir()};
  command.spawn.argv.insert(command.spawn.argv.end(), arguments.begin(), arguments.end());
  command.input = std::move(input);
  command.timeout = options_.deadline;
  command.on_timeout = std::move(on_timeout);
  Result<base::CommandResult> result = base::RunCommand(command);
  if (!result && result.error().code == Code::kDeadlineExceeded) {
    return Fail(Code::kDeadlineExceeded, "container {} failed: the OCI runtime {} did not finish within {} ms", what,
                options_.program.name, options_.deadline.count());
  }
  if (!result) return Wrap(std::move(result).error(), "container {} failed", what);
  if (result->exit_code != 0) {
    const std::string reason = CleanRuntimeMessage(result->err);
    const bool absent = reason.find("does not exist") != std::string::npos;
    return Fail(absent ? Code::kNotFound : Code::kUnknown, "container {} failed: {}", what, reason);
  }
  return std::move(result->out);
}

std::vector<std::string> OciRuntime::ConmonArguments(const std::string& id, const std::string& bundle) const {
  return {options_.conmon_path,  "-b",          bundle,   "-c", id, "-r", options_.program.path, "--runtime-arg",
          "--root=" + RootDir(), "--log-level", "warning"};
}

Result<CreatedContainer> OciRuntime::Create(const ContainerHandle& handle, const CreateOptions& options,
                                            std::optional<Conmon> monitor) const {
  TRY(CheckHandle(handle));
  if (base::Exists(RootDir() + "/" + handle.id))
    return Fail(Code::kAlreadyExists, "container {} already exists", handle.id);
  Result<CreatedContainer> created = TryCreate(handle, options, std::move(monitor));
  if (!created) {
    Abandon(handle);
    return created;
  }
  if (observers_ != nullptr) {
    observers_->Created(
        {handle.id, options.name, handle.bundle, created->pid, handle.Cgroup(), cgroups_.CgroupId(handle.Cgroup())});
  }
  return created;
}

Result<Conmon> OciRuntime::StartMonitor(const ContainerHandle& handle, const CreateOptions& options) const {
  TRY(CheckHandle(handle));
  RemoveFile(ExitDir() + "/" + handle.id);
  std::vector<std::string> argv = ConmonArguments(handle.id, handle.bundle);
  argv.insert(argv.end(), {"-u", handle.id, "-n", options.name.empty() ? handle.id : options.name, "-p",
                           handle.bundle + "/pidfile", "-P", handle.bundle + "/conmon.pid", "--exit-dir", ExitDir(),
                           "--persist-dir", handle.bundle, "--socket-dir-path", AttachDir(), "-l", options.log_path});
  if (handle.InSlice()) argv.emplace_back("--systemd-cgroup");
  if (options.tty) argv.emplace_back("-t");
  if (options.stdin_open) {
    argv.emplace_back("-i");
    if (!options.stdin_once) argv.emplace_back("--leave-stdin-open");
  }
  return Conmon::Start(std::move(argv), handle.bundle, cgroups_, handle.ConmonCgroup());
}

Result<CreatedContainer> OciRuntime::TryCreate(const ContainerHandle& handle, const CreateOptions& options,
                                               std::optional<Conmon> monitor) const {
  const auto limit = options.deadline.value_or(options_.deadline);
  const auto deadline = base::Now() + limit;
  if (!monitor) {
    ASSIGN_OR_RETURN(Conmon started, StartMonitor(handle, options));
    monitor.emplace(std::move(started));
  }
  Conmon& conmon = *monitor;
  TRY(conmon.Release());
  Result<int> launched = conmon.WaitLaunched(Left(deadline));
  Result<SyncMessage> answer =
      launched ? conmon.ReadSync(Left(deadline)) : Result<SyncMessage>(Failure(launched.error()));
  if (!answer && answer.error().code == Code::kDeadlineExceeded) {
    if (!launched) {
      LogProblem(cgroups_.KillAll(handle.ConmonCgroup(), kKillTimeout), handle.id);
      if (const auto reaped = conmon.WaitLaunched(kKillTimeout); !reaped) return Failure(reaped.error());
    }
    return Fail(Code::kDeadlineExceeded, "container create failed: the OCI runtime {} did not finish within {} ms",
                options_.program.name, limit.count());
  }
  if (!answer) return Wrap(std::move(answer).error(), "container create failed");
  if (answer->pid.value_or(-1) <= 0) {
    return Fail(Code::kUnknown, "container create failed: {}", CleanRuntimeMessage(answer->message));
  }
  const CreatedContainer created{static_cast<pid_t>(*answer->pid),
                                 ReadPidFile(handle.bundle + "/conmon.pid").value_or(-1)};
  if (cgroups_.layout() == CgroupLayout::kHybrid) {
    // Not every OCI runtime moves the process in the empty v2 hierarchy: it would stay in conmon's cgroup there.
    TRY(cgroups_.Create(handle.Cgroup()));
    TRY(cgroups_.AddProcess(handle.Cgroup(), created.pid));
  }
  return created;
}

Result<void> OciRuntime::Start(const ContainerHandle& handle, Filter filter) const {
  TRY(CheckHandle(handle));
  const std::optional<pid_t> pid = ReadPidFile(handle.bundle + "/pidfile");
  const base::UniqueFd pidfd(pid ? static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)) : -1);
  const bool has_ended = pid && !pidfd.valid() && errno == ESRCH;
  const std::optional<ProgramFile> before = pidfd.valid() ? ProgramOf(*pid) : std::nullopt;
  if (filter == Filter::kWanted && !before && !has_ended) {
    return Fail(Code::kInternal, "container start failed: whether its filter is on could not be seen: {}",
                pid ? "its process cannot be watched" : "there is no pidfile");
  }
  TRY(Run("start", {"start", handle.id}, {}, [&] { Abandon(handle); }));
  if (!before) return {};
  TRY(AwaitProgram(handle, *before, pidfd.get()));
  if (filter == Filter::kNone) return {};
  auto filtered = CheckFilter(handle, *pid, pidfd.get());
  if (!filtered) Abandon(handle);
  return filtered;
}

Result<void> OciRuntime::CheckFilter(const ContainerHandle& handle, pid_t pid, int pidfd) const {
  const auto process = host::ReadStatus(pid);
  // A process that has ended needs none; what was read is its own if it lives on.
  pollfd fd{pidfd, POLLIN, 0};
  if (::poll(&fd, 1, 0) > 0) return {};
  if (!process) return Wrap(process.error(), "container start failed: look for its filter");
  // Filters of whoever started this daemon are on every process below it. Before 5.9 the kernel does not count them.
  const auto conmon = ReadPidFile(handle.bundle + "/conmon.pid");
  const auto monitor = conmon ? host::ReadStatus(*conmon) : Fail(Code::kNotFound, "no monitor");
  const int inherited = monitor ? monitor->seccomp_filters.value_or(0) : 0;
  const bool on_top = !process->seccomp_filters || *process->seccomp_filters > inherited;
  if (process->seccomp_mode == kSeccompFilter && on_top) return {};
  return Fail(
      Code::kInternal,
      "container start failed: the OCI runtime {} did not install the seccomp filter, so the container was ended",
      options_.program.name);
}

// `start` returns while the container's first process still sets itself up: with noNewPrivileges its filter is compiled
// only now, by a library that may spin for ever. Once another program runs in it, the filter is on.
Result<void> OciRuntime::AwaitProgram(const ContainerHandle& handle, const ProgramFile& before, int pidfd) const {
  const auto deadline = base::Now() + options_.deadline;
  constexpr int64_t kMostMicros = 50'000;
  for (int64_t micros = 200;; micros = std::min(micros * 2, kMostMicros)) {
    if (ProgramOf(before.pid) != before) return {};
    pollfd fd{pidfd, POLLIN, 0};
    const timespec pause{.tv_sec = 0, .tv_nsec = micros * 1000};
    if (::ppoll(&fd, 1, &pause, nullptr) > 0) return {};
    if (base::Now() >= deadline) {
      Abandon(handle);
      return Fail(Code::kDeadlineExceeded,
                  "container start failed: the OCI runtime {} did not run the command within {} ms",
                  options_.program.name, options_.deadline.count());
    }
  }
}

Result<ContainerState> OciRuntime::State(const ContainerHandle& handle) const {
  TRY(CheckHandle(handle));
  if (!base::Exists(RootDir() + "/" + handle.id))
    return Fail(Code::kNotFound, "container {} does not exist", handle.id);
  ASSIGN_OR_RETURN(const std::string text, Run("state", {"state", handle.id}));
  ASSIGN_OR_RETURN(const nlohmann::json json, base::ParseJson(text, "state of container " + handle.id));
  const auto string = [&](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const std::optional<ContainerStatus> status = json.is_object() ? ParseStatus(string("status")) : std::nullopt;
  if (!status)
    return Fail(Code::kDataLoss, "state of container {}: unknown status in {}", handle.id, base::Quote(text));
  ContainerState state;
  state.status = *status;
  state.bundle = string("bundle");
  if (const auto pid = json.find("pid"); pid != json.end() && pid->is_number_unsigned()) state.pid = pid->get<pid_t>();
  return state;
}

// What crun and runc keep of a container is a folder: nothing outside of this host's kernel hangs on it, and no hook is
// ever in a spec of ours. Another OCI runtime is asked for everything.
bool OciRuntime::KeepsOnlyAFolder() const { return options_.program.name == "crun" || options_.program.name == "runc"; }

bool OciRuntime::SignalFirst(const ContainerHandle& handle, int signal) const {
  const std::optional<pid_t> pid = KeepsOnlyAFolder() ? ReadPidFile(handle.bundle + "/pidfile") : std::nullopt;
  if (!pid) return false;
  const base::UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
  // Looked up after the descriptor is held: what is in the container's cgroup by that pid is the container's.
  const std::vector<pid_t> inside = cgroups_.Processes(handle.Cgroup());
  return pidfd.valid() && std::binary_search(inside.begin(), inside.end(), *pid) &&
         ::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) == 0;
}

bool OciRuntime::HasEnded(const ContainerHandle& handle) const {
  if (!KeepsOnlyAFolder() || !cgroups_.Processes(handle.Cgroup()).empty()) return false;
  const std::optional<pid_t> pid = ReadPidFile(handle.bundle + "/pidfile");
  if (!pid) return false;
  const auto process = host::ReadStat(*pid);
  // Somebody may have moved it out of its cgroup. Or the pid is another's: then the OCI runtime tells them apart.
  return process ? process->state == 'Z' || process->state == 'X' : process.error().code == Code::kNotFound;
}

Result<void> OciRuntime::Kill(const ContainerHandle& handle, int signal, bool all) const {
  TRY(CheckHandle(handle));
  if (!all && SignalFirst(handle, signal)) return {};
  std::vector<std::string> arguments = {"kill"};
  if (all) arguments.emplace_back("--all");
  arguments.insert(arguments.end(), {handle.id, std::to_string(signal)});
  const Result<std::string> killed = Run("kill", arguments);
  if (killed) return {};
  const Result<ContainerState> state = State(handle);
  if (state && state->status == ContainerStatus::kStopped) return {};
  if (!state && state.error().code == Code::kNotFound) return Failure(state.error());
  return Failure(killed.error());
}

Result<void> OciRuntime::Delete(const ContainerHandle& handle, bool force) const {
  TRY(CheckHandle(handle));
  if (base::Exists(RootDir() + "/" + handle.id) && !HasEnded(handle)) {
    std::vector<std::string> arguments = {"delete"};
    if (force) arguments.emplace_back("--force");
    arguments.push_back(handle.id);
    const Result<std::string> deleted =
        Run("delete", arguments, {}, [&] { LogProblem(cgroups_.KillAll(handle.Cgroup(), kKillTimeout), handle.id); });
    if (!deleted && deleted.error().code != Code::kNotFound) {
      // A folder without a state in it is what a crash in the midst of `create` leaves.
      if (!force) return Failure(deleted.error());
      TRY(cgroups_.KillAll(handle.Cgroup(), kKillTimeout));
    }
  }
  return CleanUp(handle);
}

Result<void> OciRuntime::CleanUp(const ContainerHandle& handle) const {
  TRY(cgroups_.Destroy(handle.Cgroup(), kKillTimeout));
  // conmon ends by itself once it has written the last of the log.
  const auto grace = base::Now() + kConmonGrace;
  for (const pid_t pid : cgroups_.Processes(handle.ConmonCgroup())) {
    const base::UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    pollfd fd{pidfd.get(), POLLIN, 0};
    if (pidfd.valid()) ::poll(&fd, 1, static_cast<int>(Left(grace).count()));
  }
  TRY(cgroups_.Destroy(handle.ConmonCgroup(), kKillTimeout));
  // A create that was still at work in conmon's cgroup may have made the container's anew.
  TRY(cgroups_.Destroy(handle.Cgroup(), kKillTimeout));
  TRY(base::RemoveTree(RootDir() + "/" + handle.id));
  RemoveFile(AttachDir() + "/" + handle.id);
  RemoveFile(ExitDir() + "/" + handle.id);
  for (const char* file : {"/attach", "/ctl", "/winsz", "/pidfile", "/conmon.pid"}) RemoveFile(handle.bundle + file);
  return {};
}

void OciRuntime::Abandon(const ContainerHandle& handle) const {
  // conmon's cgroup holds the OCI runtime at work: it goes first, so that nothing new is made behind our back.
  LogProblem(cgroups_.KillAll(handle.ConmonCgroup(), kKillTimeout), handle.id);
  LogProblem(cgroups_.KillAll(handle.Cgroup(), kKillTimeout), handle.id);
  LogProblem(Delete(handle, /*force=*/true), handle.id);
}

Result<void> OciRuntime::Update(const ContainerHandle& handle, const oci::Resources& resources) const {
  TRY(CheckHandle(handle));
  TRY(Run("update", {"update", "-r", "-", handle.id}, oci::ToJson(resources).dump()));
  return {};
}

Result<base::UniqueFd> OciRuntime::OpenControl(const ContainerHandle& handle, const std::string& what) const {
  const std::string fifo = handle.bundle + "/ctl";
  base::UniqueFd ctl(::open(fifo.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  if (!ctl.valid() && (errno == ENXIO || errno == ENOENT)) {
    return Fail(Code::kFailedPrecondition, "{}: it has no running monitor", what);
  }
  if (!ctl.valid()) return FailErrno(errno, "{}: open {}", what, fifo);
  return ctl;
}

Result<void> OciRuntime::ResizeTerminal(const ContainerHandle& handle, TerminalSize size) const {
  TRY(CheckHandle(handle));
  const std::string what = "resize the terminal of container " + handle.id;
  ASSIGN_OR_RETURN(const base::UniqueFd ctl, OpenControl(handle, what));
  const std::string line = fmt::format("1 {} {}\n", size.rows, size.columns);
  if (::write(ctl.get(), line.data(), line.size()) < 0) return FailErrno(errno, "{}", what);
  return {};
}

Result<void> OciRuntime::ReopenLog(const ContainerHandle& handle, const std::string& log_path) const {
  TRY(CheckHandle(handle));
  constexpr milliseconds kLimit = std::chrono::seconds(10);
  const auto deadline = base::Now() + std::min(kLimit, options_.deadline);
  const base::UniqueFd watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  const std::string folder = log_path.substr(0, log_path.rfind('/') + 1);
  if (!watch.valid() || ::inotify_add_watch(watch.get(), folder.c_str(), IN_CREATE | IN_MOVED_TO) < 0) {
    return FailErrno(errno, "reopen log of container {}: watch {}", handle.id, folder);
  }
  ASSIGN_OR_RETURN(const base::UniqueFd ctl, OpenControl(handle, "reopen log of container " + handle.id));
  constexpr std::string_view kReopen = "2 0 0\n";
  if (::write(ctl.get(), kReopen.data(), kReopen.size()) < 0)
    return FailErrno(errno, "reopen log of container {}", handle.id);
  while (!base::Exists(log_path)) {
    pollfd fd{watch.get(), POLLIN, 0};
    const int ready = ::poll(&fd, 1, static_cast<int>(Left(deadline).count()));
    if (ready == 0)
      return Fail(Code::kDeadlineExceeded, "reopen log of container {}: {} did not appear", handle.id, log_path);
    char buffer[4096];
    while (::read(watch.get(), buffer, sizeof buffer) > 0) {
    }
  }
  return {};
}

Result<std::vector<std::string>> OciRuntime::List() const {
  ASSIGN_OR_RETURN(std::vector<std::string> names, base::ListDir(RootDir()));
  std::erase_if(names, [](const std::string& name) { return name.starts_with('.'); });  // crun's cache
  return names;
}

Result<OciRuntime::Version> OciRuntime::RuntimeVersion() const {
  ASSIGN_OR_RETURN(const std::string text, Run("runtime version", {"--version"}));
  const std::vector<std::string> words = base::Split(std::string_view(text).substr(0, text.find('\n')), ' ');
  if (words.size() < 3 || words[1] != "version") {
    return Fail(Code::kDataLoss, "version of {}: cannot read {}", options_.program.path, base::Quote(text));
  }
  return Version{words[0], words[2]};
}

}  // namespace portcullis::runtime
