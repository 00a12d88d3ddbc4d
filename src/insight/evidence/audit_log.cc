#include "insight/evidence/audit_log.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <unordered_map>

#include "base/strings.h"
#include "insight/evidence/audit_record.h"
#include "insight/evidence/compressed_file.h"
#include "insight/evidence/line_cutter.h"

namespace portcullis::insight {
namespace {

constexpr size_t kMaxLineBytes = 64u << 10;

// A distinct call as records tell it: names still in the record's coding, so that a look-up makes no string.
template <class Text>
struct RawCall {
  Text comm;
  Text exe;
  uint32_t arch = 0;
  uint32_t number = 0;
  uint32_t code = 0;
};

struct HashRaw {
  using is_transparent = void;
  template <class Text>
  size_t operator()(const RawCall<Text>& call) const {
    const std::hash<std::string_view> hash;
    const uint64_t numbers =
        (uint64_t{call.number} << 32 | call.code) * 0x9e3779b97f4a7c15U ^ call.arch * 0xc2b2ae3d27d4eb4fU;
    return hash(call.exe) ^ (hash(call.comm) * 31) ^ (numbers >> 17) ^ numbers;
  }
};

struct EqualRaw {
  using is_transparent = void;
  template <class A, class B>
  bool operator()(const RawCall<A>& a, const RawCall<B>& b) const {
    return a.number == b.number && a.code == b.code && a.arch == b.arch && a.comm == b.comm && a.exe == b.exe;
  }
};

}  // namespace

struct AuditLogReader::State {
  std::unordered_map<RawCall<std::string>, CallFacts, HashRaw, EqualRaw> calls;
  AuditLogCounts counts;
  std::map<std::string, Loss> losses;
  std::map<std::string, uint64_t> totals;  // of counters since boot: the last value seen
  uint64_t too_many = 0;                   // records of calls beyond the limit
  LineCutter cutter{kMaxLineBytes};
  // An entry of a journal export (journalctl -o export) as it comes together.
  struct {
    int64_t time_unix_nanos = 0;
    std::string message;
    bool is_seccomp = false;
  } entry;

  void Count(const AuditRecord& record) {
    ++counts.records;
    if (record.time_unix_nanos == 0) ++counts.unstamped;
    const CallFacts facts{
        .count = 1, .first = record.time_unix_nanos, .last = record.time_unix_nanos, .address = record.ip};
    const RawCall<std::string_view> call{record.comm, record.exe, record.arch, record.number, record.code};
    if (const auto found = calls.find(call); found != calls.end()) return found->second.Merge(facts);
    if (calls.size() >= Evidence::kMaxCalls) {
      ++too_many;
      return;
    }
    calls.emplace(
        RawCall<std::string>{std::string(call.comm), std::string(call.exe), call.arch, call.number, call.code}, facts);
  }

  void CountLoss(const AuditLine& line) {
    const std::string where(line.lost_where);
    uint64_t lost = line.lost;
    if (line.lost_is_total) {
      // A counter since boot; a smaller value than before means that the host has booted again.
      uint64_t& before = totals[where];
      const uint64_t now = lost;
      lost = now >= before ? now - before : now;
      before = now;
      if (lost == 0) return;
    }
    Loss& loss = losses[where];
    loss.where = where;
    loss.count += lost;
    loss.why = "messages that the log itself says were dropped";
  }

