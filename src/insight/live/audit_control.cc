#include "insight/live/audit_control.h"

#include <linux/audit.h>
#include <linux/netlink.h>

#include <cstring>

#include "base/try.h"
#include "insight/live/netlink_socket.h"

namespace portcullis::insight {
namespace {

// Of an exclude rule's fields, those that auditctl(8) allows.
std::string_view NameOfField(uint32_t field) {
  switch (field) {
    case AUDIT_PID:
      return "pid";
    case AUDIT_UID:
      return "uid";
    case AUDIT_GID:
      return "gid";
    case AUDIT_LOGINUID:
      return "auid";
    case AUDIT_MSGTYPE:
      return "msgtype";
    case AUDIT_EXE:
      return "exe";
    default:
      return "";
  }
}

std::string_view NameOfOperator(uint32_t operation) {
  switch (operation) {
    case AUDIT_NOT_EQUAL:
      return "!=";
    case AUDIT_LESS_THAN:
      return "<";
    case AUDIT_LESS_THAN_OR_EQUAL:
      return "<=";
    case AUDIT_GREATER_THAN:
      return ">";
    case AUDIT_GREATER_THAN_OR_EQUAL:
      return ">=";
    default:
      return "=";
  }
}

bool Holds(uint32_t left, uint32_t operation, uint32_t right) {
  switch (operation) {
    case AUDIT_NOT_EQUAL:
      return left != right;
    case AUDIT_LESS_THAN:
      return left < right;
    case AUDIT_LESS_THAN_OR_EQUAL:
      return left <= right;
    case AUDIT_GREATER_THAN:
      return left > right;
    case AUDIT_GREATER_THAN_OR_EQUAL:
      return left >= right;
    default:
      return left == right;
  }
}

}  // namespace

Result<AuditStatus> ReadAuditStatus() {
  ASSIGN_OR_RETURN(const base::UniqueFd fd, OpenNetlink(NETLINK_AUDIT, 0, 0));
  AuditStatus out;
  bool told = false;
  auto asked = AskNetlink(fd.get(), AUDIT_GET, 0, "", [&](uint16_t type, std::span<const char> payload) {
    if (type != AUDIT_GET) return;
    audit_status status{};
    std::memcpy(&status, payload.data(), std::min(sizeof(status), payload.size()));
    out = {.enabled = status.enabled,
           .pid = status.pid,
           .rate_limit = status.rate_limit,
           .backlog_limit = status.backlog_limit,
           .lost = status.lost,
           .backlog = status.backlog};
    told = true;
  });
  if (!asked) return Wrap(std::move(asked).error(), "audit status");
  if (!told) return Fail(Code::kUnavailable, "audit status: the kernel does not tell it");
  return out;
}

std::optional<ExcludeRule> HidesSeccomp(std::string_view rule) {
  audit_rule_data data{};
  constexpr size_t kSize = offsetof(audit_rule_data, buf);
  if (rule.size() < kSize) return std::nullopt;
  std::memcpy(static_cast<void*>(&data), rule.data(), kSize);
  if (data.flags != AUDIT_FILTER_EXCLUDE || data.field_count > AUDIT_MAX_FIELDS) return std::nullopt;
  // On this list every action hides.
  ExcludeRule out{.text = "-a never,exclude", .hides_all = true};
  std::string_view strings = rule.substr(kSize);
  for (uint32_t i = 0; i < data.field_count; ++i) {
    const uint32_t operation = data.fieldflags[i] & AUDIT_OPERATORS;
    const std::string_view name = NameOfField(data.fields[i]);
    if (data.fields[i] == AUDIT_MSGTYPE) {
      if (!Holds(AUDIT_SECCOMP, operation, data.values[i])) return std::nullopt;
      out.text += fmt::format(" -F msgtype{}{}", NameOfOperator(operation),
                              data.values[i] == AUDIT_SECCOMP ? "SECCOMP" : std::to_string(data.values[i]));
      continue;
    }
    out.hides_all = false;
    std::string value = std::to_string(data.values[i]);
    if (data.fields[i] == AUDIT_EXE) {
      value = strings.substr(0, data.values[i]);
      strings.remove_prefix(std::min<size_t>(data.values[i], strings.size()));
    }
    out.text += fmt::format(" -F {}{}{}", name.empty() ? "field" + std::to_string(data.fields[i]) : std::string(name),
                            NameOfOperator(operation), value);
  }
  return out;
}

Result<std::vector<ExcludeRule>> ReadExcludeRules() {
  ASSIGN_OR_RETURN(const base::UniqueFd fd, OpenNetlink(NETLINK_AUDIT, 0, 0));
  std::vector<ExcludeRule> out;
  auto asked = AskNetlink(fd.get(), AUDIT_LIST_RULES, 0, "", [&](uint16_t type, std::span<const char> payload) {
    if (type != AUDIT_LIST_RULES) return;
    if (auto rule = HidesSeccomp({payload.data(), payload.size()})) out.push_back(std::move(*rule));
  });
  if (!asked) return Wrap(std::move(asked).error(), "audit rules");
  return out;
}

}  // namespace portcullis::insight
