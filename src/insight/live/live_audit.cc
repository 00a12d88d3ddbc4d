#include "insight/live/live_audit.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstring>

#include "base/clock.h"
#include "base/strings.h"
#include "base/try.h"
#include "base/unique_fd.h"
#include "insight/live/audit_control.h"
#include "insight/live/audit_mark.h"
#include "insight/live/netlink_socket.h"
#include "insight/live/serial_gaps.h"

namespace portcullis::insight {
namespace {

// A record takes about a kilobyte of it: room for tens of thousands while the reader is busy.
constexpr int kReceiveBytes = 64 << 20;
constexpr uint32_t kReadLogGroup = 1u << (AUDIT_NLGRP_READLOG - 1);
// The kernel writes a mark in milliseconds; at the end, more may be in front of it.
constexpr std::chrono::seconds kFirstMarkTime{2};
constexpr std::chrono::seconds kMarkTime{10};
constexpr size_t kKernelLogBytes = 8192;  // /dev/kmsg gives one message a read, at most PRINTK_MESSAGE_MAX

// "audit(1613596317.899:6461): …": the number of the event, whatever its type; 0: none.
uint64_t SerialOf(std::string_view payload) {
  const size_t colon = payload.find(':');
  if (!payload.starts_with("audit(") || colon == std::string_view::npos) return 0;
  uint64_t serial = 0;
  const std::string_view digits = payload.substr(colon + 1);
  (void)std::from_chars(digits.data(), digits.data() + digits.size(), serial);
  return serial;
}

// The kernel sends audit messages to sockets of the first network namespace only.
bool IsInFirstNetworkNamespace() {
  struct stat own{};
  struct stat first{};
  if (::stat("/proc/thread-self/ns/net", &own) != 0 || ::stat("/proc/1/ns/net", &first) != 0) return true;
  return own.st_ino == first.st_ino;
}

}  // namespace

struct LiveAudit::State {
  AuditSource source = AuditSource::kMulticast;
  std::string why_not_multicast;
  base::UniqueFd fd;
  // Multicast.
  std::optional<uint32_t> lost_at_open;
  uint64_t overruns = 0;
  SerialGaps gaps;
  uint64_t damaged = 0;
  uint32_t last_mark = 0;
  // The kernel's log.
  uint64_t next_sequence = 0;
  uint64_t missed = 0;
  std::vector<Loss> told;  // what its messages say

  Result<void> OpenMulticast() {
    if (!IsInFirstNetworkNamespace()) {
      return Fail(Code::kFailedPrecondition,
                  "the kernel sends audit records to the first network namespace only, and this is another");
    }
    ASSIGN_OR_RETURN(fd, OpenNetlink(NETLINK_AUDIT, kReadLogGroup, kReceiveBytes));
    if (const auto status = ReadAuditStatus()) lost_at_open = status->lost;
    source = AuditSource::kMulticast;
    // That a mark of our own comes shows that records do: the group can be joined where none ever arrives.
    return ReadToMark(kFirstMarkTime, [](const AuditRecord&) {});
  }

