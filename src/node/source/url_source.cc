#include "node/source/url_source.h"

#include <utility>

#include "base/clock.h"
#include "spec/k8s/static_pod.h"

namespace portcullis::node {

UrlSource::UrlSource(UrlSourceOptions options, Callback callback)
    : options_(std::move(options)),
      callback_(std::move(callback)),
      pods_(http::ShownUrl(options_.url), options_.node_name) {}

UrlSource::~UrlSource() { Stop(); }

void UrlSource::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void UrlSource::Stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

Result<http::ClientResponse> UrlSource::Fetch(const std::stop_token& stop) const {
  http::ClientRequest request;
  request.url = options_.url;
  for (const auto& [name, values] : options_.headers) {
    // libcurl takes "Name;" for a header without a value.
    for (const std::string& value : values)
      request.own_headers.push_back(value.empty() ? name + ";" : name + ": " + value);
  }
  request.max_body_bytes = k8s::kMaxManifestBytes;
  request.timeout = options_.timeout;
  request.stop = stop;
  return http::Send(request, {});
}

void UrlSource::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto answer = Fetch(stop);
    if (stop.stop_requested()) return;
    if (pods_.Take(answer, base::NowUnixNanos())) callback_(pods_.update());
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, options_.check_frequency, [] { return false; });
  }
}

}  // namespace portcullis::node
