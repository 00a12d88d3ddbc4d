// One line of strace's output, as every version and option writes it:
//
//   [pid  1781] 08:22:14.513 [  41] [00007f3a9b3d2dc7] socket(AF_INET, SOCK_STREAM, 0) = 3<TCP:[24]> <0.000042>
//   1751  <... rt_sigprocmask resumed>NULL, 8) = 0
//   1755  --- SIGSYS {si_signo=SIGSYS, si_code=SYS_SECCOMP, si_call_addr=0x7f46, si_syscall=__NR_getppid, …} ---
//
// Pure. Source: strace's strace.c (printleader), syscall.c, signal.c and its manual page.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace portcullis::insight {

enum class StraceKind {
  kOther,       // nothing that strace writes: the program's own output, most likely
  kCall,        // name, arguments, result
  kUnfinished,  // name, arguments so far: the result comes in a kResumed line
  kResumed,     // name, the rest of the arguments and the result, in `arguments`
  kBroken,      // begins as a call and breaks off without a mark: other output came between
  kSigsys,      // a filter's SECCOMP_RET_TRAP: sigsys_* and address
  kSignal,      // any other signal, and stops
  kExited,      // +++ exited with 0 +++; +++ superseded by execve +++
  kKilled,      // +++ killed by SIG +++; `by_sigsys`
  kMode,        // [ Process PID=7 runs in 32 bit mode. ]; `mode`
  kFrame,       // a line of a stack trace (-k); `name` is file(symbol+offset)
  kAttached,    // strace: Process 7 attached, by itself
  kNote,        // another message of strace
  kSummary,     // the title of a -c table; `mode` is "" for the first
};

struct StraceLine {
  StraceKind kind = StraceKind::kOther;
  uint32_t pid = 0;                // 0: the line has none
  std::string_view comm;           // -Y
  int64_t time_unix_nanos = 0;     // 0: the line has no date
  std::optional<uint32_t> number;  // -n
  uint64_t address = 0;            // -i, or of the call that SIGSYS is about
  std::string_view name;
  std::string_view arguments;  // between the parentheses
  std::string_view result;     // after "= ", without the time spent: "-1 EPERM (Operation not permitted)"
  bool detached = false;       // kUnfinished: strace let the process go
  bool by_sigsys = false;
  std::string_view mode;            // "32 bit", "64 bit", "x32"
  std::string_view sigsys_syscall;  // "__NR_getppid", "110"
  std::string_view sigsys_arch;     // "AUDIT_ARCH_X86_64", "0xc000003e"
};

// `line` is without its newline; views into it. Never fails: what is not understood is kOther or kBroken.
StraceLine ParseStraceLine(std::string_view line);

struct StraceArguments {
  std::vector<std::string_view> values;  // trimmed; without -y's decorations where they are a whole argument's end
  // Where the closing parenthesis is; npos: the text breaks off before it.
  size_t end = std::string_view::npos;
};

// Splits what follows the opening parenthesis. Strings, structures, lists, comments and decorations are not split.
StraceArguments SplitStraceArguments(std::string_view text);

// The arguments of "NAME(" once `text` holds all of them and the result: fills arguments and result. False: it does
// not.
bool CompleteStraceCall(std::string_view text, StraceLine& line);

// `"/bin/tr\165e"...` -> /bin/true; nullopt for what is no string. A string that strace cut ("…"...) is nullopt too.
std::optional<std::string> DecodeStraceString(std::string_view text);

}  // namespace portcullis::insight
