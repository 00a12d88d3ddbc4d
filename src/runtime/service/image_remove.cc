#include <algorithm>

#include "base/strings.h"
#include "base/try.h"
#include "runtime/service/image_messages.h"
#include "runtime/service/runtime_service.h"

namespace portcullis::runtime {

Result<cri::RemoveImageResponse> RuntimeService::RemoveImage(const cri::RemoveImageRequest& request) {
  const std::string name = NameOf(request.image);
  auto image = images_->Get(name);
  if (!image) {
    if (image.error().code == Code::kNotFound) return cri::RemoveImageResponse{};
    return Failure(std::move(image).error());
  }
  const std::vector<ContainerRow> containers = registry_->Containers();
  const auto user = std::find_if(containers.begin(), containers.end(),
                                 [&](const ContainerRow& row) { return row.image_id == image->id; });
  if (user != containers.end()) {
    return Fail(Code::kFailedPrecondition, "image {} is in use by container {}", base::Quote(name), user->id);
  }
  if (auto removed = images_->Remove(name); !removed && removed.error().code != Code::kNotFound) {
    return Failure(std::move(removed).error());
  }
  return cri::RemoveImageResponse{};
}

}  // namespace portcullis::runtime
