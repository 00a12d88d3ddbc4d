#include "cli/crictl/select.h"

#include <algorithm>
#include <memory>
#include <regex>

#include "base/strings.h"
#include "base/try.h"

namespace portcullis::cli {
namespace {

constexpr size_t kFullIdLength = 64;
constexpr size_t kTruncatedLength = 13;

bool IsFullId(const std::string& id) {
  return id.size() == kFullIdLength && id.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Result<std::string> ResolvePrefix(const std::string& kind, const std::string& prefix,
                                  const std::vector<std::string>& ids) {
  std::vector<std::string> found;
  for (const std::string& id : ids) {
    if (id == prefix) return id;
    if (id.starts_with(prefix)) found.push_back(id);
  }
  if (found.empty()) {
    return Fail(Code::kNotFound, "no {} has an id that begins with {}", kind, base::Quote(prefix));
  }
  if (found.size() > 1) {
    return Fail(Code::kInvalidArgument, "{} ids begin with {}, which is ambiguous: {}, {}{}", found.size(),
                base::Quote(prefix), TruncateId(found[0]), TruncateId(found[1]), found.size() > 2 ? ", ..." : "");
  }
  return found.front();
}

template <class T>
void SortNewestFirst(std::vector<T>& items) {
  std::stable_sort(items.begin(), items.end(), [](const T& a, const T& b) { return a.created_at > b.created_at; });
}

template <class T>
void Limit(std::vector<T>& items, bool latest, int last) {
  const size_t most = last > 0 ? static_cast<size_t>(last) : latest ? 1 : items.size();
  if (items.size() > most) items.resize(most);
}

Result<std::optional<cri::ContainerState>> ContainerStateOf(const ContainerFilterOptions& options) {
  if (options.latest || options.last > 0) return std::nullopt;  // crictl: these show all states
  const std::string state = base::ToLower(options.state);
  if (state == "created") return cri::ContainerState::kContainerCreated;
  if (state == "running") return cri::ContainerState::kContainerRunning;
  if (state == "exited") return cri::ContainerState::kContainerExited;
  if (state == "unknown") return cri::ContainerState::kContainerUnknown;
  if (!state.empty()) {
    return Fail(Code::kInvalidArgument, "--state should be one of created, running, exited or unknown, not {}",
                base::Quote(options.state));
  }
  if (options.all) return std::nullopt;
  return cri::ContainerState::kContainerRunning;
}

// Id of an image under any of its names; "" when there is no such image.
Result<std::string> ImageId(Session& session, const std::string& image) {
  cri::ImageStatusRequest request;
  request.image.emplace().image = image;
  auto status = session.runtime.ImageStatus(request);
  if (!status) return Wrap(std::move(status).error(), "get the status of image {}", image);
  return status->image ? status->image->id : std::string();
}

Result<void> KeepImage(Session& session, const std::string& image, std::vector<cri::Container>& containers) {
  ASSIGN_OR_RETURN(const std::string wanted, ImageId(session, image));
  std::map<std::string, std::string> known;
  std::vector<cri::Container> kept;
  for (cri::Container& container : containers) {
    const std::string name = container.image ? container.image->image : container.image_ref;
    if (!known.contains(name)) {
      ASSIGN_OR_RETURN(known[name], ImageId(session, name));
    }
    if (!wanted.empty() && known[name] == wanted) kept.push_back(std::move(container));
  }
  containers = std::move(kept);
  return {};
}

std::string LabelOr(const std::map<std::string, std::string>& labels, const std::string& key) {
  const auto found = labels.find(key);
  return found == labels.end() ? "unknown" : found->second;
}

}  // namespace

Result<NamePattern> NamePattern::Compile(const std::string& pattern) {
  NamePattern compiled;
  if (pattern.empty()) return compiled;
  try {
    auto expression = std::make_shared<const std::regex>(pattern);
    compiled.matches_ = [expression](const std::string& text) { return std::regex_search(text, *expression); };
  } catch (const std::regex_error& error) {
    return Fail(Code::kInvalidArgument, "invalid regular expression {}: {}", base::Quote(pattern), error.what());
  }
  return compiled;
}

Result<std::map<std::string, std::string>> ParseLabels(const std::vector<std::string>& labels) {
  std::map<std::string, std::string> out;
  for (const std::string& label : labels) {
    const std::vector<std::string> parts = base::Split(label, '=');
    if (parts.size() != 2 || parts[0].empty()) {
      return Fail(Code::kInvalidArgument, "incorrectly specified label: {}, expected key=value", label);
    }
    out[parts[0]] = parts[1];
  }
  return out;
}

Result<std::string> ResolveContainer(Session& session, const std::string& prefix) {
  if (prefix.empty()) return Fail(Code::kInvalidArgument, "ID cannot be empty");
  if (IsFullId(prefix)) return prefix;
  auto list = session.runtime.ListContainers({});
  if (!list) return Wrap(std::move(list).error(), "list containers");
  std::vector<std::string> ids;
  for (const cri::Container& container : list->containers) ids.push_back(container.id);
  return ResolvePrefix("container", prefix, ids);
}

Result<std::string> ResolvePod(Session& session, const std::string& prefix) {
  if (prefix.empty()) return Fail(Code::kInvalidArgument, "ID cannot be empty");
  if (IsFullId(prefix)) return prefix;
  auto list = session.runtime.ListPodSandbox({});
  if (!list) return Wrap(std::move(list).error(), "list pod sandboxes");
  std::vector<std::string> ids;
  for (const cri::PodSandbox& pod : list->items) ids.push_back(pod.id);
  return ResolvePrefix("pod", prefix, ids);
}

Result<std::vector<cri::Container>> SelectContainers(Session& session, const ContainerFilterOptions& options) {
  ASSIGN_OR_RETURN(const NamePattern name, NamePattern::Compile(options.name_pattern));
  ASSIGN_OR_RETURN(const NamePattern pod_namespace, NamePattern::Compile(options.namespace_pattern));
  cri::ListContainersRequest request;
  cri::ContainerFilter& filter = request.filter.emplace();
  ASSIGN_OR_RETURN(filter.label_selector, ParseLabels(options.labels));
  ASSIGN_OR_RETURN(const auto state, ContainerStateOf(options));
  if (state) filter.state.emplace().state = *state;
  auto list = session.runtime.ListContainers(request);
  if (!list) return Wrap(std::move(list).error(), "list containers");
  std::vector<cri::Container> containers = std::move(list->containers);
  std::erase_if(containers, [&](const cri::Container& container) {
    return !container.id.starts_with(options.id) || !container.pod_sandbox_id.starts_with(options.pod) ||
           !name.Matches(container.metadata ? container.metadata->name : "") ||
           (!options.namespace_pattern.empty() && !pod_namespace.Matches(PodNamespaceFromLabels(container.labels)));
  });
  if (!options.image.empty()) TRY(KeepImage(session, options.image, containers));
  SortNewestFirst(containers);
  Limit(containers, options.latest, options.last);
  return containers;
}

Result<std::vector<cri::PodSandbox>> SelectPods(Session& session, const PodFilterOptions& options) {
  ASSIGN_OR_RETURN(const NamePattern name, NamePattern::Compile(options.name_pattern));
  ASSIGN_OR_RETURN(const NamePattern pod_namespace, NamePattern::Compile(options.namespace_pattern));
  cri::ListPodSandboxRequest request;
  cri::PodSandboxFilter& filter = request.filter.emplace();
  ASSIGN_OR_RETURN(filter.label_selector, ParseLabels(options.labels));
  const std::string state = base::ToLower(options.state);
  if (state == "ready") {
    filter.state.emplace().state = cri::PodSandboxState::kSandboxReady;
  } else if (state == "notready") {
    filter.state.emplace().state = cri::PodSandboxState::kSandboxNotready;
  } else if (!state.empty()) {
    return Fail(Code::kInvalidArgument, "--state should be ready or notready, not {}", base::Quote(options.state));
  }
  auto list = session.runtime.ListPodSandbox(request);
  if (!list) return Wrap(std::move(list).error(), "list pod sandboxes");
  std::vector<cri::PodSandbox> pods = std::move(list->items);
  std::erase_if(pods, [&](const cri::PodSandbox& pod) {
    const cri::PodSandboxMetadata metadata = pod.metadata.value_or(cri::PodSandboxMetadata{});
    return !pod.id.starts_with(options.id) || !name.Matches(metadata.name) ||
           !pod_namespace.Matches(metadata.namespace_);
  });
  SortNewestFirst(pods);
  Limit(pods, options.latest, options.last);
  return pods;
}

std::string TruncateId(const std::string& id) {
  const std::string digits = id.starts_with("sha256:") ? id.substr(7) : id;
  return digits.substr(0, kTruncatedLength);
}

std::string PodNameFromLabels(const std::map<std::string, std::string>& labels) {
  return LabelOr(labels, "io.kubernetes.pod.name");
}

std::string PodNamespaceFromLabels(const std::map<std::string, std::string>& labels) {
  return LabelOr(labels, "io.kubernetes.pod.namespace");
}

}  // namespace portcullis::cli
