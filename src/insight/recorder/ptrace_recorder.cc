#include "insight/recorder/ptrace_recorder.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <map>

#include "base/clock.h"
#include "base/strings.h"
#include "base/try.h"
#include "engine/syscalls/syscalls.h"
#include "host/proc/process.h"
#include "insight/recorder/call_table.h"
#include "insight/recorder/command.h"

namespace portcullis::insight {
namespace {

constexpr long kOptions = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                          PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
constexpr int kSyscallStop = SIGTRAP | 0x80;
constexpr int kCodeSeccomp = 1;  // SYS_SECCOMP
constexpr int kLastKernelError = 4095;
constexpr int kFirstRestart = 512;  // ERESTARTSYS to ERESTART_RESTARTBLOCK: the call is made anew
constexpr int kLastRestart = 516;

using SyscallStop = __ptrace_syscall_info;  // a seccomp stop has number and arguments where an entry has them
// The command, which signals that end a program are passed on to.
volatile sig_atomic_t passed_on_to = 0;

void PassOn(int signal) {
  const int before = errno;
  if (passed_on_to > 0) ::kill(passed_on_to, signal);
  errno = before;
}

using Table = std::array<rec_call_info, REC_MAX_NUMBERS>;

// In the child: every call stops it. 0 or an errno.
int TraceEveryCall() {
  sock_filter instruction = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
  const sock_fprog program{.len = 1, .filter = &instruction};
  const auto load = [&] { return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program); };
  if (load() == 0) return 0;
  if (errno != EACCES || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  return load() == 0 ? 0 : errno;
}

bool Catches(pid_t tid, int signal) {
  const auto status = host::ReadStatus(tid);
  return status && (status->caught_signals >> (signal - 1) & 1) != 0;
}

// 0: not known.
pid_t ProcessOf(pid_t tid) {
  const auto status = host::ReadStatus(tid);
  return status ? status->tgid.value_or(0) : 0;
}

struct Task {
  pid_t tgid = 0;
  std::string executable;
  std::string comm;
  bool has_own_filter = false;   // another than ours may deny: stop at each entry
  bool running_program = false;  // after the first execve of the command
  bool at_entry = false;         // an entry stop came, and no seccomp stop since
  std::optional<Call> call;      // at work, not counted yet; denied if at_entry
  uint64_t address = 0;
  int64_t started = 0;
  bool loads_filter = false;   // the call at work
  bool may_be_killed = false;  // SIGSYS of seccomp: `call` waits for what follows
};

class Tracer {
 public:
  explicit Tracer(const PtraceOptions& options) : options_(options) {}

  Result<PtraceOutcome> Run(const std::vector<std::string>& argv) {
    TRY(FillCallTable(syscalls::NativeArch(), native_));
    if (const auto compat = CompatOf(syscalls::NativeArch())) TRY(FillCallTable(*compat, compat_));
    outcome_.evidence.source = "ptrace";
    workload_ = outcome_.evidence.AddWorkload({.command = base::Join(argv, " ")});
    ASSIGN_OR_RETURN(Command command, Command::Prepare(argv, TraceEveryCall));
    first_ = command.pid();
    if (::ptrace(PTRACE_SEIZE, first_, nullptr, kOptions) != 0) return FailErrno(errno, "trace {}", argv[0]);
    initial_filters_ = Filters(first_);
    tasks_[first_].tgid = first_;
    // The terminal's signals are for the command; ours are ignored meanwhile.
    struct sigaction ignore = {};
    ignore.sa_handler = SIG_IGN;
    for (const int signal : {SIGINT, SIGQUIT}) ::sigaction(signal, &ignore, nullptr);
    struct sigaction pass_on = {};
    pass_on.sa_handler = PassOn;
    passed_on_to = first_;
    for (const int signal : {SIGTERM, SIGHUP}) ::sigaction(signal, &pass_on, nullptr);
    TRY(command.Release());
    began_ = base::NowUnixNanos();
    while (Step()) {
    }
    for (auto& [tid, task] : tasks_) Finish(task);
    if (auto started = command.StartError(); !started) outcome_.not_run = std::move(started).error();
    if (sets_no_new_privs_) {
      outcome_.evidence.completeness.unseen.insert("what set-user-ID programs do with the rights they lack here");
    }
    outcome_.evidence.completeness.unseen.insert("which allowed calls a filter only logs (SCMP_ACT_LOG)");
    return std::move(outcome_);
  }

 private:
  static int Filters(pid_t tid) {
    const auto status = host::ReadStatus(tid);
    return status ? status->seccomp_filters.value_or(-1) : -1;
  }

