#include "runtime/service/signals.h"

#include <array>
#include <cctype>
#include <csignal>

#include "base/strings.h"

namespace portcullis::runtime {
namespace {

struct NamedSignal {
  std::string_view name;
  int number;
};

constexpr std::array kSignals = {
    NamedSignal{"ABRT", SIGABRT},     NamedSignal{"ALRM", SIGALRM},     NamedSignal{"BUS", SIGBUS},
    NamedSignal{"CHLD", SIGCHLD},     NamedSignal{"CLD", SIGCHLD},      NamedSignal{"CONT", SIGCONT},
    NamedSignal{"FPE", SIGFPE},       NamedSignal{"HUP", SIGHUP},       NamedSignal{"ILL", SIGILL},
    NamedSignal{"INT", SIGINT},       NamedSignal{"IO", SIGIO},         NamedSignal{"IOT", SIGABRT},
    NamedSignal{"KILL", SIGKILL},     NamedSignal{"PIPE", SIGPIPE},     NamedSignal{"POLL", SIGPOLL},
    NamedSignal{"PROF", SIGPROF},     NamedSignal{"PWR", SIGPWR},       NamedSignal{"QUIT", SIGQUIT},
    NamedSignal{"SEGV", SIGSEGV},     NamedSignal{"STKFLT", SIGSTKFLT}, NamedSignal{"STOP", SIGSTOP},
    NamedSignal{"SYS", SIGSYS},       NamedSignal{"TERM", SIGTERM},     NamedSignal{"TRAP", SIGTRAP},
    NamedSignal{"TSTP", SIGTSTP},     NamedSignal{"TTIN", SIGTTIN},     NamedSignal{"TTOU", SIGTTOU},
    NamedSignal{"URG", SIGURG},       NamedSignal{"USR1", SIGUSR1},     NamedSignal{"USR2", SIGUSR2},
    NamedSignal{"VTALRM", SIGVTALRM}, NamedSignal{"WINCH", SIGWINCH},   NamedSignal{"XCPU", SIGXCPU},
    NamedSignal{"XFSZ", SIGXFSZ}};

constexpr int kLastCriSignal = static_cast<int>(cri::Signal::kSigrtmax);

// CRI writes SIGRTMINPLUS3 and SIGRTMAXMINUS2 for what everyone else calls SIGRTMIN+3 and SIGRTMAX-2.
std::string UsualName(cri::Signal signal) {
  std::string name(cri::ToString(signal));
  if (const auto plus = name.find("PLUS"); plus != std::string::npos) name.replace(plus, 4, "+");
  if (const auto minus = name.find("MINUS"); minus != std::string::npos) name.replace(minus, 5, "-");
  return name;
}

std::optional<int> RealTime(std::string_view name) {
  const auto offset = [&](std::string_view base, char sign) -> std::optional<int> {
    if (!name.starts_with(base)) return std::nullopt;
    const std::string_view rest = name.substr(base.size());
    if (rest.empty()) return 0;
    if (rest[0] != sign) return std::nullopt;
    const auto number = base::ParseUint(rest.substr(1));
    if (!number || *number > static_cast<uint64_t>(SIGRTMAX - SIGRTMIN)) return std::nullopt;
    return static_cast<int>(*number);
  };
  if (const auto plus = offset("RTMIN", '+')) return SIGRTMIN + *plus;
  if (const auto minus = offset("RTMAX", '-')) return SIGRTMAX - *minus;
  return std::nullopt;
}

}  // namespace

Result<int> SignalNumber(std::string_view text) {
  if (const auto number = base::ParseUint(text)) {
    if (*number >= 1 && *number <= static_cast<uint64_t>(SIGRTMAX)) return static_cast<int>(*number);
    return Fail(Code::kInvalidArgument, "signal number {} is out of range", text);
  }
  std::string upper;
  for (const char c : text) upper += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  std::string_view name = upper;
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (const NamedSignal& signal : kSignals) {
    if (signal.name == name) return signal.number;
  }
  if (const auto number = RealTime(name)) return *number;
  return Fail(Code::kInvalidArgument, "unknown signal {}", base::Quote(text));
}

std::string StopSignalName(cri::Signal configured, const std::string& image_signal) {
  if (configured != cri::Signal::kRuntimeDefault) {
    std::string name = UsualName(configured);
    if (SignalNumber(name)) return name;
  }
  if (!image_signal.empty() && SignalNumber(image_signal)) return image_signal;
  return "SIGTERM";
}

cri::Signal CriSignal(const std::string& name) {
  const auto wanted = SignalNumber(name);
  if (!wanted) return cri::Signal::kRuntimeDefault;
  for (int value = 1; value <= kLastCriSignal; ++value) {
    const auto signal = static_cast<cri::Signal>(value);
    const auto number = SignalNumber(UsualName(signal));
    if (number && *number == *wanted) return signal;
  }
  return cri::Signal::kRuntimeDefault;
}

}  // namespace portcullis::runtime
