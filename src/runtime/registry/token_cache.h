// What registries accepted as authorization, for as long as they said that it holds: a node asks a token server once
// for the many images of a repository's pod, not once per request. Thread-safe.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>

namespace portcullis::runtime {

class TokenCache {
 public:
  using Clock = std::chrono::steady_clock;

  // "" when there is none, or it is about to end.
  std::string Get(const std::string& key, Clock::time_point now = Clock::now());
  void Put(const std::string& key, const std::string& authorization, std::chrono::seconds life,
           Clock::time_point now = Clock::now());

 private:
  struct Entry {
    std::string authorization;
    Clock::time_point ends;
  };
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

}  // namespace portcullis::runtime
