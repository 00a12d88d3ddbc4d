// Threads that may not be had. A machine whose processes are all taken (pid_max, threads-max, a cgroup's pids.max; a
// container that forks without end takes them) gives none, and std::thread and std::async throw then: uncaught, that
// would end the daemon.
//
//   ASSIGN_OR_RETURN(std::thread worker, base::StartThread("mount an overlay", [&] { ... }));
//   std::future<Result<void>> made = base::Async([&] { return Make(); });   // get() makes it where no thread could
#pragma once

#include <functional>
#include <future>
#include <system_error>
#include <thread>
#include <utility>

#include "base/result.h"

namespace portcullis::base {

// kResourceExhausted, with the errno: "make a network namespace: no thread for it: resource temporarily unavailable".
Result<std::thread> StartThread(std::string_view what, std::function<void()> work);

// Runs `work` beside the caller; without a thread, in the caller's own when it waits for the result or asks for it.
// Then a future that is dropped has done nothing.
template <class Work>
auto Async(Work work) -> std::future<decltype(work())> {
  try {
    return std::async(std::launch::async, work);
  } catch (const std::system_error&) {
    return std::async(std::launch::deferred, std::move(work));
  }
}

}  // namespace portcullis::base
