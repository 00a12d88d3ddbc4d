// Static pods from a URL (staticPodURL): asks every `check_frequency` and reports the whole desired state whenever it
// changes. What an answer means is UrlPods'.
//
//   UrlSource source({.url = "http://config/pods", .node_name = "n1"}, [&](SourceUpdate update) { ... });
//   source.Start();
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "node/source/url_pods.h"

namespace portcullis::node {

struct UrlSourceOptions {
  std::string url;                                          // http or https; may hold a user and password
  std::map<std::string, std::vector<std::string>> headers;  // sent to the URL's own origin alone
  std::string node_name;                                    // lower-case host name
  std::chrono::milliseconds check_frequency{std::chrono::seconds(20)};
  std::chrono::milliseconds timeout{std::chrono::seconds(10)};  // of one request, as the kubelet's
};

class UrlSource {
 public:
  // Called on the source's thread, never twice at once.
  using Callback = std::function<void(SourceUpdate)>;

  UrlSource(UrlSourceOptions options, Callback callback);
  ~UrlSource();  // stops
  UrlSource(const UrlSource&) = delete;
  UrlSource& operator=(const UrlSource&) = delete;

  void Start();
  void Stop();  // idempotent; ends a request at work; no callback runs after it returns

 private:
  void Run(const std::stop_token& stop);
  Result<http::ClientResponse> Fetch(const std::stop_token& stop) const;

  const UrlSourceOptions options_;
  const Callback callback_;
  UrlPods pods_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace portcullis::node