  // journalctl -o export: FIELD=value lines, an empty line ends an entry. (Binary values, which have a length instead
  // of "=", do not occur in the fields that matter here.)
  bool TakeJournalField(std::string_view line) {
    if (line.empty()) {
      if (entry.is_seccomp && !entry.message.empty()) {
        ++counts.journal;
        // "SECCOMP auid=…" as journald's audit socket has it, with the time in a field of its own.
        const std::string text = "audit: " + entry.message;
        AuditLine parsed = ParseAuditLine(text);
        if (parsed.kind == LineKind::kRecord) {
          parsed.record.time_unix_nanos = entry.time_unix_nanos;
          Count(parsed.record);
        } else {
          ++counts.damaged;
        }
      }
      entry = {};
      return false;
    }
    constexpr std::string_view kTime = "_SOURCE_REALTIME_TIMESTAMP=";
    constexpr std::string_view kMessage = "MESSAGE=";
    if (line == "_AUDIT_TYPE=1326") {
      entry.is_seccomp = true;
      return true;
    }
    if (line.starts_with(kTime)) {
      const auto micros = base::ParseUint(line.substr(kTime.size()));
      if (micros && *micros < (uint64_t{1} << 52)) entry.time_unix_nanos = static_cast<int64_t>(*micros * 1000);
      return true;
    }
    if (line.starts_with(kMessage)) {
      entry.message = line.substr(kMessage.size());
      // A kernel line in the journal is a whole record; it is read as a line of its own.
      return entry.message.starts_with("SECCOMP ");
    }
    return false;
  }

  void TakeLine(std::string_view line) {
    ++counts.lines;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '_' || line.starts_with("MESSAGE=")) {
      if (TakeJournalField(line) || line.empty()) return;
      if (line.starts_with("MESSAGE=")) line.remove_prefix(std::strlen("MESSAGE="));
    }
    const AuditLine parsed = ParseAuditLine(line);
    switch (parsed.kind) {
      case LineKind::kOther:
        return;
      case LineKind::kRecord:
        return Count(parsed.record);
      case LineKind::kDamaged:
        ++counts.damaged;
        return;
      case LineKind::kForeign:
        ++counts.foreign;
        return;
      case LineKind::kLostCount:
        return CountLoss(parsed);
    }
  }
};

AuditLogReader::AuditLogReader() : state_(std::make_unique<State>()) {}
AuditLogReader::~AuditLogReader() = default;

const AuditLogCounts& AuditLogReader::counts() const { return state_->counts; }

void AuditLogReader::Feed(std::string_view piece) {
  State& state = *state_;
  state.counts.bytes += piece.size();
  state.cutter.Feed(
      piece, [&state](std::string_view line) { state.TakeLine(line); },
      [&state] {
        ++state.counts.lines;
        ++state.counts.damaged;
      });
}

void AuditLogReader::EndFile() {
  State& state = *state_;
  state.cutter.Finish([&state](std::string_view line) { state.TakeLine(line); });
  state.TakeJournalField("");
}

Result<void> AuditLogReader::Read(const std::string& path, const std::function<void(uint64_t)>& progress) {
  const auto take = [this](std::string_view piece) -> Result<void> {
    Feed(piece);
    return {};
  };
  auto read = ReadCompressed(path, take, progress);
  EndFile();
  return read;
}

Evidence AuditLogReader::Take() {
  State& state = *state_;
  Evidence out;
  out.source = "audit-log";
  const size_t nobody = out.AddWorkload({});
  for (const auto& [raw, facts] : state.calls) {
    Call call;
    call.workload = nobody;
    call.comm = DecodeAuditString(raw.comm);
    call.executable = DecodeAuditString(raw.exe);
    call.audit_arch = raw.arch;
    call.number = raw.number;
    call.result = ResultOfCode(raw.code);
    out.Add(std::move(call), facts);
  }
  auto& losses = out.completeness.losses;
  for (auto& [where, loss] : state.losses) losses.push_back(std::move(loss));
  if (state.counts.damaged > 0) losses.push_back({"log", state.counts.damaged, "records that are cut off or damaged"});
  if (state.too_many > 0) {
    losses.push_back({"evidence", state.too_many, fmt::format("more than {} distinct calls", Evidence::kMaxCalls)});
  }
  out.completeness.unseen = {std::string(unseen::kArguments), std::string(unseen::kAllowedCalls),
                             std::string(unseen::kErrno)};
  state_ = std::make_unique<State>();
  return out;
}

}  // namespace portcullis::insight