  // False when the last traced task is gone.
  bool Step() {
    int status = 0;
    const pid_t tid = ::waitpid(-1, &status, __WALL);
    if (tid < 0) return errno == EINTR;
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      End(tid, status);
      return true;
    }
    if (!WIFSTOPPED(status)) return true;
    Task& task = TaskOf(tid);
    const int signal = WSTOPSIG(status);
    const int event = status >> 16;
    if (event == PTRACE_EVENT_SECCOMP || signal == kSyscallStop) {
      TakeSyscallStop(task, tid);
      Resume(task, tid, 0);
    } else if (event == PTRACE_EVENT_STOP) {
      const bool is_group_stop = signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
      if (is_group_stop) {
        ::ptrace(PTRACE_LISTEN, tid, nullptr, 0);
      } else {
        Resume(task, tid, 0);
      }
    } else if (event == PTRACE_EVENT_EXEC) {
      TakeExec(tid);
      Resume(TaskOf(tid), tid, 0);
    } else if (event != 0) {
      TakeNewTask(task, tid);
      Resume(task, tid, 0);
    } else {
      TakeSignal(task, tid, signal);
      Resume(task, tid, signal);
    }
    return true;
  }

  void Resume(const Task& task, pid_t tid, int signal) {
    // While a call is at work its exit is of interest; else only where our filter does not speak first.
    const bool stop_at_call = task.call.has_value() || task.has_own_filter;
    const auto request = stop_at_call ? PTRACE_SYSCALL : PTRACE_CONT;
    ::ptrace(request, tid, nullptr, signal);  // it may have been killed: waitpid tells
  }

  Task& TaskOf(pid_t tid) {
    const auto [entry, is_new] = tasks_.try_emplace(tid);
    if (!is_new) return entry->second;
    // A new task may stop before its parent says that it made one.
    Task& task = entry->second;
    const pid_t process = ProcessOf(tid);
    task.tgid = process == 0 ? tid : process;
    task.running_program = true;
    task.has_own_filter = any_filter_ && (initial_filters_ < 0 || Filters(tid) > initial_filters_ + 1);
    ReadProgram(task, tid);
    return task;
  }

  static void ReadProgram(Task& task, pid_t tid) {
    task.executable = host::ReadExecutable(tid);
    task.comm = host::ReadComm(tid);
  }

  void TakeNewTask(const Task& parent, pid_t parent_tid) {
    unsigned long child = 0;
    if (::ptrace(PTRACE_GETEVENTMSG, parent_tid, nullptr, &child) != 0) return;
    const auto [entry, is_new] = tasks_.try_emplace(static_cast<pid_t>(child));
    if (!is_new) return;
    const bool has_own_filter = parent.has_own_filter;
    entry->second.executable = parent.executable;
    entry->second.comm = parent.comm;
    entry->second.running_program = true;
    entry->second.has_own_filter = has_own_filter;
    const pid_t process = ProcessOf(static_cast<pid_t>(child));
    entry->second.tgid = process == 0 ? static_cast<pid_t>(child) : process;
  }

  void TakeExec(pid_t tid) {
    unsigned long former = 0;
    if (::ptrace(PTRACE_GETEVENTMSG, tid, nullptr, &former) == 0 && static_cast<pid_t>(former) != tid) {
      // Another thread called execve and is the process now.
      if (const auto thread = tasks_.find(static_cast<pid_t>(former)); thread != tasks_.end()) {
        Task moved = std::move(thread->second);
        tasks_.erase(thread);
        tasks_[tid] = std::move(moved);
      }
    }
    Task& task = TaskOf(tid);
    task.tgid = tid;
    if (!task.running_program) {
      task.running_program = true;
      program_began_ = base::NowUnixNanos();
      sets_no_new_privs_ = StatusOf(tid)["NoNewPrivs"] == "1";
    }
    ReadProgram(task, tid);
  }

  void TakeSyscallStop(Task& task, pid_t tid) {
    SyscallStop stop = {};
    if (::ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(stop), &stop) <= 0) return;
    if (stop.op == PTRACE_SYSCALL_INFO_EXIT) {
      TakeExit(task, tid, stop);
      return;
    }
    const bool is_entry = stop.op == PTRACE_SYSCALL_INFO_ENTRY;
    if (!is_entry && stop.op != PTRACE_SYSCALL_INFO_SECCOMP) return;
    if (is_entry || !task.at_entry) Begin(task, stop);
    task.at_entry = is_entry;
  }

  void Begin(Task& task, const SyscallStop& stop) {
    Finish(task);  // the one before had no exit that was seen
    Call call;
    call.workload = workload_;
    call.executable = task.executable;
    call.comm = task.comm;
    call.audit_arch = stop.arch;
    call.number = static_cast<uint32_t>(stop.entry.nr);
    const bool is_native = stop.arch == syscalls::InfoOf(syscalls::NativeArch()).audit_arch;
    const uint32_t row = call.number & ~syscalls::kX32Bit;
    const rec_call_info info = row < REC_MAX_NUMBERS ? (is_native ? native_ : compat_)[row] : rec_call_info{};
    for (int i = 0; i < 6; ++i) {
      if ((info.args & 1U << i) != 0) call.arguments.push_back({i, stop.entry.args[i]});
    }
    call.phase = PhaseNow(task);
    call.result = CallResult::kAllowed;
    if ((info.kind & REC_CALL_LISTENS) != 0) listens_ = true;
    if ((info.kind & REC_CALL_WAITS) != 0 && listens_) serving_ = true;
    task.loads_filter = LoadsFilter(stop, is_native);
    task.call = std::move(call);
    task.address = stop.instruction_pointer;
    task.started = base::NowUnixNanos();
  }

