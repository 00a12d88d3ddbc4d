// portcullis record -- CMD
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "base/clock.h"
#include "base/strings.h"
#include "base/try.h"
#include "cli/record/signal_fd.h"
#include "cli/record_verbs.h"
#include "insight/recorder/audit_witness.h"
#include "insight/recorder/command.h"
#include "insight/recorder/ebpf_recorder.h"
#include "insight/recorder/ptrace_recorder.h"

namespace portcullis::cli {
namespace {

using insight::AuditWitness;
using insight::Command;
using insight::EbpfRecorder;

// Milliseconds for poll: -1 without a limit.
int Left(std::chrono::steady_clock::time_point end, bool limited) {
  if (!limited) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - base::Now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 1 << 30));
}

// Ends when the command does, or when the time is over: then with the command still at work.
void AwaitCommand(const Command& command, const SignalFd& signals, std::chrono::nanoseconds time,
                  AuditWitness& witness) {
  const auto end = base::Now() + time;
  for (;;) {
    pollfd fds[3] = {{.fd = command.pidfd(), .events = POLLIN, .revents = 0},
                     {.fd = signals.fd(), .events = POLLIN, .revents = 0},
                     {.fd = witness.fd(), .events = POLLIN, .revents = 0}};
    const int ready = ::poll(fds, 3, Left(end, time.count() > 0));
    if (ready == 0) return;
    if (ready > 0 && fds[2].revents != 0) witness.Read();
    if (ready > 0 && fds[1].revents != 0) {
      // The terminal's signals reach the command by themselves.
      const int signal = signals.Take();
      if (signal == SIGTERM || signal == SIGHUP) ::syscall(SYS_pidfd_send_signal, command.pidfd(), signal, nullptr, 0);
    }
    if (ready > 0 && fds[0].revents != 0) return;
  }
}

Result<RecordOutcome> RecordByEbpf(const RecordFlags& flags, std::unique_ptr<EbpfRecorder> recorder) {
  insight::AuditWitness witness(*recorder);
  ASSIGN_OR_RETURN(const size_t workload, recorder->Add({.command = base::Join(flags.command, " ")}, {}));
  ASSIGN_OR_RETURN(Command command, Command::Prepare(flags.command));
  const SignalFd signals({SIGINT, SIGQUIT, SIGTERM, SIGHUP});
  TRY(recorder->FollowProcess(workload, command.pidfd()));
  RecordOutcome outcome;
  if (auto started = command.Start(); !started) {
    outcome.not_run = std::move(started).error();
    return outcome;
  }
  AwaitCommand(command, signals, flags.time, witness);
  ASSIGN_OR_RETURN(outcome.evidence, recorder->Collect());
  witness.Testify(outcome.evidence);
  int status = 0;
  if (::waitpid(command.pid(), &status, WNOHANG) == 0) {
    AwaitCommand(command, signals, std::chrono::nanoseconds(0), witness);
    ::waitpid(command.pid(), &status, 0);
  } else if (const uint32_t live = recorder->LiveTasks(workload); live > 0) {
    std::fprintf(stderr,
                 "portcullis record: %u threads that the command started live on and are not recorded further\n", live);
  }
  outcome.command_status = insight::ShellStatus(status);
  return outcome;
}

}  // namespace

Result<RecordOutcome> RecordCommand(const RecordFlags& flags) {
  if (flags.recorder != RecorderKind::kPtrace) {
    auto recorder = EbpfRecorder::Open({.max_calls = flags.max_calls, .init_limit = flags.init});
    if (recorder) return RecordByEbpf(flags, std::move(*recorder));
    if (flags.recorder == RecorderKind::kEbpf) return Failure(std::move(recorder).error());
    std::fprintf(stderr, "portcullis record: %s; recording with ptrace\n", recorder.error().message.c_str());
  }
  ASSIGN_OR_RETURN(insight::PtraceOutcome traced,
                   insight::RecordByPtrace(flags.command, {.time = flags.time, .init_limit = flags.init}));
  return RecordOutcome{.evidence = std::move(traced.evidence),
                       .command_status = traced.command_status,
                       .not_run = std::move(traced.not_run)};
}

}  // namespace portcullis::cli
