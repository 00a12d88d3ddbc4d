#include "insight/evidence/strace_reader.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/strings.h"
#include "base/try.h"
#include "engine/syscalls/constants.h"
#include "engine/syscalls/syscalls.h"
#include "insight/evidence/compressed_file.h"
#include "insight/evidence/line_cutter.h"
#include "insight/evidence/strace_call.h"
#include "insight/evidence/strace_line.h"

namespace portcullis::insight {
namespace {

using syscalls::Arch;

// Longer than strace makes a line with the longest strings that people ask for (-s).
constexpr size_t kMaxLineBytes = 1u << 20;
// So many calls of a program are kept until one shows which mode it runs in: with -o, strace does not say.
constexpr size_t kMaxUndecided = 64;
// Of a hostile file: as many as Linux can have.
constexpr size_t kMaxProcesses = 1u << 22;
constexpr const char* kWhere = "strace";

Arch CompatOf(Arch arch) {
  switch (arch) {
    case Arch::kX86_64:
      return Arch::kX86;
    case Arch::kAarch64:
      return Arch::kArm;
    case Arch::kS390x:
      return Arch::kS390;
    case Arch::kPpc64:
      return Arch::kPpc;
    case Arch::kMips64:
      return Arch::kMips;
    case Arch::kMipsel64:
      return Arch::kMipsel;
    default:
      return arch;
  }
}

bool MakesProcess(std::string_view name) {
  return name == "clone" || name == "clone3" || name == "fork" || name == "vfork";
}

// A frame of the C library or the loader: not who made the call, but what it was made through.
bool IsLibraryFrame(std::string_view frame) {
  const std::string_view path = frame.substr(0, frame.find('('));
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return std::ranges::any_of(
      std::array<std::string_view, 6>{"libc.so", "libc-", "libpthread", "ld-linux", "ld-musl", "[vdso]"},
      [name](std::string_view prefix) { return name.starts_with(prefix); });
}

}  // namespace

class StraceReader::State {
 public:
  explicit State(const StraceOptions& options) : native_(options.arch) { evidence_.source = kWhere; }

  void BeginTrace() {
    EndTrace();
    processes_.clear();
    expected_.clear();
    attached_.clear();
    orphans_ = 0;
    made_processes_.clear();
    trace_has_calls_ = false;
    workload_.reset();
  }

  void BeginFile(uint32_t pid) {
    file_pid_ = pid;
    if (pid != 0) attached_.insert(pid);
    prefix_.clear();
    broken_.clear();
    summary_ = Summary::kNone;
    file_has_strace_ = false;
    last_pid_ = pid;
  }

  void Feed(std::string_view piece) {
    counts_.bytes += piece.size();
    cutter_.Feed(
        piece, [this](std::string_view line) { TakeLine(line); },
        [this] {
          ++counts_.lines;
          ++damaged_;
        });
  }

  void EndFile() {
    // strace ends every line; a rest means that the file was cut off.
    if (cutter_.Finish([this](std::string_view line) { TakeLine(line); })) ++damaged_;
    if (!prefix_.empty() || !broken_.empty()) ++damaged_;
    prefix_.clear();
    broken_.clear();
  }

  bool file_has_strace() const { return file_has_strace_; }
  const StraceCounts& counts() const { return counts_; }

