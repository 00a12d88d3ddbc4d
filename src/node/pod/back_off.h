// Exponential delays per key, measured from when the thing last ended. Pure: the caller brings the clock.
//
//   first failure of a key at t: RetryAt -> nullopt (at once); Next(key, t, now) -> its delay is 10 s
//   ends again at u:             RetryAt(key, u) -> u + 10 s;  Next -> 20 s;  then 40 s ... 300 s
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "node/pod/settings.h"

namespace portcullis::node {

// Whether what happened at `since` has to wait until `until`. Times are of the host's clock, which may be set back:
// what is yet to come has happened before that, and nothing waits for hours because of it.
constexpr bool MustWait(int64_t since, int64_t until, int64_t now) { return since <= now && until > now; }

class BackOff {
 public:
  BackOff() = default;
  explicit BackOff(const BackOffSettings& settings);

  // When the next try is due for what ended at `ended`; nullopt: no delay is known for it.
  std::optional<int64_t> RetryAt(const std::string& key, int64_t ended) const;
  // Notes a try made `now` after an end at `ended`: starts the series or takes its next step.
  void Next(const std::string& key, int64_t ended, int64_t now);
  int64_t Delay(const std::string& key) const;  // nanoseconds; 0 when unknown

 private:
  struct Entry {
    int64_t delay = 0;
    int64_t updated = 0;
  };
  bool Expired(const Entry& entry, int64_t ended) const { return ended - entry.updated > reset_; }

  int64_t first_ = 10'000'000'000;
  int64_t max_ = 300'000'000'000;
  int64_t reset_ = 600'000'000'000;
  std::map<std::string, Entry> entries_;
};

}  // namespace portcullis::node
