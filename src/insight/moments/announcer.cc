#include "insight/moments/announcer.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "base/files.h"
#include "base/log.h"
#include "base/unique_fd.h"
#include "insight/moments/socket_address.h"

namespace portcullis::insight {
namespace {

// What became of it, for the log; "" when the recorder is ready.
std::string TellOne(const std::string& path, const std::string& text, std::chrono::milliseconds patience) {
  const auto address = SocketAddress(path);
  if (!address) return address.error().message;
  const base::UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return "socket: " + ErrnoText(errno);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0) {
    const int failed = errno;
    if (failed == ECONNREFUSED) ::unlink(path.c_str());  // its recorder is gone
    return failed == ECONNREFUSED || failed == ENOENT ? "" : "connect: " + ErrnoText(failed);
  }
  if (::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) {
    return "send: " + ErrnoText(errno);
  }
  pollfd answer{.fd = socket.get(), .events = POLLIN, .revents = 0};
  if (::poll(&answer, 1, static_cast<int>(patience.count())) == 1) return "";
  return fmt::format("no answer in {} ms", patience.count());
}

}  // namespace

void MomentAnnouncer::Tell(const Moment& moment) const {
  const auto names = base::ListDir(folder_);
  if (!names) return;  // no recorder was ever here
  const std::string text = FormatMoment(moment);
  for (const std::string& name : *names) {
    if (!name.ends_with(".sock")) continue;
    if (const std::string problem = TellOne(folder_ + "/" + name, text, patience_); !problem.empty()) {
      base::LogWarning("a recorder was not told of a container",
                       {{"container", moment.id}, {"recorder", name}, {"error", problem}});
    }
  }
}

void MomentAnnouncer::OnCreated(const runtime::ContainerCreatedEvent& event) {
  Tell(
      {.kind = MomentKind::kCreated, .id = event.id, .bundle = event.bundle, .pid = event.pid, .cgroup = event.cgroup});
}

void MomentAnnouncer::OnStopping(const runtime::ContainerStoppingEvent& event) {
  Tell({.kind = MomentKind::kStopping, .id = event.id, .signal = event.signal});
}

void MomentAnnouncer::OnExit(const runtime::ContainerExitEvent& event) {
  Tell({.kind = MomentKind::kExit, .id = event.id, .exit_code = event.exit_code});
}

}  // namespace portcullis::insight
