#include "node/source/url_pods.h"

#include <set>
#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "spec/k8s/static_pod.h"

namespace portcullis::node {
namespace {

// The kubelet's number: more of the same tells nothing.
constexpr int kLoggedFailures = 3;

}  // namespace

bool UrlPods::Take(const Result<http::ClientResponse>& answer, int64_t now) {
  if (!answer) return Bad(answer.error().message, {});
  if (answer->status != 200) return Bad(fmt::format("{}: status {}", url_, answer->status), {});
  const std::string& body = answer->body;
  if (body.empty()) {
    // Bad changes the problem alone; that there are no pods is news of its own.
    const bool changed = !update_.pods.empty() || !update_.known;
    digest_.clear();
    body_error_.clear();
    known_.clear();
    update_.pods.clear();
    update_.known = true;
    return Bad("zero-length data received from " + url_, {}) || changed;
  }
  const std::string digest = base::Sha256Hex(body);
  if (digest == digest_) {
    return body_error_.empty() ? Good() : Bad(body_error_, body_diagnostics_);
  }
  digest_ = digest;
  k8s::PodListLoad load =
      k8s::LoadStaticPods(body, {.file = url_, .node_name = node_name_, .source = "http", .seen = now});
  body_error_ = load.error;
  body_diagnostics_ = load.diagnostics;
  if (!body_error_.empty()) return Bad(body_error_, body_diagnostics_);
  for (const Diagnostic& diagnostic : load.diagnostics) {
    base::LogWarning("manifest", {{"warning", FormatDiagnostic(diagnostic)}});
  }
  std::map<std::string, Known> known;
  update_.pods.clear();
  for (size_t i = 0; i < load.pods.size(); ++i) {
    const std::string uid = load.pods[i].metadata.uid;
    const auto before = known_.find(uid);
    Known entry{load.digests[i], before != known_.end() && before->second.digest == load.digests[i]
                                     ? before->second.pod
                                     : std::make_shared<const k8s::Pod>(std::move(load.pods[i]))};
    update_.pods.push_back({entry.pod, url_});
    known.emplace(uid, std::move(entry));
  }
  known_ = std::move(known);
  update_.known = true;
  Good();
  return true;
}

bool UrlPods::Bad(const std::string& error, Diagnostics diagnostics) {
  ++failures_;
  if (failures_ > kLoggedFailures) {
    base::LogDebug("Failed to read pods from URL", {{"err", error}});
  } else {
    base::LogWarning("Failed to read pods from URL",
                     {{"err", error}, {"more", failures_ == kLoggedFailures ? "at level debug" : "yes"}});
  }
  ManifestProblem problem{url_, error, std::move(diagnostics), !update_.pods.empty()};
  const bool changed = update_.problems.empty() || update_.problems.front().error != problem.error ||
                       update_.problems.front().kept != problem.kept;
  update_.problems = {std::move(problem)};
  return changed;
}

bool UrlPods::Good() {
  if (std::exchange(failures_, 0) > 0) base::LogInfo("Successfully read pods from URL", {{"url", url_}});
  const bool changed = !update_.problems.empty();
  update_.problems.clear();
  return changed;
}

}  // namespace portcullis::node
