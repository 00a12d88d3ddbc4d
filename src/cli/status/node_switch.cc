#include "cli/status/node_switch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/document.h"
#include "base/try.h"
#include "base/unique_fd.h"

namespace portcullis::cli {
namespace {

constexpr size_t kMaxAnswer = 1u << 20;

using Deadline = std::chrono::steady_clock::time_point;

Result<void> WaitFor(int fd, short events, Deadline deadline) {
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - base::Now()).count();
    pollfd waiting{.fd = fd, .events = events, .revents = 0};
    const int ready = poll(&waiting, 1, static_cast<int>(std::max<int64_t>(0, left)));
    if (ready > 0) return {};
    if (ready == 0) return Fail(Code::kDeadlineExceeded, "no answer in time");
    if (errno != EINTR) return FailErrno(errno, "poll");
  }
}

Result<base::UniqueFd> ConnectTo(const std::string& address, uint16_t port, Deadline deadline) {
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_port = htons(port);
  if (inet_pton(AF_INET, address.c_str(), &target.sin_addr) != 1) {
    return Fail(Code::kInvalidArgument, "{} is not an IPv4 address", address);
  }
  base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return FailErrno(errno, "open a socket");
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&target), sizeof(target)) == 0) return fd;
  if (errno != EINPROGRESS) return FailErrno(errno, "connect");
  TRY(WaitFor(fd.get(), POLLOUT, deadline));
  int fault = 0;
  socklen_t size = sizeof(fault);
  if (getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &fault, &size) != 0) fault = errno;
  if (fault != 0) return FailErrno(fault, "connect");
  return fd;
}

// HTTP/1.0, so that the answer simply ends with the connection.
Result<std::string> Get(int fd, const std::string& path, Deadline deadline) {
  const std::string request = "GET " + path + " HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
    return FailErrno(errno, "send");
  }
  std::string answer;
  std::array<char, 16384> chunk;
  while (true) {
    TRY(WaitFor(fd, POLLIN, deadline));
    const ssize_t count = recv(fd, chunk.data(), chunk.size(), 0);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) return FailErrno(errno, "receive");
    if (count == 0) break;
    answer.append(chunk.data(), static_cast<size_t>(count));
    if (answer.size() > kMaxAnswer)
      return Fail(Code::kResourceExhausted, "the answer is longer than {} bytes", kMaxAnswer);
  }
  const size_t body = answer.find("\r\n\r\n");
  const std::string status = answer.substr(0, answer.find("\r\n"));
  if (body == std::string::npos || !status.starts_with("HTTP/1.")) return Fail(Code::kInternal, "not an HTTP answer");
  if (status.find(" 200") == std::string::npos) return Fail(Code::kNotFound, "answered {}", status);
  return answer.substr(body + 4);
}

Result<bool> Ask(const std::string& address, uint16_t port, Deadline deadline) {
  ASSIGN_OR_RETURN(const base::UniqueFd fd, ConnectTo(address, port, deadline));
  ASSIGN_OR_RETURN(const std::string body, Get(fd.get(), "/configz", deadline));
  return SwitchFromConfigz(body);
}

}  // namespace

Result<bool> SwitchFromConfigz(std::string_view json) {
  ASSIGN_OR_RETURN(const nlohmann::json document, base::ParseJson(json, "configz"));
  // Our node tells what flag and file come to together; a kubelet's configz has the file's part alone.
  const nlohmann::json::json_pointer decided("/seccompDefault/enabled");
  if (document.contains(decided) && document[decided].is_boolean()) return document[decided].get<bool>();
  const auto config = document.is_object() ? document.find("kubeletconfig") : document.end();
  if (config == document.end() || !config->is_object()) return Fail(Code::kInternal, "configz has no kubeletconfig");
  const auto value = config->find("seccompDefault");
  if (value == config->end()) return false;
  if (!value->is_boolean()) return Fail(Code::kInternal, "configz: seccompDefault is not a boolean");
  return value->get<bool>();
}

Result<bool> ReadNodeSwitch(const std::string& address, uint16_t port, std::chrono::milliseconds timeout) {
  auto answer = Ask(address, port, base::Now() + timeout);
  if (!answer) return Wrap(std::move(answer).error(), "ask the node at http://{}:{}/configz", address, port);
  return answer;
}

}  // namespace portcullis::cli
