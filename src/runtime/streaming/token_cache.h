// Requests between the CRI call that made them and the connection that uses them. The token in the URL is the only
// secret: it is random, works once, and not for long. Limits are Kubernetes' (k8s.io/cri-streaming).
//
//   ASSIGN_OR_RETURN(std::string token, cache.Insert(request, base::Now()));
//   std::optional<Request> request = cache.Take(token, base::Now());    // a second time: nullopt
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"

namespace portcullis::runtime {

inline constexpr size_t kMaxWaitingRequests = 1000;
inline constexpr std::chrono::minutes kTokenLife{1};

// Eight characters of the URL-safe base64 alphabet, from getrandom(2).
std::string MakeToken();

// Thread-safe.
template <class Request>
class TokenCache {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // kResourceExhausted when too many wait.
  Result<std::string> Insert(Request request, Time now) {
    const std::lock_guard lock(mutex_);
    std::erase_if(waiting_, [now](const auto& item) { return item.second.until <= now; });
    if (waiting_.size() >= kMaxWaitingRequests) {
      return Fail(Code::kResourceExhausted, "maximum number of in-flight requests exceeded");
    }
    std::string token = MakeToken();
    while (waiting_.contains(token)) token = MakeToken();
    waiting_.emplace(token, Item{std::move(request), now + kTokenLife});
    return token;
  }

  std::optional<Request> Take(const std::string& token, Time now) {
    const std::lock_guard lock(mutex_);
    auto found = waiting_.extract(token);
    if (found.empty() || found.mapped().until <= now) return std::nullopt;
    return std::move(found.mapped().request);
  }

 private:
  struct Item {
    Request request;
    Time until;
  };
  std::mutex mutex_;
  std::map<std::string, Item> waiting_;
};

}  // namespace portcullis::runtime
