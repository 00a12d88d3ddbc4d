// The name in the file system of a listening unix socket.
//
// The socket is made in a folder that is the owner's alone, gets its mode there, and is renamed over the final name:
// nobody can connect to it before it has its mode, whatever the umask, and the name of a dead server is replaced in one
// step.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace portcullis::cri {

class SocketPlace {
 public:
  // kFailedPrecondition when `path` is no socket or a server answers on it; kInvalidArgument when it is too long for a
  // client to connect to.
  static Result<std::unique_ptr<SocketPlace>> Prepare(const std::string& path);
  ~SocketPlace();  // as Remove
  SocketPlace(const SocketPlace&) = delete;
  SocketPlace& operator=(const SocketPlace&) = delete;

  // Where to listen, short whatever the path; good as long as this object.
  std::string address() const;
  // The socket listens now: gives it `mode` and its final name.
  Result<void> Publish(mode_t mode);
  // Removes the name, unless it is another server's by now. While the socket still listens, for its inode's sake.
  void Remove();

 private:
  SocketPlace(std::string path, std::string folder, base::UniqueFd dir);

  std::string path_;
  std::string folder_;
  base::UniqueFd dir_;
  bool published_ = false;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace portcullis::cri
