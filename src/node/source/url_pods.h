// The pods that the answers of a URL stand for, one answer after the other (kubernetes-seccomp.md 6.1, the source
// "http"). No effects but logging.
//
//   UrlPods pods("http://config/pods", "n1");
//   if (pods.Take(http::Send(...), base::NowUnixNanos())) callback(pods.update());
//
// As in the kubelet: an answer other than 200, none, or one that is not a Pod or PodList leaves the last good state as
// it is; an empty answer means no pods, and is complained about; equal bytes are not read again.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "http/client.h"
#include "node/source/manifest_store.h"

namespace portcullis::node {

class UrlPods {
 public:
  // `url` is shown in messages and is part of the pods' identity.
  UrlPods(std::string url, std::string node_name) : url_(std::move(url)), node_name_(std::move(node_name)) {
    update_.known = false;
  }

  // `now` in Unix nanoseconds. True when the desired state or the problem differs from before.
  bool Take(const Result<http::ClientResponse>& answer, int64_t now);
  const SourceUpdate& update() const { return update_; }

 private:
  struct Known {
    std::string digest;
    std::shared_ptr<const k8s::Pod> pod;
  };

  bool Bad(const std::string& error, Diagnostics diagnostics);
  bool Good();

  const std::string url_;
  const std::string node_name_;
  std::string digest_;      // of the body read last, good or bad
  std::string body_error_;  // why that body is bad
  Diagnostics body_diagnostics_;
  std::map<std::string, Known> known_;  // by UID: content that stays keeps its pod, with its time of first sight
  int failures_ = 0;                    // in a row
  SourceUpdate update_;
};

}  // namespace portcullis::node
