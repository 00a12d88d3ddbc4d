#include "insight/evidence/strace_calls.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "engine/syscalls/constants.h"
#include "engine/syscalls/syscalls.h"
#include "insight/evidence/strace_lines.h"
#include "insight/evidence/strace_mode.h"

namespace portcullis::insight {
namespace {

using syscalls::Arch;

// So many calls of a program are kept until one shows which mode it runs in: with -o, strace does not say.
constexpr size_t kMaxUndecided = 64;

bool Executes(std::string_view name) { return name == "execve" || name == "execveat"; }

std::string ProgramOf(const StraceCallText& call) {
  const auto values = SplitStraceArguments(call.arguments).values;
  const size_t index = call.name == "execve" ? 0 : 1;
  return index < values.size() ? DecodeStraceString(values[index]).value_or("") : "";
}

// A frame of the C library or the loader: not who made the call, but what it was made through.
bool IsLibraryFrame(std::string_view frame) {
  const std::string_view path = frame.substr(0, frame.find('('));
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return std::ranges::any_of(
      std::array<std::string_view, 6>{"libc.so", "libc-", "libpthread", "ld-linux", "ld-musl", "[vdso]"},
      [name](std::string_view prefix) { return name.starts_with(prefix); });
}

// "/usr/lib/libuv.so.1(uv__iou_init+0x2e)": the file and the function.
void SplitFrame(CallFacts& facts) {
  const size_t open = facts.location.rfind('(');
  if (open == std::string::npos || !facts.location.ends_with(')')) return;
  facts.symbol = facts.location.substr(open + 1, facts.location.size() - open - 2);
  facts.location.resize(open);
  if (facts.symbol.starts_with('+')) facts.location += std::exchange(facts.symbol, "");
}

StraceCallText TextOf(const StraceLine& line) {
  return {.name = std::string(line.name),
          .arguments = std::string(line.arguments),
          .number = line.number,
          .address = line.address,
          .time = line.time_unix_nanos,
          .result = std::string(line.result)};
}

// "__NR_getppid" or "110".
std::optional<StraceNumber> NumberOfSigsys(Arch arch, std::string_view name) {
  constexpr std::string_view kPrefix = "__NR_";
  if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  const auto number = NumberOfStraceCall(arch, name, std::nullopt);
  if (number) return number;
  const auto plain = syscalls::ConstantValue(arch, name);
  if (!plain || *plain > UINT32_MAX) return std::nullopt;
  return StraceNumber{.number = static_cast<uint32_t>(*plain), .name = ""};
}

}  // namespace

void StraceCalls::TakeCall(StraceProcess& process, const StraceLine& line) { Take(process, TextOf(line)); }

void StraceCalls::TakeUnfinished(StraceProcess& process, const StraceLine& line) {
  Flush(process);
  if (process.pending) EndPending(process);
  process.pending = TextOf(line);
}

void StraceCalls::TakeResumed(StraceProcess& process, const StraceLine& line) {
  Flush(process);
  if (!process.pending || process.pending->name != line.name) {
    ++gaps_.headless;
    return;
  }
  StraceCallText call = std::move(*process.pending);
  process.pending.reset();
  if (call.arguments.size() + line.arguments.size() > StraceLines::kMaxLineBytes) {
    ++gaps_.damaged;
    return;
  }
  call.arguments += line.arguments;
  StraceLine whole;
  if (!CompleteStraceCall(call.arguments, whole)) {
    // A decoration or a string that strace left open when it stopped in the middle of the line.
    ++gaps_.damaged;
    return;
  }
  StraceCallText finished = call;
  finished.arguments = whole.arguments;
  finished.result = whole.result;
  Take(process, std::move(finished));
}

void StraceCalls::Take(StraceProcess& process, StraceCallText call) {
  Flush(process);
  trace_has_calls_ = true;
  ++calls_;
  if (process.arch_known) return TakeDecided(process, call);
  const bool executes = call.result == "0" && Executes(call.name);
  const Arch narrow = NarrowArchOf(native_);
  const auto is_native = IsOfArch(native_, narrow, call.name, call.number, call.arguments, call.result);
  process.undecided.push_back(std::move(call));
  if (is_native) {
    process.arch = *is_native ? native_ : narrow;
    process.arch_known = true;
    Replay(process);
  } else if (executes || process.undecided.size() >= kMaxUndecided || MakesProcess(process.undecided.back().name)) {
    Decide(process);
  }
}

// Nothing has shown the mode of the process's program: it is taken to be the machine's own.
void StraceCalls::Decide(StraceProcess& process) {
  if (process.undecided.empty()) return;
  ++gaps_.undecided_programs;
  Replay(process);
}

void StraceCalls::Replay(StraceProcess& process) {
  const std::vector<StraceCallText> calls = std::exchange(process.undecided, {});
  for (const StraceCallText& call : calls) {
    Flush(process);
    TakeDecided(process, call);
  }
}

void StraceCalls::TakeDecided(StraceProcess& process, const StraceCallText& text) {
  Arch arch = process.arch;
  if (arch == Arch::kX86_64 && text.number && (*text.number & syscalls::kX32Bit) != 0) arch = Arch::kX32;
  const auto number = NumberOfStraceCall(arch, text.name, text.number);
  if (!number) return gaps_.AddUnknown(text.name);
  if (number->ambiguous) ++gaps_.ambiguous;
  const StraceResult result = ResultOfStraceCall(text.name, text.result);
  if (result.result == CallResult::kErrno) gaps_.saw_ambiguous_errno = true;
  const bool executes = Executes(text.name) && result.value == 0U;
  const std::string program = executes ? ProgramOf(text) : "";
  if (!workload_) workload_ = evidence_.AddWorkload({.command = program});
  StraceValues values = ValuesOfStraceCall(arch, *number, text.arguments);
  if (!values.unread_tested.empty()) {
    ++gaps_.unread;
    if (gaps_.an_unread.empty()) gaps_.an_unread = values.unread_tested;
  }
  if (gaps_.an_unread_other.empty()) gaps_.an_unread_other = values.unread_other;
  process.held = StraceHeldCall{
      .call = {.workload = *workload_,
               .executable = process.executable.empty() ? program : process.executable,
               .comm = process.comm,
               .audit_arch = syscalls::InfoOf(arch).audit_arch,
               .number = number->number,
               .arguments = std::move(values.arguments),
               .result = result.result,
               .error = result.error},
      .facts = {.count = 1, .first = text.time, .last = text.time, .address = text.address, .location = text.location},
      .library_location = text.library_location,
      .value = result.value};
  if (executes) {
    process.executable = program;
    process.arch = native_;
    process.arch_known = NarrowArchOf(native_) == native_;
  }
  if (MakesProcess(text.name) && result.value && *result.value != 0 && *result.value <= UINT32_MAX) {
    tree_.Made(process, static_cast<uint32_t>(*result.value));
  }
}

void StraceCalls::TakeFrame(StraceProcess& process, std::string_view frame) {
  if (process.undecided.empty() && !process.held) return;
  const bool undecided = !process.undecided.empty();
  std::string& location = undecided ? process.undecided.back().location : process.held->facts.location;
  std::string& library = undecided ? process.undecided.back().library_location : process.held->library_location;
  if (!location.empty() || frame.empty()) return;
  if (!IsLibraryFrame(frame)) {
    location = frame;
  } else if (library.empty()) {
    library = frame;
  }
}

void StraceCalls::TakeSigsys(StraceProcess& process, const StraceLine& line) {
  // The filter names the call itself: architecture and number are the kernel's.
  if (!process.undecided.empty()) {
    const std::string_view arch = line.sigsys_arch;
    const bool narrow = arch == "AUDIT_ARCH_I386" || arch == "0x40000003" || arch == "AUDIT_ARCH_ARM";
    process.arch = narrow ? NarrowArchOf(native_) : native_;
    process.arch_known = true;
    Replay(process);
  }
  const auto number = NumberOfSigsys(process.arch, line.sigsys_syscall);
  if (process.held && (!number || number->number == process.held->call.number)) {
    process.held->call.result = CallResult::kTrap;
    process.held->call.error = 0;
    if (line.address != 0) process.held->facts.address = line.address;
    return Flush(process);
  }
  Flush(process);
  if (!number) return gaps_.AddUnknown(line.sigsys_syscall);
  AddUnseenTrap(process, *number, line);
}

// strace was told not to show the call itself.
void StraceCalls::AddUnseenTrap(const StraceProcess& process, const StraceNumber& number, const StraceLine& line) {
  if (!workload_) workload_ = evidence_.AddWorkload({});
  ++calls_;
  evidence_.Add({.workload = *workload_,
                 .executable = process.executable,
                 .comm = process.comm,
                 .audit_arch = syscalls::InfoOf(process.arch).audit_arch,
                 .number = number.number,
                 .result = CallResult::kTrap},
                {.count = 1, .first = line.time_unix_nanos, .last = line.time_unix_nanos, .address = line.address});
}

void StraceCalls::TakeKilledBySigsys(StraceProcess& process) {
  Decide(process);
  // The kernel puts the registers back before it kills: the call's number stands where its result would be.
  const bool in_call = process.held && process.held->call.result != CallResult::kTrap &&
                       (!process.held->value || *process.held->value == process.held->call.number);
  if (in_call) {
    process.held->call.result = CallResult::kKillProcess;
    process.held->call.error = 0;
    killed_known_ = true;
  } else if (!process.trapped) {
    ++killed_elsewhere_;
  }
}

void StraceCalls::TakeMode(StraceProcess& process, std::string_view mode) {
  Decide(process);
  Flush(process);
  process.arch_known = true;
  if (const auto arch = ArchOfStraceMode(native_, mode)) {
    process.arch = *arch;
  } else {
    ++gaps_.damaged;
  }
}

// A call without a result: the process, or strace, ended first.
void StraceCalls::EndPending(StraceProcess& process) {
  StraceCallText call = std::move(*process.pending);
  process.pending.reset();
  call.result = "?";
  Take(process, std::move(call));
}

void StraceCalls::Finish(StraceProcess& process) {
  Flush(process);
  if (process.pending) EndPending(process);
  Decide(process);
  Flush(process);
}

void StraceCalls::Flush(StraceProcess& process) {
  if (!process.held) return;
  if (process.held->call.result == CallResult::kTrap) process.trapped = true;
  CallFacts& facts = process.held->facts;
  if (facts.location.empty()) facts.location = std::move(process.held->library_location);
  SplitFrame(facts);
  evidence_.Add(std::move(process.held->call), facts);
  process.held.reset();
}

void StraceCalls::EndTrace() {
  // Of a process that is killed, every thread is; one of them has made the call.
  if (!killed_known_) gaps_.killed_unknown += killed_elsewhere_;
  killed_elsewhere_ = 0;
  killed_known_ = false;
  trace_has_calls_ = false;
  workload_.reset();
}

}  // namespace portcullis::insight
