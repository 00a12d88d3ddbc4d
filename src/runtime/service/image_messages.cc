#include "runtime/service/image_messages.h"

#include <algorithm>
#include <limits>

#include "base/strings.h"
#include "spec/oci/reference.h"

namespace portcullis::runtime {

cri::Image CriImage(const Image& image) {
  cri::Image out;
  out.id = image.id;
  out.repo_tags = image.repo_tags;
  out.repo_digests = image.repo_digests;
  out.size = static_cast<uint64_t>(image.size);
  out.pinned = image.pinned;
  // "1000:1000" -> uid 1000; "nginx" -> a name, which the kubelet refuses under runAsNonRoot.
  const std::string user = base::Split(image.config.user, ':').front();
  if (const auto uid = base::ParseUint(user); uid && *uid <= std::numeric_limits<int64_t>::max()) {
    out.uid = cri::Int64Value{.value = static_cast<int64_t>(*uid)};
  } else {
    out.username = user;
  }
  return out;
}

bool IsImageId(const std::string& name) { return name.starts_with("sha256:"); }

std::string ShownName(const cri::ImageSpec& spec, const Image& image) {
  if (const auto wanted = oci::ParseReference(spec.user_specified_image)) {
    const std::string name = wanted->String();
    for (const auto* names : {&image.repo_tags, &image.repo_digests}) {
      if (std::ranges::find(*names, name) != names->end()) return name;
    }
  }
  for (const auto* names : {&image.repo_tags, &image.repo_digests}) {
    if (!names->empty()) return names->front();
  }
  return image.id;
}

std::string NameOf(const std::optional<cri::ImageSpec>& spec) { return spec ? spec->image : std::string(); }

}  // namespace portcullis::runtime
