// One message of a unix socket with descriptors beside its bytes (unix(7), SCM_RIGHTS), for the spawner and its daemon.
//
// Nothing here allocates or throws: the spawner has no heap to rely on.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace portcullis::base {

inline constexpr size_t kMostMessageFds = 65;

// False when it could not be sent whole; errno says why. No SIGPIPE.
bool SendWithFds(int socket, const void* data, size_t size, const int* fds, size_t count);

// What recvmsg(2) says: the bytes that came, 0 at the end, -1 with errno. `fds` has room for `most` descriptors, which
// are closed on exec; those that come beyond are closed. `count` is how many there are.
ssize_t ReceiveWithFds(int socket, void* data, size_t size, int* fds, size_t most, size_t& count);

}  // namespace portcullis::base
