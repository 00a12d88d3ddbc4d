#include "insight/live/netlink_socket.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <string>

#include "base/clock.h"

namespace portcullis::insight {
namespace {

// Larger than any message of the audit system (MAX_AUDIT_MESSAGE_LENGTH 8970) and the connector.
constexpr size_t kDatagramBytes = 64u << 10;
constexpr std::chrono::milliseconds kAnswerTime{2000};

}  // namespace

Result<base::UniqueFd> OpenNetlink(int protocol, uint32_t groups, int receive_bytes) {
  base::UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
  if (!fd.valid()) return FailErrno(errno, "open a netlink socket of protocol {}", protocol);
  if (receive_bytes > 0 &&
      ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &receive_bytes, sizeof(receive_bytes)) != 0) {
    (void)::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
  }
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return FailErrno(errno, "join the netlink group {} of protocol {}", groups, protocol);
  }
  return fd;
}

Result<NetlinkRead> ReadNetlink(int fd, const std::function<void(std::span<const char>)>& take) {
  NetlinkRead out;
  char buffer[kDatagramBytes];  // of this call alone: `take` may read from another socket
  while (true) {
    sockaddr_nl sender{};
    socklen_t sender_size = sizeof(sender);
    const ssize_t size = ::recvfrom(fd, buffer, sizeof(buffer), 0, reinterpret_cast<sockaddr*>(&sender), &sender_size);
    if (size < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return out;
      if (errno != ENOBUFS) return FailErrno(errno, "read from the netlink socket");
      out.overrun = true;
      continue;
    }
    // Only the kernel is believed.
    if (sender.nl_pid == 0) take({buffer, static_cast<size_t>(size)});
  }
}

void ForEachNetlinkMessage(std::span<const char> datagram,
                           const std::function<void(const nlmsghdr&, std::span<const char> payload)>& take) {
  for (size_t at = 0; at + sizeof(nlmsghdr) <= datagram.size();) {
    nlmsghdr one{};
    std::memcpy(&one, datagram.data() + at, sizeof(one));
    // The audit system leaves its header out of some lengths.
    const size_t size = std::max<size_t>(one.nlmsg_len, sizeof(one));
    if (size > datagram.size() - at) break;
    take(one, datagram.subspan(at + sizeof(one), size - sizeof(one)));
    at += NLMSG_ALIGN(size);
  }
}

Result<void> AskNetlink(int fd, uint16_t type, uint16_t flags, std::string_view payload,
                        const std::function<void(uint16_t type, std::span<const char> payload)>& take) {
  static std::atomic<uint32_t> sequence = 0;
  nlmsghdr header{};
  header.nlmsg_len = static_cast<uint32_t>(NLMSG_LENGTH(payload.size()));
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
  header.nlmsg_seq = ++sequence;
  std::string message(reinterpret_cast<const char*>(&header), sizeof(header));
  message += payload;
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (::sendto(fd, message.data(), message.size(), 0, reinterpret_cast<const sockaddr*>(&kernel), sizeof(kernel)) < 0) {
    return FailErrno(errno, "send a netlink message of type {}", type);
  }
  const auto deadline = base::Now() + kAnswerTime;
  bool acknowledged = false;
  bool answered = false;
  int refused = 0;
  while (!(refused != 0 || (acknowledged && answered))) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - base::Now());
    pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
    // An acknowledgement without an answer: there is none, or it comes at once.
    const auto patience = acknowledged ? std::chrono::milliseconds(50) : left;
    if (left.count() <= 0 || ::poll(&wait, 1, static_cast<int>(patience.count())) <= 0) break;
    const auto read = ReadNetlink(fd, [&](std::span<const char> datagram) {
      ForEachNetlinkMessage(datagram, [&](const nlmsghdr& one, std::span<const char> body) {
        if (one.nlmsg_type == NLMSG_ERROR && body.size() >= sizeof(int)) {
          int error = 0;
          std::memcpy(&error, body.data(), sizeof(error));
          if (error != 0) refused = -error;
          acknowledged = true;
        } else if (one.nlmsg_type == NLMSG_DONE) {
          answered = true;
          acknowledged = true;
        } else {
          take(one.nlmsg_type, body);
          // Lists end with NLMSG_DONE; a single answer is the whole.
          if ((one.nlmsg_flags & NLM_F_MULTI) == 0) answered = true;
        }
      });
    });
    if (!read) return Failure(read.error());
  }
  if (refused != 0) return FailErrno(refused, "netlink message of type {}", type);
  if (!acknowledged)
    return Fail(Code::kDeadlineExceeded, "netlink message of type {}: the kernel does not answer", type);
  return {};
}

}  // namespace portcullis::insight
