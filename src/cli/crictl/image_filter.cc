#include "cli/crictl/image_filter.h"

#include <algorithm>

#include "base/strings.h"
#include "base/try.h"
#include "cli/crictl/select.h"

namespace portcullis::cli {
namespace {

bool IsNamed(const cri::Image& image, const std::string& name) {
  if (name.find('@') != std::string::npos) {
    return !image.repo_digests.empty() && image.repo_digests.front().starts_with(name);
  }
  if (name.find(':') != std::string::npos && !name.starts_with("sha256:")) {
    return !image.repo_tags.empty() && image.repo_tags.front() == name;
  }
  const std::string digits = name.starts_with("sha256:") ? name.substr(7) : name;
  return image.id.starts_with(name) || image.id.starts_with("sha256:" + digits);
}

Result<std::vector<cri::Image>> Filter(std::vector<cri::Image> images, const std::string& filter) {
  const size_t equals = filter.find('=');
  const std::string kind = filter.substr(0, equals);
  const std::string value = equals == std::string::npos ? "" : filter.substr(equals + 1);
  const auto named = std::find_if(images.begin(), images.end(), [&](const auto& i) { return IsNamed(i, value); });
  if (kind == "before") {
    if (named != images.end()) images.erase(images.begin(), named + 1);
  } else if (kind == "since") {
    images.erase(named, images.end());
  } else if (kind == "dangling") {
    std::erase_if(images, [&](const cri::Image& i) { return value != (i.repo_tags.empty() ? "true" : "false"); });
  } else if (kind == "reference") {
    ASSIGN_OR_RETURN(const NamePattern pattern, NamePattern::Compile(value));
    std::erase_if(images, [&](const cri::Image& i) {
      const std::string name = i.repo_digests.empty() ? "<none>" : i.repo_digests.front();
      return !pattern.Matches(name.substr(0, name.find('@')));
    });
  } else {
    return Fail(Code::kInvalidArgument,
                "unknown filter {}, use dangling=, reference=, before= or since=", base::Quote(filter));
  }
  return images;
}

}  // namespace

Result<std::vector<cri::Image>> FilterImages(std::vector<cri::Image> images, const std::vector<std::string>& filters) {
  for (const std::string& filter : filters) {
    ASSIGN_OR_RETURN(images, Filter(std::move(images), filter));
  }
  return images;
}

}  // namespace portcullis::cli
