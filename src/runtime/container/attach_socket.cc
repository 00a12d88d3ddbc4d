#include "runtime/container/attach_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>

#include "base/try.h"

namespace portcullis::runtime {
namespace {

constexpr size_t kMaxPacket = 64u << 10;  // conmon's are smaller
constexpr size_t kMaxInput = 8u << 10;    // conmon cuts off what does not fit its buffer
constexpr char kStderrPacket = 3;

}  // namespace

Result<AttachSocket> AttachSocket::Connect(const std::string& path) {
  const size_t slash = path.rfind('/');
  const base::UniqueFd folder(::open(path.substr(0, slash).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) return FailErrno(errno, "attach: open {}", path.substr(0, slash));
  const std::string short_path = fmt::format("/proc/self/fd/{}{}", folder.get(), path.substr(slash));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (short_path.size() >= sizeof address.sun_path)
    return Fail(Code::kInvalidArgument, "attach: name of socket {} is too long", path);
  std::memcpy(address.sun_path, short_path.c_str(), short_path.size());
  base::UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return FailErrno(errno, "attach: open a socket");
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED)
      return Fail(Code::kFailedPrecondition, "attach: the container has no running monitor");
    return FailErrno(errno, "attach: connect to {}", path);
  }
  return AttachSocket(std::move(socket));
}

Result<std::optional<AttachSocket::Packet>> AttachSocket::Receive() {
  std::string buffer(kMaxPacket, '\0');
  const ssize_t n = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return std::optional<Packet>();
  if (n <= 0) return Fail(Code::kUnavailable, "attach: the container has ended");
  return std::optional<Packet>(
      Packet{.is_error = buffer[0] == kStderrPacket, .data = buffer.substr(1, static_cast<size_t>(n) - 1)});
}

Result<size_t> AttachSocket::Send(std::string_view data) {
  const ssize_t n = ::send(socket_.get(), data.data(), std::min(data.size(), kMaxInput), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n >= 0) return static_cast<size_t>(n);
  if (errno == EAGAIN || errno == EINTR) return size_t{0};
  return FailErrno(errno, "attach: write to the container");
}

void AttachSocket::EndInput() { ::shutdown(socket_.get(), SHUT_WR); }

}  // namespace portcullis::runtime