  Evidence Take() {
    EndTrace();
    auto& losses = evidence_.completeness.losses;
    const auto lose = [&losses](uint64_t count, std::string why) {
      if (count > 0) losses.push_back({kWhere, count, std::move(why)});
    };
    lose(damaged_, "lines that are cut off, or broken by other output (strace -o keeps them apart)");
    lose(headless_, "results of calls whose beginning is missing");
    lose(unknown_, fmt::format("calls that are not known here, such as {}", an_unknown_));
    lose(unread_, fmt::format("arguments that default profiles test could not be read, such as {}", an_unread_));
    lose(not_followed_, "child processes that were not followed (strace -f), or whose file is missing");
    lose(ambiguous_,
         "32-bit calls that strace shows alike whether made directly or through socketcall or ipc (strace -n tells)");
    lose(killed_unknown_, "processes that a filter killed in a call that the trace does not show");
    lose(too_many_, "lines of more processes than Linux can have");
    auto& unseen = evidence_.completeness.unseen;
    unseen.insert("calls that strace was told not to show (-e, -P, -z, -Z)");
    if (saw_ambiguous_errno_) unseen.insert("whether EPERM and ENOSYS are a filter's answer or the kernel's own");
    if (saw_summary_) unseen.insert({"arguments", "executables", "the errno of a call that failed"});
    if (!an_unread_other_.empty()) unseen.insert("arguments with names not known here, such as " + an_unread_other_);
    if (undecided_programs_ > 0) {
      unseen.insert("whether programs that made few calls ran in 32 bit mode (strace -n tells)");
    }
    if (running_ > 0) unseen.insert("what processes did after strace ended");
    return std::move(evidence_);
  }

 private:
  enum class Summary { kNone, kTitle, kRows, kTotal };

  struct Pending {
    std::string name;
    std::string arguments;
    std::optional<uint32_t> number;
    uint64_t address = 0;
    int64_t time = 0;
    std::string result;
    std::string location;  // of a stack trace
    std::string library_location;
  };

  // A finished call that the next line of its process may still change: SIGSYS, a stack trace.
  struct Held {
    Call call;
    CallFacts facts;
    std::string library_location;
    std::optional<uint64_t> value;
    std::string name;
  };

  struct Process {
    std::string executable;
    std::string comm;
    Arch arch;
    bool arch_known = false;
    std::vector<Pending> undecided;  // calls of a program whose mode is not known yet
    std::optional<Pending> pending;
    std::optional<Held> held;
  };

  // What a child has from its parent.
  struct Heritage {
    std::string executable;
    Arch arch;
    bool arch_known;
  };

  void TakeLine(std::string_view text) {
    ++counts_.lines;
    // To a terminal, "strace: Process 7 attached" comes in the middle of another process's line.
    if (text.ends_with(" attached")) {
      const size_t at = text.rfind("strace: Process ");
      if (at != std::string_view::npos) {
        std::string_view pid = text.substr(at + 16);
        pid = pid.substr(0, pid.find(' '));
        if (const auto number = base::ParseUint(pid);
            number && *number <= UINT32_MAX && attached_.size() < kMaxProcesses) {
          attached_.insert(static_cast<uint32_t>(*number));
        }
        if (prefix_.size() + at <= kMaxLineBytes) prefix_ += text.substr(0, at);
        return;
      }
    }
    std::string joined;
    if (!prefix_.empty()) {
      joined = std::move(prefix_);
      prefix_.clear();
      joined += text;
      text = joined;
    }
    if (!broken_.empty()) {
      std::string whole = std::move(broken_);
      broken_.clear();
      // The end of a write to the same terminal that the program's own text broke.
      if (text.starts_with(')') && whole.size() + text.size() <= kMaxLineBytes) {
        whole += text;
        return TakeParsed(ParseStraceLine(whole), whole);
      }
      ++damaged_;
    }
    TakeParsed(ParseStraceLine(text), text);
  }

