#include "cli/daemon.h"

#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>

#include "base/log.h"

namespace portcullis::cli {
namespace {

sigset_t StopSet() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

void LogFlags::AddTo(CommandLine& line) {
  line.Text("--log-level", &level, "debug, info, warning or error");
  line.Text("--log-format", &format, "text or json");
}

Result<void> LogFlags::Apply() const {
  if (level == "debug") {
    base::SetLogLevel(base::LogLevel::kDebug);
  } else if (level == "info") {
    base::SetLogLevel(base::LogLevel::kInfo);
  } else if (level == "warning") {
    base::SetLogLevel(base::LogLevel::kWarning);
  } else if (level == "error") {
    base::SetLogLevel(base::LogLevel::kError);
  } else {
    return Fail(Code::kInvalidArgument, "--log-level={}: expected debug, info, warning or error", level);
  }
  if (format != "text" && format != "json")
    return Fail(Code::kInvalidArgument, "--log-format={}: expected text or json", format);
  base::SetLogFormat(format == "json" ? base::LogFormat::kJson : base::LogFormat::kText);
  return {};
}

void SetDaemonUmask() { ::umask(S_IWGRP | S_IWOTH); }

void LeaveWithThreadsAtWork() {
  base::LogWarning("calls are still at work; leaving without them");
  std::fflush(stdout);
  std::_Exit(0);
}

StopSignals::StopSignals() {
  const sigset_t set = StopSet();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // A peer that hangs up is an error of that connection, not the end of the process.
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, nullptr);
}

bool StopSignals::Arrived() {
  const sigset_t set = StopSet();
  constexpr timespec kNow{};
  return ::sigtimedwait(&set, nullptr, &kNow) > 0;
}

int StopSignals::Wait() {
  const sigset_t set = StopSet();
  int signal = 0;
  while (sigwait(&set, &signal) != 0) {
  }
  return signal;
}

}  // namespace portcullis::cli
