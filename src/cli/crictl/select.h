// Finding the containers and pods that the user means.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/crictl/options.h"
#include "cli/crictl/session.h"

namespace portcullis::cli {

// Full id of the container (pod) whose id begins with `prefix`. kNotFound when there is none, kInvalidArgument when the
// beginning is empty or fits several. A full id is taken as it is, without asking.
Result<std::string> ResolveContainer(Session& session, const std::string& prefix);
Result<std::string> ResolvePod(Session& session, const std::string& prefix);

// Newest first.
Result<std::vector<cri::Container>> SelectContainers(Session& session, const ContainerFilterOptions& options);
Result<std::vector<cri::PodSandbox>> SelectPods(Session& session, const PodFilterOptions& options);

// {"app=web"} -> {{"app", "web"}}
Result<std::map<std::string, std::string>> ParseLabels(const std::vector<std::string>& labels);

// Says whether `pattern` (ECMAScript regular expression; "" fits all) occurs in `text`.
class NamePattern {
 public:
  static Result<NamePattern> Compile(const std::string& pattern);
  bool Matches(const std::string& text) const { return !matches_ || matches_(text); }

 private:
  std::function<bool(const std::string&)> matches_;
};

// crictl shows 13 characters of an id; "sha256:" is not counted.
std::string TruncateId(const std::string& id);

// Names that the kubelet gives as labels; "unknown" without them, as crictl prints.
std::string PodNameFromLabels(const std::map<std::string, std::string>& labels);
std::string PodNamespaceFromLabels(const std::map<std::string, std::string>& labels);

}  // namespace portcullis::cli