  void TakeParsed(const StraceLine& line, std::string_view text) {
    if (line.kind == StraceKind::kSummary) return TakeSummaryTitle(line, text);
    if (summary_ != Summary::kNone && TakeSummaryRow(text)) return;
    if (line.kind == StraceKind::kOther) {
      if (!base::Trim(text).empty()) ++counts_.others;
      return;
    }
    if (line.kind == StraceKind::kBroken) {
      broken_ = text;
      return;
    }
    file_has_strace_ = true;
    if (line.kind == StraceKind::kNote || line.kind == StraceKind::kAttached) return;
    if (line.kind == StraceKind::kFrame) {
      if (const auto it = processes_.find(last_pid_); it != processes_.end()) TakeFrame(it->second, line.name);
      return;
    }
    const auto pid = PidOf(line);
    if (!pid) return;
    last_pid_ = *pid;
    Process& process = ProcessOf(*pid);
    if (!line.comm.empty()) process.comm = line.comm;
    switch (line.kind) {
      case StraceKind::kCall:
        return TakeCall(process, {.name = std::string(line.name),
                                  .arguments = std::string(line.arguments),
                                  .number = line.number,
                                  .address = line.address,
                                  .time = line.time_unix_nanos,
                                  .result = std::string(line.result)});
      case StraceKind::kUnfinished:
        Flush(process);
        if (process.pending) CountUnfinished(process);
        process.pending = Pending{std::string(line.name), std::string(line.arguments), line.number, line.address,
                                  line.time_unix_nanos};
        return;
      case StraceKind::kResumed:
        return TakeResumed(process, line);
      case StraceKind::kSigsys:
        return TakeSigsys(process, line);
      case StraceKind::kKilled:
        if (line.by_sigsys) TakeKilled(process);
        return End(*pid);
      case StraceKind::kExited:
        return End(*pid);
      case StraceKind::kMode:
        Decide(process);
        Flush(process);
        return SetMode(process, line.mode);
      default:
        return Flush(process);
    }
  }

  // Lines without a pid are of the one process that is left, or of the file's own.
  std::optional<uint32_t> PidOf(const StraceLine& line) {
    if (line.pid != 0) {
      if (!processes_.contains(line.pid) && processes_.contains(0) && !attached_.contains(line.pid) &&
          !expected_.contains(line.pid)) {
        // So far it was alone, and its lines had no pid.
        auto moved = processes_.extract(0);
        moved.key() = line.pid;
        processes_.insert(std::move(moved));
      }
      return line.pid;
    }
    if (file_pid_ != 0 || processes_.empty()) return file_pid_;
    if (processes_.size() == 1) return processes_.begin()->first;
    if (line.kind == StraceKind::kResumed) {
      for (const auto& [pid, process] : processes_) {
        if (process.pending && process.pending->name == line.name) return pid;
      }
    }
    return last_pid_;
  }

  Process& ProcessOf(uint32_t pid) {
    if (const auto found = processes_.find(pid); found != processes_.end()) return found->second;
    if (processes_.size() >= kMaxProcesses) {
      ++too_many_;
      return processes_.begin()->second;
    }
    Process process{.arch = native_, .arch_known = CompatOf(native_) == native_};
    if (const auto heritage = expected_.find(pid); heritage != expected_.end()) {
      process.executable = heritage->second.executable;
      process.arch = heritage->second.arch;
      process.arch_known = heritage->second.arch_known;
      expected_.erase(heritage);
    } else if (trace_has_calls_ || !processes_.empty()) {
      // Its parent's clone has not returned yet, or not here (another pid namespace).
      ++orphans_;
      const Process* parent = nullptr;
      for (const auto& [other_pid, other] : processes_) {
        if (!other.pending || !MakesProcess(other.pending->name)) continue;
        if (parent != nullptr && parent->executable != other.executable) {
          parent = nullptr;
          break;
        }
        parent = &other;
      }
      if (parent != nullptr) {
        process.executable = parent->executable;
        process.arch = parent->arch;
        process.arch_known = parent->arch_known;
      }
      made_processes_.insert(pid);
    }
    return processes_.emplace(pid, std::move(process)).first->second;
  }

  void SetMode(Process& process, std::string_view mode) {
    process.arch_known = true;
    if (mode == "64 bit") {
      process.arch = native_;
    } else if (mode == "32 bit") {
      process.arch = CompatOf(native_);
    } else if (mode == "x32") {
      process.arch = Arch::kX32;
    } else if (mode == "n32") {
      process.arch = native_ == Arch::kMipsel64 ? Arch::kMipsel64n32 : Arch::kMips64n32;
    } else {
      ++damaged_;
    }
  }

