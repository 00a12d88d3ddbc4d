// A netlink socket: opened, bound to multicast groups, with a receive buffer that holds a burst.
//
//   ASSIGN_OR_RETURN(base::UniqueFd fd, OpenNetlink(NETLINK_AUDIT, kAuditReadLogGroup, 32 << 20));
//
// Source: netlink(7).
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace portcullis::insight {

// `groups` is a bit mask; 0: none. `receive_bytes` is forced over net.core.rmem_max where the caller has CAP_NET_ADMIN.
Result<base::UniqueFd> OpenNetlink(int protocol, uint32_t groups, int receive_bytes);

struct NetlinkRead {
  bool overrun = false;  // the kernel dropped messages, because they were not read in time (ENOBUFS)
};
// Reads what is there without waiting, and gives each datagram to `take`, its netlink header included. The span holds
// for the call, also when `take` itself reads from another socket.
Result<NetlinkRead> ReadNetlink(int fd, const std::function<void(std::span<const char>)>& take);

// The messages of one datagram, each with what follows its header; a message that is cut off ends them. Pure.
void ForEachNetlinkMessage(std::span<const char> datagram,
                           const std::function<void(const nlmsghdr&, std::span<const char> payload)>& take);

// Sends one message of `type` with `payload` and gives every answer's type and payload to `take`, until the kernel says
// that it is done; its error is the result's. Waits two seconds at most.
Result<void> AskNetlink(int fd, uint16_t type, uint16_t flags, std::string_view payload,
                        const std::function<void(uint16_t type, std::span<const char> payload)>& take);

}  // namespace portcullis::insight
