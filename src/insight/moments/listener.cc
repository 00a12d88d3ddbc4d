#include "insight/moments/listener.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/try.h"
#include "insight/moments/socket_address.h"

namespace portcullis::insight {
namespace {

constexpr int kBacklog = 128;
constexpr int kMessageMilliseconds = 1000;  // the runtime sends as soon as it is connected

}  // namespace

Result<MomentListener> MomentListener::Bind(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return FailErrno(errno, "listen for containers in {} (is a node or runtime running?)", folder);
  }
  std::string path = fmt::format("{}/{}.sock", folder, ::getpid());
  ::unlink(path.c_str());  // of a former process with this number
  ASSIGN_OR_RETURN(const sockaddr_un address, SocketAddress(path));
  base::UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return FailErrno(errno, "listen for containers: socket");
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(socket.get(), kBacklog) != 0) {
    return FailErrno(errno, "listen for containers at {}", path);
  }
  return MomentListener(std::move(path), std::move(socket));
}

MomentListener::MomentListener(MomentListener&& other) noexcept
    : path_(std::exchange(other.path_, "")), socket_(std::move(other.socket_)) {}

MomentListener::~MomentListener() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

void MomentListener::Take(const Handler& take, const Handler& late) const {
  for (;;) {
    const base::UniqueFd peer(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!peer.valid()) return;
    pollfd ready{.fd = peer.get(), .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, kMessageMilliseconds) != 1) continue;
    std::string text(kMaxMomentBytes + 1, '\0');
    const ssize_t size = ::recv(peer.get(), text.data(), text.size(), 0);
    if (size <= 0) continue;
    text.resize(static_cast<size_t>(size));
    const auto moment = ParseMoment(text);
    if (!moment) continue;
    take(*moment);
    if (::send(peer.get(), "ok", 2, MSG_NOSIGNAL) != 2) late(*moment);
  }
}

}  // namespace portcullis::insight
