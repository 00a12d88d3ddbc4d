// conmon's attach socket: the streams of a container's first process, shared by all who attach.
//
// Packets of conmon: one byte (2 standard output, 3 standard error), then data. What is written goes to the container's
// input; the end of writing closes it if the container was made with stdinOnce (conmon knows). When the container
// ends, so does the connection.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace portcullis::runtime {

class AttachSocket {
 public:
  // `path` may be longer than a socket address holds. kFailedPrecondition: nobody listens.
  static Result<AttachSocket> Connect(const std::string& path);

  int fd() const { return socket_.get(); }  // does not block

  struct Packet {
    bool is_error = false;  // standard error
    std::string data;
  };
  // nullopt: nothing there now. kUnavailable: the container has ended.
  Result<std::optional<Packet>> Receive();
  // How many bytes were taken; 0: none now.
  Result<size_t> Send(std::string_view data);
  void EndInput();

 private:
  explicit AttachSocket(base::UniqueFd socket) : socket_(std::move(socket)) {}
  base::UniqueFd socket_;
};

}  // namespace portcullis::runtime
