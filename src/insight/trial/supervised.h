// A command, and all that it starts, under an asking filter (observed_filter.h), with us as its supervisor.
//
//   ASSIGN_OR_RETURN(Supervised run, Supervised::Start({.argv = argv, .profile = filter.program}));
//   while (run.Step(timeout, [&](const AskedCall& call) { return Reply::kAsProfile; })) {}
//   run.exit_code();
//
// Needs Linux 5.6 (pidfd_getfd; the listener itself is 5.0, letting a call through 5.5). Without CAP_SYS_ADMIN the
// command cannot gain privileges (no_new_privs). One thread. Whatever the command leaves running is ended by the
// destructor, which takes every child of this process for the command's: the caller has no others. Source:
// seccomp_unotify(2).
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engine/bpf/program.h"
#include "insight/trial/observed_filter.h"

namespace portcullis::insight {

struct SupervisedOptions {
  std::vector<std::string> argv;
  bpf::Program profile;                                          // the filter whose answers are asked for
  uint32_t flags = 0;                                            // SECCOMP_FILTER_FLAG_* of the profile
  std::vector<std::pair<int, int>> fds{{0, 0}, {1, 1}, {2, 2}};  // ours, number in the command
  // Starts UnderFilterMain in another process, with the command behind it.
  std::vector<std::string> helper{"/proc/self/exe", "__under-filter"};
  std::optional<std::vector<std::string>> env;
};

struct AskedCall {
  bpf::Data data;
  DeniedCase denied;
  uint32_t pid = 0;  // thread
  uint64_t instruction_pointer = 0;
  std::string executable;  // "" when it cannot be read
  std::string comm;
  std::string location;  // "/usr/lib/x.so+0x12ab" of the instruction pointer
};

enum class Reply {
  kAsProfile,  // what the profile's filter would do
  kAllow,      // as if the profile allowed it
};

class Supervised {
 public:
  static Result<Supervised> Start(SupervisedOptions options);
  Supervised(Supervised&&) noexcept;
  Supervised& operator=(Supervised&&) noexcept;
  ~Supervised();

  // Waits at most `timeout` and answers the calls that arrive. False when the command has ended.
  using Decide = std::function<Reply(const AskedCall&)>;
  Result<bool> Step(std::chrono::milliseconds timeout, const Decide& decide);
  // Of the command: its exit code, or 128+signal; nullopt while it runs.
  std::optional<int> exit_code() const;

  // SIGTERM to the command, and SIGKILL to all that is left after `grace`; calls are answered meanwhile.
  Result<void> End(std::chrono::milliseconds grace, const Decide& decide);

 private:
  struct State;
  explicit Supervised(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The other side: takes the filter from descriptor 3, installs it, waits for the supervisor and runs the command.
// Returns only when that fails: the exit code (126, or 127 when there is no such program).
int UnderFilterMain(const std::vector<std::string>& command);

}  // namespace portcullis::insight
