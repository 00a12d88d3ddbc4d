// Threads for one piece of work, on a system that may have none left (TasksMax, pids.max): the standard library throws
// then, which would end the daemon and with it everybody's work.
//
//   Result<Fd> made = OnOwnThread([&] { return OpenInside(ns); });  // there, and waits; kResourceExhausted
//   auto network = Beside([&] { return cni.Add(wanted); });         // meanwhile; without a thread within get()
//   if (!AddThread(helpers, work)) ...                              // one more, where there is one
#pragma once

#include <future>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"

namespace portcullis::base {

// For what changes the calling thread for good (its namespaces, its working folder). `body` gives a Result.
template <class Body>
std::invoke_result_t<Body> OnOwnThread(Body body) {
  std::invoke_result_t<Body> out = Fail(Code::kInternal, "the thread did not run");
  try {
    std::thread([&] { out = body(); }).join();
  } catch (const std::system_error& error) {
    return Fail(Code::kResourceExhausted, "no thread: {}", error.what());
  }
  return out;
}

// The future waits for `body` where it goes away. Of the two policies libstdc++ takes the second only where it gets no
// thread; a body that nobody asks for does not run then.
template <class Body>
auto Beside(Body&& body) {
  return std::async(std::launch::async | std::launch::deferred, std::forward<Body>(body));
}

// False: none was to be had, and `body` does not run.
template <class Thread, class Body>
[[nodiscard]] bool AddThread(std::vector<Thread>& threads, Body&& body) {
  try {
    threads.emplace_back(std::forward<Body>(body));
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

}  // namespace portcullis::base