  void TakeResumed(Process& process, const StraceLine& line) {
    Flush(process);
    if (!process.pending || process.pending->name != line.name) {
      ++headless_;
      return;
    }
    Pending call = std::move(*process.pending);
    process.pending.reset();
    if (call.arguments.size() + line.arguments.size() > kMaxLineBytes) {
      ++damaged_;
      return;
    }
    call.arguments += line.arguments;
    StraceLine whole;
    if (!CompleteStraceCall(call.arguments, whole)) {
      // A decoration or a string that strace left open when it stopped in the middle of the line.
      ++damaged_;
      return;
    }
    Pending finished = call;
    finished.arguments = whole.arguments;
    finished.result = whole.result;
    TakeCall(process, std::move(finished));
  }

  // Strace's -o leaves out the lines that tell of 32-bit programs: a program's calls wait until one of them shows it.
  void TakeCall(Process& process, Pending call) {
    Flush(process);
    trace_has_calls_ = true;
    ++counts_.calls;
    if (process.arch_known) return TakeDecided(process, call);
    const bool executes = call.result == "0" && (call.name == "execve" || call.name == "execveat");
    const auto native = IsOfArch(native_, CompatOf(native_), call.name, call.number, call.arguments, call.result);
    process.undecided.push_back(std::move(call));
    if (native) {
      process.arch = *native ? native_ : CompatOf(native_);
      process.arch_known = true;
      Replay(process);
    } else if (executes || process.undecided.size() >= kMaxUndecided || MakesProcess(process.undecided.back().name)) {
      Decide(process);
    }
  }

  // Nothing has shown the mode of the process's program: it is taken to be the machine's own.
  void Decide(Process& process) {
    if (process.undecided.empty()) return;
    ++undecided_programs_;
    Replay(process);
  }

  void Replay(Process& process) {
    const std::vector<Pending> calls = std::move(process.undecided);
    process.undecided.clear();
    for (const Pending& call : calls) {
      Flush(process);
      TakeDecided(process, call);
    }
  }

  void TakeDecided(Process& process, const Pending& text) {
    const std::string_view result_text = text.result;
    Arch arch = process.arch;
    if (arch == Arch::kX86_64 && text.number && (*text.number & syscalls::kX32Bit) != 0) arch = Arch::kX32;
    const auto number = NumberOfStraceCall(arch, text.name, text.number);
    if (!number) {
      ++unknown_;
      if (an_unknown_.empty()) an_unknown_ = text.name.substr(0, 64);
      return;
    }
    if (number->ambiguous) ++ambiguous_;
    const StraceResult result = ResultOfStraceCall(text.name, result_text);
    if (result.result == CallResult::kErrno) saw_ambiguous_errno_ = true;
    const bool executes = (text.name == "execve" || text.name == "execveat") && result.value == 0U;
    std::string program;
    if (executes) {
      const auto values = SplitStraceArguments(text.arguments).values;
      const size_t index = text.name == "execve" ? 0 : 1;
      if (index < values.size()) program = DecodeStraceString(values[index]).value_or("");
    }
    if (!workload_) workload_ = evidence_.AddWorkload({.command = program});
    StraceValues values = ValuesOfStraceCall(arch, *number, text.arguments);
    if (!values.unread_tested.empty()) {
      ++unread_;
      if (an_unread_.empty()) an_unread_ = values.unread_tested;
    }
    if (an_unread_other_.empty()) an_unread_other_ = values.unread_other;
    Held held;
    held.name = text.name;
    held.value = result.value;
    held.call = {.workload = *workload_,
                 .executable = process.executable.empty() ? program : process.executable,
                 .comm = process.comm,
                 .audit_arch = syscalls::InfoOf(arch).audit_arch,
                 .number = number->number,
                 .arguments = std::move(values.arguments),
                 .result = result.result,
                 .error = result.error};
    held.facts = {
        .count = 1, .first = text.time, .last = text.time, .address = text.address, .location = text.location};
    held.library_location = text.library_location;
    process.held = std::move(held);
    if (executes) {
      process.executable = program;
      process.arch = native_;
      process.arch_known = CompatOf(native_) == native_;
    }
    if (MakesProcess(text.name) && result.value && *result.value != 0 && *result.value <= UINT32_MAX) {
      const auto child = static_cast<uint32_t>(*result.value);
      if (const auto born = processes_.find(child); born != processes_.end()) {
        if (made_processes_.erase(child) > 0) --orphans_;
        if (born->second.executable.empty()) born->second.executable = process.executable;
      } else if (made_processes_.erase(child) > 0) {
        --orphans_;  // it has ended already
      } else if (expected_.size() < kMaxProcesses) {
        expected_[child] = {process.executable, process.arch, process.arch_known};
      }
    }
  }

