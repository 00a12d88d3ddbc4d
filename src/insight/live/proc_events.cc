#include "insight/live/proc_events.h"

#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "base/clock.h"
#include "base/try.h"
#include "insight/live/netlink_socket.h"

namespace portcullis::insight {
namespace {

// An event takes about a kilobyte of it.
constexpr int kReceiveBytes = 64 << 20;
constexpr std::chrono::seconds kConfirmTime{1};

// The event in a datagram; nullopt: it is of another connector.
struct Received {
  uint32_t acknowledged = 0;
  proc_event event{};
};
std::optional<Received> EventIn(std::span<const char> datagram) {
  constexpr size_t kHeaders = sizeof(nlmsghdr) + sizeof(cn_msg);
  if (datagram.size() < kHeaders) return std::nullopt;
  cn_msg message{};
  std::memcpy(&message, datagram.data() + sizeof(nlmsghdr), sizeof(message));
  if (message.id.idx != CN_IDX_PROC || message.id.val != CN_VAL_PROC) return std::nullopt;
  // Later kernels may have longer events, and earlier ones shorter.
  Received out{.acknowledged = message.ack};
  std::memcpy(&out.event, datagram.data() + kHeaders, std::min(sizeof(out.event), datagram.size() - kHeaders));
  return out;
}

std::optional<ProcEvent> Translate(const proc_event& event) {
  using Kind = ProcEvent::Kind;
  switch (event.what) {
    case proc_event::PROC_EVENT_FORK:
      // Threads have their process's cgroup, as long as it is not of threads.
      if (event.event_data.fork.child_pid != event.event_data.fork.child_tgid) return std::nullopt;
      return ProcEvent{Kind::kFork, static_cast<uint32_t>(event.event_data.fork.child_tgid),
                       static_cast<uint32_t>(event.event_data.fork.parent_tgid)};
    case proc_event::PROC_EVENT_EXEC:
      return ProcEvent{Kind::kExec, static_cast<uint32_t>(event.event_data.exec.process_tgid), 0};
    case proc_event::PROC_EVENT_UID:
    case proc_event::PROC_EVENT_GID:
      return ProcEvent{Kind::kChange, static_cast<uint32_t>(event.event_data.id.process_tgid), 0};
    case proc_event::PROC_EVENT_SID:
      return ProcEvent{Kind::kChange, static_cast<uint32_t>(event.event_data.sid.process_tgid), 0};
    case proc_event::PROC_EVENT_COMM:
      return ProcEvent{Kind::kChange, static_cast<uint32_t>(event.event_data.comm.process_tgid), 0};
    case proc_event::PROC_EVENT_EXIT:
      if (event.event_data.exit.process_pid != event.event_data.exit.process_tgid) return std::nullopt;
      return ProcEvent{Kind::kExit, static_cast<uint32_t>(event.event_data.exit.process_tgid), 0};
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<ProcEvent> ParseProcEvent(std::span<const char> datagram) {
  const auto event = EventIn(datagram);
  return event ? Translate(event->event) : std::nullopt;
}

Result<ProcEvents> ProcEvents::Open() {
  ProcEvents out;
  ASSIGN_OR_RETURN(out.fd_, OpenNetlink(NETLINK_CONNECTOR, CN_IDX_PROC, kReceiveBytes));
  nlmsghdr header{};
  cn_msg message{};
  const proc_cn_mcast_op operation = PROC_CN_MCAST_LISTEN;
  header.nlmsg_len = sizeof(header) + sizeof(message) + sizeof(operation);
  header.nlmsg_type = NLMSG_DONE;
  message.id.idx = CN_IDX_PROC;
  message.id.val = CN_VAL_PROC;
  message.len = sizeof(operation);
  message.ack = std::random_device{}();
  std::string request(reinterpret_cast<const char*>(&header), sizeof(header));
  request.append(reinterpret_cast<const char*>(&message), sizeof(message));
  request.append(reinterpret_cast<const char*>(&operation), sizeof(operation));
  if (::send(out.fd_.get(), request.data(), request.size(), 0) < 0) return FailErrno(errno, "ask for process events");
  // The kernel confirms with an event that has no process; without the right to listen it stays silent. All who listen
  // get all events and confirmations: those of others say nothing of ours, which has our number, plus one.
  bool confirmed = false;
  int error = 0;
  pollfd wait{.fd = out.fd_.get(), .events = POLLIN, .revents = 0};
  const auto end = base::Now() + kConfirmTime;
  while (!confirmed) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - base::Now()).count();
    if (left <= 0 || ::poll(&wait, 1, static_cast<int>(left)) <= 0) break;
    const auto read = ReadNetlink(out.fd_.get(), [&](std::span<const char> datagram) {
      const auto received = EventIn(datagram);
      if (!received || received->event.what != proc_event::PROC_EVENT_NONE ||
          received->acknowledged != message.ack + 1) {
        return;
      }
      confirmed = true;
      error = static_cast<int>(received->event.event_data.ack.err);
    });
    if (!read) return Failure(read.error());
  }
  if (error != 0) return FailErrno(error, "ask for process events");
  if (!confirmed) return Fail(Code::kUnavailable, "ask for process events: the kernel sends none here");
  return out;
}

Result<bool> ProcEvents::Read(const std::function<void(const ProcEvent&)>& take) {
  ASSIGN_OR_RETURN(const NetlinkRead read, ReadNetlink(fd_.get(), [&](std::span<const char> datagram) {
                     if (const auto event = ParseProcEvent(datagram)) take(*event);
                   }));
  return !read.overrun;
}

}  // namespace portcullis::insight
