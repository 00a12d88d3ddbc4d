#include "insight/evidence/audit_record.h"

#include <charconv>
#include <cstring>

namespace portcullis::insight {
namespace {

constexpr char kEnriched = '\x1d';  // auditd: what follows repeats the fields in words
constexpr uint64_t kNanosInMilli = 1'000'000;

// As text.find(what), several times as fast on long lines.
size_t Find(std::string_view text, std::string_view what, size_t from = 0) {
  const void* found = ::memmem(text.data() + from, text.size() - from, what.data(), what.size());
  return found == nullptr ? std::string_view::npos : static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

template <class T>
bool ReadNumber(std::string_view text, T& out, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc() && end == text.data() + text.size();
}

std::string_view WithoutHexPrefix(std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  return text;
}

// "audit(1613596317.899:6461): " at the front of `rest` is taken off.
bool TakeStamp(std::string_view& rest, AuditRecord& out) {
  constexpr std::string_view kOpen = "audit(";
  if (!rest.starts_with(kOpen)) return false;
  const size_t close = rest.find(')');
  if (close == std::string_view::npos) return false;
  const std::string_view inside = rest.substr(kOpen.size(), close - kOpen.size());
  const size_t dot = inside.find('.');
  const size_t colon = inside.find(':');
  if (dot == std::string_view::npos || colon == std::string_view::npos || colon < dot) return false;
  uint32_t seconds = 0;  // bounded on purpose: until 2106
  uint32_t millis = 0;
  if (colon - dot != 4 || !ReadNumber(inside.substr(0, dot), seconds, 10) ||
      !ReadNumber(inside.substr(dot + 1, colon - dot - 1), millis, 10) ||
      !ReadNumber(inside.substr(colon + 1), out.serial, 10)) {
    return false;
  }
  out.time_unix_nanos = static_cast<int64_t>((uint64_t{seconds} * 1000 + millis) * kNanosInMilli);
  rest.remove_prefix(close + 1);
  if (rest.starts_with(':')) rest.remove_prefix(1);
  return true;
}

enum Seen : unsigned { kPid = 1, kArch = 2, kNumber = 4, kCode = 8, kNeeded = kPid | kArch | kNumber | kCode };

// Only whole actions of the kernel: of a record that was cut off, "0x7ffc00" must not pass for another action.
bool TakeCode(std::string_view value, uint32_t& out) {
  if (!value.starts_with("0x")) return false;
  value.remove_prefix(2);
  // A shipper that drops the separator of the enriched part glues "AUID=" to the digits, and A is a digit as well.
  if (const size_t glued = value.find("AUID="); glued != std::string_view::npos) value = value.substr(0, glued);
  if (!ReadNumber(value, out, 16)) return false;
  switch (out) {
    case 0x00000000U:  // KILL_THREAD
    case 0x00030000U:  // TRAP
    case 0x00050000U:  // ERRNO
    case 0x7fc00000U:  // USER_NOTIF
    case 0x7ff00000U:  // TRACE
    case 0x7ffc0000U:  // LOG
    case 0x7fff0000U:  // ALLOW
    case 0x80000000U:  // KILL_PROCESS
      return true;
    default:
      return false;
  }
}

// One pair; false when a number is malformed.
bool TakeField(std::string_view key, std::string_view value, AuditRecord& out, unsigned& seen) {
  switch (key.size()) {
    case 2:
      if (key == "ip") return ReadNumber(WithoutHexPrefix(value), out.ip, 16);
      return true;
    case 3:
      if (key == "pid") return ReadNumber(value, out.pid, 10) && (seen |= kPid) != 0;
      if (key == "uid") return ReadNumber(value, out.uid, 10);
      if (key == "exe") out.exe = value;
      if (key == "sig") return ReadNumber(value, out.signal, 10);
      return true;
    case 4:
      if (key == "comm") out.comm = value;
      if (key == "arch") return ReadNumber(value, out.arch, 16) && (seen |= kArch) != 0;
      if (key == "code") return TakeCode(value, out.code) && (seen |= kCode) != 0;
      return true;
    case 6:
      if (key == "compat") {
        out.compat = value == "1";
        return value == "0" || value == "1";
      }
      return true;
    case 7:
      if (key == "syscall") return ReadNumber(value, out.number, 10) && (seen |= kNumber) != 0;
      return true;
    default:
      return true;
  }
}

// This loop sees gigabytes: one pass over the bytes, no search for what stands next to them.
bool TakeFields(std::string_view rest, AuditRecord& out) {
  unsigned seen = 0;
  const char* at = rest.data();
  const char* const end = at + rest.size();
  while (at < end) {
    if (*at == ' ') {
      ++at;
      continue;
    }
    // The words of an enriched record, whose names are in capitals.
    if (*at == kEnriched || (*at >= 'A' && *at <= 'Z')) break;
    const char* const key = at;
    while (at < end && *at != '=' && *at != ' ' && *at != kEnriched) ++at;
    if (at == end || *at != '=') continue;  // the second word of an LSM's context: `subj=name (enforce)`
    const char* const equals = at++;
    const char* const value = at;
    if (at < end && *at == '"') {
      // comm="my app" cannot be: a blank makes it hexadecimal. Other writers quote all the same.
      at = static_cast<const char*>(std::memchr(at + 1, '"', static_cast<size_t>(end - at - 1)));
      if (at == nullptr) return false;
      ++at;
    } else {
      while (at < end && *at != ' ' && *at != kEnriched) ++at;
    }
    if (!TakeField({key, static_cast<size_t>(equals - key)}, {value, static_cast<size_t>(at - value)}, out, seen)) {
      return false;
    }
  }
  return (seen & kNeeded) == kNeeded;
}

// What stands before a record, by those who may write one. A program's message that only looks like one must not count:
// what comes of these records may be a profile that permits more.
bool EndsWithKernelPrefix(std::string_view before) {
  // "" | "[ 3535.304332] " | "5,876,3535304332,-;" | "… kernel: " | "… kernel: [ 3535.304332] "
  if (before.empty() || before.ends_with("kernel: ")) return true;
  if (before.ends_with("] ")) {
    const size_t open = before.rfind('[');
    if (open == std::string_view::npos) return false;
    if (before.find_first_not_of(" .0123456789", open + 1) != before.size() - 2) return false;
    const std::string_view front = before.substr(0, open);
    return front.empty() || front.ends_with("kernel: ");
  }
  return before.ends_with(';') && before.find_first_not_of("0123456789,-;c") == std::string_view::npos;
}

// "… audit[4709]: ", "… audisp-syslog[12]: ", "… audispd: "
bool EndsWithAuditDaemon(std::string_view before) {
  if (!before.ends_with(": ")) return false;
  before.remove_suffix(2);
  if (before.ends_with(']')) {
    const size_t open = before.rfind('[');
    if (open == std::string_view::npos) return false;
    before = before.substr(0, open);
  }
  const size_t blank = before.rfind(' ');
  const std::string_view program = blank == std::string_view::npos ? before : before.substr(blank + 1);
  return program == "audit" || program == "audispd" || program == "audisp-syslog" || program == "auditd";
}

bool IsNodeName(std::string_view before) {
  return before.empty() || (before.starts_with("node=") && before.find(' ') == before.size() - 1);
}

AuditLine FinishMarksToo(std::string_view fields, bool stamped_already, AuditRecord record) {
  if (!stamped_already && !TakeStamp(fields, record)) return {.kind = LineKind::kDamaged};
  if (!TakeFields(fields, record)) return {.kind = LineKind::kDamaged};
  return {.kind = LineKind::kRecord, .record = record};
}

AuditLine Finish(std::string_view fields, bool stamped_already, const AuditRecord& record) {
  const AuditLine line = FinishMarksToo(fields, stamped_already, record);
  return line.kind == LineKind::kRecord && IsAuditMark(line.record) ? AuditLine{} : line;
}

uint64_t NumberBefore(std::string_view line, size_t at) {
  size_t end = at;
  while (end > 0 && line[end - 1] == ' ') --end;
  size_t begin = end;
  while (begin > 0 && line[begin - 1] >= '0' && line[begin - 1] <= '9') --begin;
  uint64_t number = 0;
  return ReadNumber(line.substr(begin, end - begin), number, 10) ? number : 0;
}

uint64_t NumberAfter(std::string_view line, size_t at) {
  size_t end = at;
  while (end < line.size() && line[end] >= '0' && line[end] <= '9') ++end;
  uint64_t number = 0;
  return ReadNumber(line.substr(at, end - at), number, 10) ? number : 0;
}

std::optional<AuditLine> ParseLoss(std::string_view line) {
  const auto loss = [](uint64_t count, std::string_view where, bool total) {
    return AuditLine{.kind = LineKind::kLostCount, .lost = count, .lost_where = where, .lost_is_total = total};
  };
  // "kauditd_printk_skb: 293 callbacks suppressed", "audit_printk_skb: …" before Linux 4.10
  if (Find(line, "printk_skb: ") != std::string_view::npos) {
    if (const size_t words = Find(line, "callbacks suppressed"); words != std::string_view::npos) {
      return loss(NumberBefore(line, words), "printk", false);
    }
  }
  constexpr std::string_view kLost = "audit_lost=";
  if (const size_t at = Find(line, kLost); at != std::string_view::npos) {
    return loss(NumberAfter(line, at + kLost.size()), "audit", true);
  }
  if (Find(line, "audit: backlog limit exceeded") != std::string_view::npos ||
      Find(line, "audit: rate limit exceeded") != std::string_view::npos) {
    return loss(0, "audit", false);
  }
  return std::nullopt;
}

std::optional<AuditLine> ParseForwarderLoss(std::string_view line) {
  if (const size_t at = Find(line, " messages lost due to rate-limiting"); at != std::string_view::npos) {
    return AuditLine{.kind = LineKind::kLostCount, .lost = NumberBefore(line, at), .lost_where = "syslog"};
  }
  constexpr std::string_view kJournal = "]: Suppressed ";
  if (const size_t at = Find(line, kJournal);
      at != std::string_view::npos && Find(line, "systemd-journald[") != std::string_view::npos) {
    return AuditLine{
        .kind = LineKind::kLostCount, .lost = NumberAfter(line, at + kJournal.size()), .lost_where = "journal"};
  }
  return std::nullopt;
}

}  // namespace

bool IsAuditMark(const AuditRecord& record) {
  constexpr uint32_t kTellApart = 0x00ffffff;
  constexpr uint32_t kLogged = 0x7ffc0000;
  return (record.number & ~kTellApart) == kAuditMarks && record.code == kLogged;
}

AuditLine ParseAuditLine(std::string_view line) {
  constexpr std::string_view kDaemonMark = "type=SECCOMP msg=";
  constexpr std::string_view kUnknownMark = "type=UNKNOWN[1326] msg=";
  constexpr std::string_view kKernelMark = "audit: type=1326 ";
  constexpr std::string_view kNumberMark = "type=1326 msg=";
  constexpr std::string_view kJournalMark = "SECCOMP auid=";

  // auditd's own file: most lines are other types, told by their first letters.
  if (line.starts_with("type=") && !line.starts_with("type=SECC") && !line.starts_with("type=1326") &&
      !line.starts_with("type=UNKNOWN[1326]")) {
    return {};
  }
  if (line.starts_with(kDaemonMark)) return Finish(line.substr(kDaemonMark.size()), false, {});
  const size_t audit = Find(line, "audit");
  if (audit == std::string_view::npos) {
    if (line.starts_with("type=")) return {.kind = LineKind::kDamaged};  // cut within its first words
    return ParseForwarderLoss(line).value_or(AuditLine{});
  }
  // The kernel's line in syslog: nearly always the first "audit" that there is.
  const size_t kernel = line.substr(audit).starts_with(kKernelMark) ? audit : Find(line, kKernelMark, audit);
  if (kernel != std::string_view::npos) {
    if (!EndsWithKernelPrefix(line.substr(0, kernel))) return {.kind = LineKind::kForeign};
    return Finish(line.substr(kernel + kKernelMark.size()), false, {});
  }
  for (const std::string_view mark : {kDaemonMark, kNumberMark, kUnknownMark}) {
    const size_t at = Find(line, mark);
    if (at == std::string_view::npos) continue;
    const std::string_view before = line.substr(0, at);
    if (!IsNodeName(before) && !EndsWithAuditDaemon(before)) return {.kind = LineKind::kForeign};
    return Finish(line.substr(at + mark.size()), false, {});
  }
  if (line.starts_with("type=")) return {.kind = LineKind::kDamaged};
  if (const size_t at = Find(line, kJournalMark, audit); at != std::string_view::npos) {
    if (!EndsWithAuditDaemon(line.substr(0, at))) return {.kind = LineKind::kForeign};
    return Finish(line.substr(at + std::strlen("SECCOMP ")), true, {});
  }
  if (auto loss = ParseLoss(line)) return *loss;
  return ParseForwarderLoss(line).value_or(AuditLine{});
}

std::optional<AuditRecord> ParseAuditPayload(std::string_view payload) {
  while (!payload.empty() && (payload.back() == '\0' || payload.back() == '\n')) payload.remove_suffix(1);
  const AuditLine line = FinishMarksToo(payload, false, {});
  if (line.kind != LineKind::kRecord) return std::nullopt;
  return line.record;
}

std::string DecodeAuditString(std::string_view value) {
  if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) {
    return std::string(value.substr(1, value.size() - 2));
  }
  if (value == "(null)" || value == "(none)") return "";
  if (value.empty() || value.size() % 2 != 0) return std::string(value);
  std::string out;
  out.reserve(value.size() / 2);
  for (size_t i = 0; i < value.size(); i += 2) {
    unsigned byte = 0;
    if (!ReadNumber(value.substr(i, 2), byte, 16)) return std::string(value);
    out += static_cast<char>(byte);
  }
  return out;
}

}  // namespace portcullis::insight
