#include "insight/evidence/strace_reader.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/strings.h"
#include "base/try.h"
#include "engine/syscalls/syscalls.h"
#include "insight/evidence/compressed_file.h"
#include "insight/evidence/strace_calls.h"
#include "insight/evidence/strace_gaps.h"
#include "insight/evidence/strace_lines.h"
#include "insight/evidence/strace_summary.h"
#include "insight/evidence/strace_tree.h"

namespace portcullis::insight {
namespace {

struct File {
  std::string path;
  std::string trace;  // the name without the process's number
  uint32_t pid = 0;   // of -ff; 0: the file is a trace of its own
};

File FileOf(const std::string& path) {
  std::string_view name = path;
  for (const std::string_view suffix : {".gz", ".zst", ".xz", ".bz2"}) {
    if (name.ends_with(suffix)) name.remove_suffix(suffix.size());
  }
  const size_t dot = name.rfind('.');
  const uint64_t pid = dot == std::string_view::npos ? 0 : base::ParseUint(name.substr(dot + 1)).value_or(0);
  if (pid == 0 || pid > UINT32_MAX) return {.path = path, .trace = std::string(name)};
  return {.path = path, .trace = std::string(name.substr(0, dot)), .pid = static_cast<uint32_t>(pid)};
}

}  // namespace

class StraceReader::State {
 public:
  explicit State(const StraceOptions& options)
      : lines_({.line = [this](const StraceLine& line, std::string_view text) { TakeLine(line, text); },
                .attached = [this](uint32_t pid) { tree_.Attached(pid); }}),
        tree_(options.arch),
        calls_(options.arch, tree_, evidence_, gaps_),
        summary_(options.arch) {
    evidence_.source = "strace";
  }

  void BeginTrace() {
    for (auto& [pid, process] : tree_.processes()) {
      calls_.Finish(process);
      ++gaps_.running;
    }
    gaps_.not_followed += tree_.NotFollowed();
    calls_.EndTrace();
    tree_.BeginTrace();
  }

  void BeginFile(uint32_t pid) {
    tree_.BeginFile(pid);
    lines_.BeginFile();
    summary_.BeginFile();
    file_has_strace_ = false;
  }

  void Feed(std::string_view piece) {
    bytes_ += piece.size();
    lines_.Feed(piece);
  }

  void EndFile() { lines_.EndFile(); }

  bool file_has_strace() const { return file_has_strace_; }

  StraceCounts counts() const {
    return {
        .bytes = bytes_, .lines = lines_.lines(), .calls = calls_.calls() + calls_of_tables_, .others = other_lines_};
  }

  Evidence Take() {
    BeginTrace();  // the end of the last one
    gaps_.damaged += lines_.damaged();
    gaps_.too_many += tree_.too_many();
    gaps_.Tell(evidence_.completeness);
    return std::move(evidence_);
  }

 private:
  void TakeLine(const StraceLine& line, std::string_view text) {
    if (line.kind == StraceKind::kSummary) {
      file_has_strace_ = true;
      if (!summary_.TakeTitle(line, text)) ++gaps_.damaged;
      return;
    }
    if (summary_.in_table() && TakeTableLine(summary_.TakeLine(text))) return;
    if (line.kind == StraceKind::kOther) {
      if (!base::Trim(text).empty()) ++other_lines_;
      return;
    }
    if (line.kind == StraceKind::kBroken) return lines_.Keep(text);
    file_has_strace_ = true;
    if (line.kind == StraceKind::kNote || line.kind == StraceKind::kAttached) return;
    if (line.kind == StraceKind::kFrame) {
      if (StraceProcess* process = tree_.Last()) calls_.TakeFrame(*process, line.name);
      return;
    }
    StraceProcess& process = tree_.ProcessOf(line, !calls_.trace_has_calls());
    if (!line.comm.empty()) process.comm = line.comm;
    switch (line.kind) {
      case StraceKind::kCall:
        return calls_.TakeCall(process, line);
      case StraceKind::kUnfinished:
        return calls_.TakeUnfinished(process, line);
      case StraceKind::kResumed:
        return calls_.TakeResumed(process, line);
      case StraceKind::kSigsys:
        return calls_.TakeSigsys(process, line);
      case StraceKind::kKilled:
        if (line.by_sigsys) calls_.TakeKilledBySigsys(process);
        return EndLast();
      case StraceKind::kExited:
        return EndLast();
      case StraceKind::kMode:
        return calls_.TakeMode(process, line.mode);
      default:
        return calls_.Flush(process);
    }
  }

  void EndLast() {
    StraceProcess* process = tree_.Last();
    if (process == nullptr) return;
    calls_.Finish(*process);
    tree_.RemoveLast();
  }

  // False: the line is none of the table's.
  bool TakeTableLine(const StraceSummary::Taken& taken) {
    if (std::holds_alternative<StraceSummary::Over>(taken)) return false;
    if (std::holds_alternative<StraceSummary::Damaged>(taken)) ++gaps_.damaged;
    // -C: the table repeats what the lines above it have told.
    const auto* row = std::get_if<StraceSummary::Row>(&taken);
    if (row != nullptr && !calls_.trace_has_calls()) AddRow(*row);
    return true;
  }

  void AddRow(const StraceSummary::Row& row) {
    calls_of_tables_ += row.calls;
    const auto number = NumberOfStraceCall(summary_.arch(), row.name, std::nullopt);
    if (!number) return gaps_.AddUnknown(row.name, row.calls);
    gaps_.saw_summary = true;
    if (number->ambiguous) gaps_.ambiguous += row.calls;
    Call call{.workload = evidence_.AddWorkload({}),
              .audit_arch = syscalls::InfoOf(summary_.arch()).audit_arch,
              .number = number->number};
    if (number->subcall) call.arguments.push_back({0, *number->subcall});
    if (row.errors > 0) evidence_.Add(call, {.count = row.errors});
    call.result = CallResult::kAllowed;
    if (row.calls > row.errors) evidence_.Add(call, {.count = row.calls - row.errors});
  }

  Evidence evidence_;
  StraceGaps gaps_;
  StraceLines lines_;
  StraceTree tree_;
  StraceCalls calls_;
  StraceSummary summary_;
  uint64_t bytes_ = 0;
  uint64_t other_lines_ = 0;
  uint64_t calls_of_tables_ = 0;
  bool file_has_strace_ = false;
};

StraceReader::StraceReader(const StraceOptions& options) : state_(std::make_unique<State>(options)) {}
StraceReader::~StraceReader() = default;

void StraceReader::BeginTrace() { state_->BeginTrace(); }
void StraceReader::BeginFile(uint32_t pid) { state_->BeginFile(pid); }
void StraceReader::Feed(std::string_view piece) { state_->Feed(piece); }
void StraceReader::EndFile() { state_->EndFile(); }
StraceCounts StraceReader::counts() const { return state_->counts(); }
Evidence StraceReader::Take() { return state_->Take(); }

Result<void> StraceReader::Read(const std::vector<std::string>& paths,
                                const std::function<void(const std::string&, uint64_t)>& progress) {
  std::vector<File> files;
  for (const std::string& path : paths) files.push_back(FileOf(path));
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
