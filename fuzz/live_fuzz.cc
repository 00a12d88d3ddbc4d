// What the kernel sends over netlink. First byte modulo 3: a datagram of process events; one of the audit system's,
// whose messages are read as the rules that they may be; a live record.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "insight/evidence/audit_record.h"
#include "insight/live/audit_control.h"
#include "insight/live/netlink_socket.h"
#include "insight/live/proc_events.h"
#include "require.h"

using namespace portcullis;

namespace {

bool IsWithin(std::span<const char> part, std::span<const char> whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void TryEvent(std::span<const char> datagram) {
  const auto event = insight::ParseProcEvent(datagram);
  if (event) Require(event->kind == insight::ProcEvent::Kind::kFork || event->parent == 0);
}

void TryMessages(std::span<const char> datagram) {
  size_t taken = 0;
  insight::ForEachNetlinkMessage(datagram, [&](const nlmsghdr&, std::span<const char> payload) {
    Require(IsWithin(payload, datagram));
    taken += sizeof(nlmsghdr) + payload.size();
    const auto rule = insight::HidesSeccomp({payload.data(), payload.size()});
    if (rule) Require(rule->text.starts_with("-a never,exclude"));
  });
  Require(taken <= datagram.size());
}

void TryRecord(std::span<const char> payload) {
  const auto record = insight::ParseAuditPayload({payload.data(), payload.size()});
  if (!record) return;
  Require(IsWithin(record->comm, payload) && IsWithin(record->exe, payload));
  (void)insight::DecodeAuditString(record->comm);
  (void)insight::DecodeAuditString(record->exe);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::span<const char> rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 3 == 0) {
    TryEvent(rest);
  } else if (data[0] % 3 == 1) {
    TryMessages(rest);
  } else {
    TryRecord(rest);
  }
  return 0;
}
