// What the runtime and portcullis-pause say to each other, over one SOCK_SEQPACKET socket: one request, one answer.
//
// The request is a row of strings "key=value", each ended by a NUL (runtime/container/pause_request.h writes it):
//
//   unshare=pid|ipc|uts|mount|cgroup   a namespace of its own; `mount` must be among them
//   network=PATH                       the network namespace to join
//   root=PATH                          what becomes its read-only root: an empty folder
//   hostname=NAME  sysctl=NAME=VALUE  oom-score-adj=NUMBER
//   uid=NUMBER  gid=NUMBER  group=NUMBER
//   filter=FLAGS                       install the filter of kPauseFilterFd, with these SECCOMP_FILTER_FLAG_*
//   device-cgroup=PATH                 a cgroup v2 folder in which no device may be used
//
// Keys may come in any order, `sysctl`, `group` and `unshare` several times; an unknown one is an error, so that a
// setting is never left out in silence. Capabilities, keyrings, descriptors and new privileges are always given up.
#pragma once

#include <cstddef>
#include <cstdint>

namespace portcullis::helper {

inline constexpr int kPauseSocketFd = 3;
inline constexpr int kPauseFilterFd = 4;  // struct sock_filter[], to be mapped
inline constexpr std::size_t kMaxPauseRequest = 32768;
inline constexpr std::size_t kMaxPauseSysctls = 64;
inline constexpr std::size_t kMaxPauseGroups = 256;

// error == 0: the pause process is up, confined, and has this pid. Else `step` says what failed.
struct PauseAnswer {
  std::int32_t pid;
  std::int32_t error;
  char step[120];
};

}  // namespace portcullis::helper