  bool LoadsFilter(const SyscallStop& stop, bool is_native) const {
    const auto arch = is_native ? syscalls::NativeArch() : CompatOf(syscalls::NativeArch());
    const auto name = arch ? syscalls::NameOf(*arch, static_cast<uint32_t>(stop.entry.nr)) : std::nullopt;
    return name && (*name == "seccomp" || (*name == "prctl" && stop.entry.args[0] == PR_SET_SECCOMP));
  }

  Phase PhaseNow(const Task& task) const {
    if (!task.running_program) return Phase::kRuntimeStart;
    if (stopping_) return Phase::kShutdown;
    const bool is_late = base::NowUnixNanos() - program_began_ > options_.init_limit.count();
    return serving_ || is_late ? Phase::kServing : Phase::kInit;
  }

  void TakeExit(Task& task, pid_t tid, const SyscallStop& stop) {
    if (!task.call) return;
    const bool is_failed = stop.exit.is_error != 0;
    const auto error = is_failed ? static_cast<int>(-stop.exit.rval) : 0;
    if (error >= 0 && error <= kLastKernelError) {
      task.call->error = error >= kFirstRestart && error <= kLastRestart ? EINTR : error;
    }
    if (task.at_entry) {
      // Denied by another filter than ours. The number as the value: it was rolled back, and SIGSYS follows.
      task.call->result = is_failed || stop.exit.rval == 0 ? CallResult::kErrno : CallResult::kNotify;
      task.may_be_killed = !is_failed && static_cast<uint64_t>(stop.exit.rval) == task.call->number;
      if (task.may_be_killed) return;
    }
    if (task.loads_filter && !is_failed) {
      any_filter_ = true;
      for (auto& [other, state] : tasks_) {
        if (state.tgid == task.tgid || other == tid) state.has_own_filter = true;
      }
    }
    Finish(task);
  }

  void TakeSignal(Task& task, pid_t tid, int signal) {
    siginfo_t info = {};
    const bool known = ::ptrace(PTRACE_GETSIGINFO, tid, nullptr, &info) == 0;
    if (signal == SIGSYS && known && info.si_code == kCodeSeccomp && task.call) {
      task.call->result = Catches(tid, SIGSYS) ? CallResult::kTrap : CallResult::kKillProcess;
      task.call->error = 0;
      Finish(task);
    }
    const bool stops = signal == SIGTERM || signal == SIGINT || signal == SIGQUIT;
    if (stops && task.tgid == first_) stopping_ = true;
  }

  void End(pid_t tid, int status) {
    if (const auto found = tasks_.find(tid); found != tasks_.end()) {
      Task& task = found->second;
      // An entry and no seccomp stop: killed, as a process, or as one thread, which then has no exit of the call.
      if (task.call && task.at_entry && WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) {
        task.call->result = task.may_be_killed ? CallResult::kKillProcess : CallResult::kKillThread;
      }
      Finish(task);
      tasks_.erase(found);
    }
    if (tid == first_) passed_on_to = 0;
    if (tid == first_) outcome_.command_status = ShellStatus(status);
  }

  // Counts the call that is at work.
  void Finish(Task& task) {
    if (!task.call) return;
    const bool is_late = options_.time.count() > 0 && task.started - began_ > options_.time.count();
    if (!is_late) {
      outcome_.evidence.Add(*std::move(task.call),
                            {.count = 1, .first = task.started, .last = task.started, .address = task.address});
    }
    task.call.reset();
    task.at_entry = false;
    task.may_be_killed = false;
    task.loads_filter = false;
  }

  const PtraceOptions& options_;
  PtraceOutcome outcome_;
  Table native_ = {};
  Table compat_ = {};
  size_t workload_ = 0;
  pid_t first_ = -1;
  int initial_filters_ = -1;
  bool any_filter_ = false;
  bool listens_ = false;
  bool serving_ = false;
  bool stopping_ = false;
  bool sets_no_new_privs_ = false;
  int64_t began_ = 0;
  int64_t program_began_ = 0;
  std::map<pid_t, Task> tasks_;
};

}  // namespace

Result<PtraceOutcome> RecordByPtrace(const std::vector<std::string>& argv, const PtraceOptions& options) {
  return Tracer(options).Run(argv);
}

}  // namespace portcullis::insight