  // "/usr/lib/libuv.so.1(uv__iou_init+0x2e)": the file and the function.
  static void SplitFrame(CallFacts& facts) {
    const size_t open = facts.location.rfind('(');
    if (open == std::string::npos || !facts.location.ends_with(')')) return;
    facts.symbol = facts.location.substr(open + 1, facts.location.size() - open - 2);
    facts.location.resize(open);
    if (facts.symbol.starts_with('+')) facts.location += std::exchange(facts.symbol, "");
  }

  static void TakeFrame(Process& process, std::string_view frame) {
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

  void TakeSigsys(Process& process, const StraceLine& line) {
    // The filter names the call itself: architecture and number are the kernel's.
    if (!process.undecided.empty()) {
      const std::string_view arch = line.sigsys_arch;
      const bool compat = arch == "AUDIT_ARCH_I386" || arch == "0x40000003" || arch == "AUDIT_ARCH_ARM";
      process.arch = compat ? CompatOf(native_) : native_;
      process.arch_known = true;
      Replay(process);
    }
    constexpr std::string_view kPrefix = "__NR_";
    std::string_view name = line.sigsys_syscall;
    if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
    const auto plain = syscalls::ConstantValue(process.arch, name);
    auto number = NumberOfStraceCall(process.arch, name, std::nullopt);
    if (!number && plain && *plain <= UINT32_MAX) {
      number = StraceNumber{.number = static_cast<uint32_t>(*plain), .name = ""};
    }
    if (process.held && (!number || number->number == process.held->call.number)) {
      process.held->call.result = CallResult::kTrap;
      process.held->call.error = 0;
      if (line.address != 0) process.held->facts.address = line.address;
      return Flush(process);
    }
    Flush(process);
    if (!number) {
      ++unknown_;
      if (an_unknown_.empty()) an_unknown_ = line.sigsys_syscall.substr(0, 64);
      return;
    }
    // strace was told not to show the call itself.
    if (!workload_) workload_ = evidence_.AddWorkload({});
    ++counts_.calls;
    evidence_.Add({.workload = *workload_,
                   .executable = process.executable,
                   .comm = process.comm,
                   .audit_arch = syscalls::InfoOf(process.arch).audit_arch,
                   .number = number->number,
                   .result = CallResult::kTrap},
                  {.count = 1, .first = line.time_unix_nanos, .last = line.time_unix_nanos, .address = line.address});
  }

  void TakeKilled(Process& process) {
    Decide(process);
    // The kernel puts the registers back before it kills: the call's number stands where its result would be.
    const bool in_call = process.held && process.held->call.result != CallResult::kTrap &&
                         (!process.held->value || *process.held->value == process.held->call.number);
    if (in_call) {
      process.held->call.result = CallResult::kKillProcess;
      process.held->call.error = 0;
      killed_known_ = true;
    } else {
      const bool trapped = trapped_.contains(last_pid_);
      if (!trapped) ++killed_elsewhere_;
    }
  }

  // A call without a result: the process, or strace, ended first.
  void CountUnfinished(Process& process) {
    Pending call = std::move(*process.pending);
    process.pending.reset();
    call.result = "?";
    TakeCall(process, std::move(call));
  }

  void End(uint32_t pid) {
    const auto it = processes_.find(pid);
    if (it == processes_.end()) return;
    Finish(it->second);
    processes_.erase(it);
    trapped_.erase(pid);
  }

  void Finish(Process& process) {
    Flush(process);
    if (process.pending) CountUnfinished(process);
    Decide(process);
    Flush(process);
  }

  void Flush(Process& process) {
    if (!process.held) return;
    if (process.held->call.result == CallResult::kTrap) trapped_.insert(last_pid_);
    CallFacts& facts = process.held->facts;
    if (facts.location.empty()) facts.location = std::move(process.held->library_location);
    SplitFrame(facts);
    evidence_.Add(std::move(process.held->call), facts);
    process.held.reset();
  }

  void EndTrace() {
    for (auto& [pid, process] : processes_) {
      Finish(process);
      ++running_;
    }
    processes_.clear();
    // A process without a known parent may be one of those that were not seen: in another pid namespace, clone gives
    // another number.
    if (expected_.size() > orphans_) not_followed_ += expected_.size() - orphans_;
    expected_.clear();
    orphans_ = 0;
    // Of a process that is killed, every thread is; one of them has made the call.
    if (killed_elsewhere_ > 0 && !killed_known_) killed_unknown_ += killed_elsewhere_;
    killed_elsewhere_ = 0;
    killed_known_ = false;
    trapped_.clear();
  }

  // -c: "% time seconds usecs/call calls errors syscall", or the columns of -U.
  void TakeSummaryTitle(const StraceLine& line, std::string_view text) {
    file_has_strace_ = true;
    if (!line.mode.empty()) {
      Process process{.arch = native_};
      SetMode(process, line.mode);
      summary_arch_ = process.arch;
      return;
    }
    if (summary_ == Summary::kNone) {
      if (!summary_seen_in_file_) summary_arch_ = native_;
      summary_seen_in_file_ = true;
    }
    summary_ = Summary::kTitle;
    columns_.clear();
    std::string words(text);
    if (const size_t at = words.find("% time"); at != std::string::npos) words.replace(at, 6, "%time");
    for (const std::string& word : base::Split(words, ' ')) {
      if (!word.empty()) columns_.push_back(word);
    }
  }

  // False: the table has ended before this line.
  bool TakeSummaryRow(std::string_view text) {
    if (text.starts_with("----")) {
      summary_ = summary_ == Summary::kTitle ? Summary::kRows : Summary::kTotal;
      return true;
    }
    if (summary_ == Summary::kTotal) {
      summary_ = Summary::kNone;
      return text.find("total") != std::string_view::npos;
    }
    if (summary_ == Summary::kTitle) return true;
    std::vector<std::string> cells;
    for (std::string& word : base::Split(text, ' ')) {
      if (!word.empty()) cells.push_back(std::move(word));
    }
    // The errors of a call without any are left out.
    std::vector<std::string> columns = columns_;
    if (cells.size() + 1 == columns.size()) std::erase(columns, "errors");
    if (cells.size() != columns.size()) {
      ++damaged_;
      return true;
    }
    std::string name;
    std::optional<uint64_t> calls;
    uint64_t errors = 0;
    for (size_t i = 0; i < cells.size(); ++i) {
      if (columns[i] == "syscall") name = cells[i];
      if (columns[i] == "calls") calls = base::ParseUint(cells[i]);
      if (columns[i] == "errors") errors = base::ParseUint(cells[i]).value_or(UINT64_MAX);
    }
    // -C: the table repeats what the lines above it have told.
    if (trace_has_calls_) return true;
    const auto number = NumberOfStraceCall(summary_arch_, name, std::nullopt);
    if (!calls || *calls > INT64_MAX || errors > *calls) {
      ++damaged_;
      return true;
    }
    counts_.calls += *calls;
    if (!number) {
      unknown_ += *calls;
      if (an_unknown_.empty()) an_unknown_ = name.substr(0, 64);
      return true;
    }
    saw_summary_ = true;
    if (number->ambiguous) ambiguous_ += *calls;
    Call call{.workload = evidence_.AddWorkload({}),
              .audit_arch = syscalls::InfoOf(summary_arch_).audit_arch,
              .number = number->number};
    if (number->subcall) call.arguments.push_back({0, *number->subcall});
    if (errors > 0) evidence_.Add(call, {.count = errors});
    call.result = CallResult::kAllowed;
    if (*calls > errors) evidence_.Add(call, {.count = *calls - errors});
    return true;
  }

  Arch native_;
  Evidence evidence_;
  StraceCounts counts_;
  LineCutter cutter_{kMaxLineBytes};
  // Of a trace.
  std::map<uint32_t, Process> processes_;
  std::unordered_map<uint32_t, Heritage> expected_;  // children that parents have made and that have no line yet
  std::set<uint32_t> attached_;                      // pids that are told to be of others than the first process
  std::set<uint32_t> made_processes_;                // seen before their parent's clone returned
  uint64_t orphans_ = 0;                             // of those, without a parent so far
  std::set<uint32_t> trapped_;                       // got a filter's SIGSYS, and may die of it
  bool trace_has_calls_ = false;
  bool killed_known_ = false;
  uint64_t killed_elsewhere_ = 0;
  std::optional<size_t> workload_;
  // Of a file.
  uint32_t file_pid_ = 0;
  uint32_t last_pid_ = 0;
  std::string prefix_;  // of a line that a message of strace has broken
  std::string broken_;  // a line that the program's own output has broken
  bool file_has_strace_ = false;
  Summary summary_ = Summary::kNone;
  bool summary_seen_in_file_ = false;
  Arch summary_arch_ = Arch::kX86_64;
  std::vector<std::string> columns_;
  // What is lost, and what was not seen.
  uint64_t damaged_ = 0, headless_ = 0, unknown_ = 0, unread_ = 0, not_followed_ = 0, ambiguous_ = 0, too_many_ = 0;
  uint64_t killed_unknown_ = 0, running_ = 0, undecided_programs_ = 0;
  std::string an_unknown_, an_unread_, an_unread_other_;
  bool saw_ambiguous_errno_ = false;
  bool saw_summary_ = false;
};

StraceReader::StraceReader(const StraceOptions& options) : state_(std::make_unique<State>(options)) {
  state_->BeginTrace();
}
StraceReader::~StraceReader() = default;

void StraceReader::BeginTrace() { state_->BeginTrace(); }
void StraceReader::BeginFile(uint32_t pid) { state_->BeginFile(pid); }
void StraceReader::Feed(std::string_view piece) { state_->Feed(piece); }
void StraceReader::EndFile() { state_->EndFile(); }
const StraceCounts& StraceReader::counts() const { return state_->counts(); }
Evidence StraceReader::Take() { return state_->Take(); }

Result<void> StraceReader::Read(const std::vector<std::string>& paths,
                                const std::function<void(const std::string&, uint64_t)>& progress) {
  struct File {
    std::string path;
    std::string trace;  // the name without the process's number
    uint32_t pid;
  };
  std::vector<File> files;
  for (const std::string& path : paths) {
    std::string_view name = path;
    for (const std::string_view suffix : {".gz", ".zst", ".xz", ".bz2"}) {
      if (name.ends_with(suffix)) name.remove_suffix(suffix.size());
    }
    const size_t dot = name.rfind('.');
    const uint64_t pid = dot == std::string_view::npos ? 0 : base::ParseUint(name.substr(dot + 1)).value_or(0);
    File file{path, std::string(name), 0};
    if (pid > 0 && pid <= UINT32_MAX) file = {path, std::string(name.substr(0, dot)), static_cast<uint32_t>(pid)};
    files.push_back(std::move(file));
  }
  // A parent has, as a rule, the smaller number, and what its children are is in its file.
  std::ranges::stable_sort(files, {}, [](const File& file) { return std::pair(file.trace, file.pid); });
  std::string trace;
  for (const File& file : files) {
    if (file.trace != trace || file.pid == 0) state_->BeginTrace();
    trace = file.trace;
    state_->BeginFile(file.pid);
    auto read = ReadCompressed(
        file.path,
        [this](std::string_view piece) -> Result<void> {
          state_->Feed(piece);
          return {};
        },
        [&](uint64_t bytes) {
          if (progress) progress(file.path, bytes);
        });
    state_->EndFile();
    TRY(std::move(read));
    if (!state_->file_has_strace()) {
      return Fail(Code::kInvalidArgument, "{}: holds no line of strace's", file.path);
    }
  }
  return {};
}

}  // namespace portcullis::insight
