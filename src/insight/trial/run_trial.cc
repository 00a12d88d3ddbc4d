#include "insight/trial/run_trial.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/clock.h"
#include "base/files.h"
#include "base/spawn.h"
#include "base/try.h"
#include "base/unique_fd.h"

namespace portcullis::insight {
namespace {

constexpr std::chrono::milliseconds kStep{20};
constexpr std::chrono::milliseconds kBetweenHealth{200};
constexpr size_t kOutputTail = 4096;

// Runs the health command beside the program, without waiting for it.
class Health {
 public:
  Health(std::vector<std::string> argv, std::chrono::milliseconds settle) : argv_(std::move(argv)), settle_(settle) {}

  // True: it has succeeded, and again after a while.
  Result<bool> Look() {
    if (argv_.empty()) return false;
    const auto now = base::Now();
    if (!child_) {
      if (now < next_) return false;
      ASSIGN_OR_RETURN(child_, base::Spawn({.argv = argv_, .fds = {{null_.get(), 1}, {null_.get(), 2}}}));
      return false;
    }
    const auto ended = base::Wait(*child_, std::chrono::milliseconds(0));
    if (!ended) return false;
    child_.reset();
    last_ = *ended == 0;
    next_ = now + kBetweenHealth;
    if (!*last_) {
      since_.reset();
      return false;
    }
    if (!since_) since_ = now;
    next_ = std::max(next_, *since_ + settle_);
    return now - *since_ >= settle_;
  }

  // What it said last; false where it has never come to an end.
  std::optional<bool> verdict() const {
    return argv_.empty() ? std::nullopt : std::optional<bool>(last_.value_or(false));
  }

 private:
  std::vector<std::string> argv_;
  std::chrono::milliseconds settle_;
  base::UniqueFd null_{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  std::optional<base::Child> child_;
  std::optional<bool> last_;
  std::optional<std::chrono::steady_clock::time_point> since_;
  std::chrono::steady_clock::time_point next_ = base::Now();
};

std::string TailOf(int fd) {
  const off_t size = ::lseek(fd, 0, SEEK_END);
  if (size <= 0) return "";
  const off_t begin = std::max<off_t>(0, size - static_cast<off_t>(kOutputTail));
  std::string out(static_cast<size_t>(size - begin), '\0');
  const ssize_t got = ::pread(fd, out.data(), out.size(), begin);
  out.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return out;
}

}  // namespace

WhatToDeny DenyNothing() {
  return [](const DeniedCase&) { return false; };
}
WhatToDeny DenyAll() {
  return [](const DeniedCase&) { return true; };
}
WhatToDeny DenyOnly(const DeniedCase& denied) {
  return [denied](const DeniedCase& one) { return one == denied; };
}

Result<RunOutcome> RunTrial(const TrialOptions& options, const WhatToDeny& deny, Denials* seen) {
  RunOutcome outcome;
  const base::UniqueFd output(::memfd_create("output", MFD_CLOEXEC));
  if (!output.valid()) return FailErrno(errno, "make a place for the program's output");
  const base::UniqueFd input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ASSIGN_OR_RETURN(Supervised run, Supervised::Start({.argv = options.argv,
                                                      .profile = options.profile,
                                                      .flags = options.flags,
                                                      .fds = {{input.get(), 0}, {output.get(), 1}, {output.get(), 2}},
                                                      .helper = options.helper,
                                                      .env = options.env}));
  const auto decide = [&](const AskedCall& call) {
    const bool denies =
        call.denied.answer.result != CallResult::kAllowed && call.denied.answer.result != CallResult::kLogged;
    if (denies && seen != nullptr) AddDenial(*seen, call.denied, call.executable, call.location);
    if (!denies || !deny(call.denied)) return Reply::kAllow;
    AddDenial(outcome.denials, call.denied, call.executable, call.location);
    return Reply::kAsProfile;
  };
  Health health(options.health, options.settle);
  const auto deadline = base::Now() + options.time;
  while (base::Now() < deadline) {
    if (options.stop && options.stop()) return Fail(Code::kCancelled, "interrupted");
    ASSIGN_OR_RETURN(const bool runs, run.Step(kStep, decide));
    if (!runs) break;
    ASSIGN_OR_RETURN(const bool healthy, health.Look());
    if (healthy) break;
  }
  outcome.exit_code = run.exit_code();
  outcome.healthy = health.verdict();
  TRY(run.End(options.grace, decide));
  outcome.output = TailOf(output.get());
  return outcome;
}

}  // namespace portcullis::insight