  Result<void> ReadToMark(std::chrono::milliseconds patience, const Take& take) {
    ASSIGN_OR_RETURN(const uint32_t mark, LeaveAuditMark());
    const auto end = base::Now() + patience;
    while (last_mark != mark) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - base::Now());
      if (left.count() <= 0) {
        return Fail(Code::kUnavailable, "a logged call of our own does not show among the audit records");
      }
      TRY(Wait(left));
      TRY(ReadMulticast(take));
    }
    return {};
  }

  Result<void> Wait(std::chrono::milliseconds timeout) const {
    pollfd wait{.fd = fd.get(), .events = POLLIN, .revents = 0};
    if (::poll(&wait, 1, static_cast<int>(timeout.count())) < 0 && errno != EINTR) {
      return FailErrno(errno, "wait for audit records");
    }
    return {};
  }

  Result<void> OpenKernelLog() {
    fd.Reset(::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!fd.valid()) return FailErrno(errno, "open /dev/kmsg");
    if (::lseek(fd.get(), 0, SEEK_END) < 0) return FailErrno(errno, "seek to the end of /dev/kmsg");
    source = AuditSource::kKernelLog;
    return {};
  }

  Result<void> ReadMulticast(const Take& take) {
    ASSIGN_OR_RETURN(const NetlinkRead read, ReadNetlink(fd.get(), [&](std::span<const char> datagram) {
                       if (datagram.size() < sizeof(nlmsghdr)) return;
                       nlmsghdr header{};
                       std::memcpy(&header, datagram.data(), sizeof(header));
                       const std::string_view payload(datagram.data() + sizeof(header),
                                                      datagram.size() - sizeof(header));
                       gaps.Seen(SerialOf(payload));
                       if (header.nlmsg_type != kAuditSeccomp) return;
                       const auto record = ParseAuditPayload(payload);
                       if (!record) {
                         ++damaged;
                       } else if (IsAuditMark(*record)) {
                         last_mark = record->number;
                       } else {
                         take(*record);
                       }
                     }));
    if (read.overrun) ++overruns;
    return {};
  }

  Result<void> ReadKernelLog(const Take& take) {
    char buffer[kKernelLogBytes];
    while (true) {
      const ssize_t size = ::read(fd.get(), buffer, sizeof(buffer));
      if (size < 0) {
        if (errno == EINTR) continue;
        if (errno == EAGAIN) return {};
        // Messages were overwritten before they were read; how many, the next one's number tells.
        if (errno == EPIPE) continue;
        return FailErrno(errno, "read /dev/kmsg");
      }
      std::string_view line(buffer, static_cast<size_t>(size));
      line = line.substr(0, line.find('\n'));
      // "5,876,3535304332,-;text"
      const size_t comma = line.find(',');
      uint64_t sequence = 0;
      if (comma != std::string_view::npos) {
        (void)std::from_chars(line.data() + comma + 1, line.data() + line.size(), sequence);
      }
      if (next_sequence != 0 && sequence > next_sequence) missed += sequence - next_sequence;
      next_sequence = sequence + 1;
      TakeLine(line, take);
    }
  }

  void TakeLine(std::string_view line, const Take& take) {
    const AuditLine parsed = ParseAuditLine(line);
    if (parsed.kind == LineKind::kRecord) take(parsed.record);
    if (parsed.kind == LineKind::kDamaged) ++damaged;
    // Counters since boot are asked of the audit system.
    if (parsed.kind == LineKind::kLostCount && !parsed.lost_is_total) {
      told.push_back(
          {std::string(parsed.lost_where), parsed.lost, "messages that the kernel itself says it suppressed"});
    }
  }
};

LiveAudit::LiveAudit(std::unique_ptr<State> state) : state_(std::move(state)) {}
LiveAudit::LiveAudit(LiveAudit&&) noexcept = default;
LiveAudit& LiveAudit::operator=(LiveAudit&&) noexcept = default;
LiveAudit::~LiveAudit() = default;

Result<LiveAudit> LiveAudit::Open(AuditSource source) {
  auto state = std::make_unique<State>();
  if (source != AuditSource::kKernelLog) {
    auto opened = state->OpenMulticast();
    if (opened) return LiveAudit(std::move(state));
    if (source == AuditSource::kMulticast) return Wrap(std::move(opened).error(), "live audit records");
    state->why_not_multicast = opened.error().message;
  }
  if (auto opened = state->OpenKernelLog(); !opened) {
    if (!state->why_not_multicast.empty()) opened.error().message += "; and " + state->why_not_multicast;
    return Wrap(std::move(opened).error(), "live audit records");
  }
  return LiveAudit(std::move(state));
}

AuditSource LiveAudit::source() const { return state_->source; }
const std::string& LiveAudit::why_not_multicast() const { return state_->why_not_multicast; }
int LiveAudit::fd() const { return state_->fd.get(); }

Result<void> LiveAudit::Receive(std::chrono::milliseconds timeout, const Take& take) {
  TRY(state_->Wait(timeout));
  return state_->source == AuditSource::kMulticast ? state_->ReadMulticast(take) : state_->ReadKernelLog(take);
}

Result<void> LiveAudit::ReceiveAllSoFar(const Take& take) {
  if (state_->source == AuditSource::kKernelLog) return Receive(std::chrono::milliseconds(0), take);
  return state_->ReadToMark(kMarkTime, take);
}

std::vector<Loss> LiveAudit::Losses() const {
  std::vector<Loss> out = state_->told;
  const auto lose = [&out](const char* where, uint64_t count, const char* why) {
    if (count > 0) out.push_back({where, count, why});
  };
  if (state_->source == AuditSource::kMulticast) {
    // How many, the serial numbers tell; the kernel tells no count.
    if (state_->overruns > 0 && state_->gaps.Missing() == 0) {
      out.push_back({"audit", 0, "records that were not read in time"});
    }
    lose("audit", state_->gaps.Missing(), "events whose number is missing");
    const auto status = ReadAuditStatus();
    if (status && state_->lost_at_open) {
      lose("audit", LostSince(*state_->lost_at_open, status->lost),
           "records that the audit system gave up (audit_lost)");
    }
  }
  lose("kmsg", state_->missed, "messages of the kernel's log that were overwritten before they were read");
  lose(state_->source == AuditSource::kMulticast ? "audit" : "kmsg", state_->damaged, "records that are cut off");
  return out;
}

}  // namespace portcullis::insight
