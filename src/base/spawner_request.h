// What base::Spawn and the spawner say to each other: one memory file a request, one small answer.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace portcullis::base {

inline constexpr int kMostSpawnFds = 64;

// The memory file: this, then room for `argc + 1 + envc + 1` pointers, then the strings, each ended by a NUL: argv,
// env, the program, the working folder ("": stay).
struct SpawnRequest {
  uint64_t size;  // of the whole file, this included
  uint32_t argc;
  uint32_t envc;
  uint32_t has_env;  // 0: the helper's own environment
  uint32_t new_session;
  uint32_t fd_count;
  int32_t fds[kMostSpawnFds];  // numbers in the child of the descriptors that came with the request, in their order
};

// With `pid > 0` one descriptor comes along, its pidfd. `error` != 0 and `pid > 0`: the child ended before its program
// began, and is to be reaped.
struct SpawnAnswer {
  int32_t error;
  int32_t pid;
};

// The helper's main loop: serves `socket` until its peer closes it; never returns.
[[noreturn]] void ServeSpawns(int socket);

}  // namespace portcullis::base
