#include "runtime/streaming/forward_connect.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>

#include <cstring>

#include "base/thread.h"
#include "base/try.h"

namespace portcullis::runtime {
namespace {

Result<base::UniqueFd> SocketInside(const std::string& network_namespace, int family) {
  if (!network_namespace.empty()) {
    const base::UniqueFd ns(::open(network_namespace.c_str(), O_RDONLY | O_CLOEXEC));
    if (!ns.valid()) return FailErrno(errno, "open network namespace {}", network_namespace);
    if (::setns(ns.get(), CLONE_NEWNET) != 0) return FailErrno(errno, "enter network namespace {}", network_namespace);
  }
  base::UniqueFd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return FailErrno(errno, "open a socket");
  return socket;
}

}  // namespace

Result<base::UniqueFd> BeginConnect(const std::string& network_namespace, int family, uint16_t port) {
  // A socket belongs to the namespace of the thread that makes it; a thread of its own leaves no other one in there.
  Result<base::UniqueFd> made = base::UniqueFd();
  ASSIGN_OR_RETURN(std::thread inside,
                   base::StartThread("connect", [&] { made = SocketInside(network_namespace, family); }));
  inside.join();
  if (!made) return made;
  sockaddr_storage address{};
  socklen_t length = 0;
  if (family == AF_INET) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(address);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    length = sizeof v4;
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    v6.sin6_addr = in6addr_loopback;
    length = sizeof v6;
  }
  if (::connect(made->get(), reinterpret_cast<const sockaddr*>(&address), length) != 0 && errno != EINPROGRESS) {
    return FailErrno(errno, "connect to port {}", port);
  }
  return made;
}

int ConnectOutcome(int socket) {
  int error = 0;
  socklen_t length = sizeof error;
  if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
  return error;
}

}  // namespace portcullis::runtime
