#include "base/strings.h"
#include "base/try.h"
#include "runtime/service/image_messages.h"
#include "runtime/service/runtime_service.h"

namespace portcullis::runtime {

Result<cri::RemoveImageResponse> RuntimeService::RemoveImage(const cri::RemoveImageRequest& request) {
  const std::string name = NameOf(request.image);
  // One of several names may always go: the image stays.
  const auto unused = [&](const std::string& id) -> Result<void> {
    for (const ContainerRow& row : registry_->Containers()) {
      if (row.image_id != id) continue;
      return Fail(Code::kFailedPrecondition, "image {} is in use by container {}", base::Quote(name), row.id);
    }
    for (const SandboxRow& row : registry_->Sandboxes()) {
      if (row.image_id != id) continue;
      return Fail(Code::kFailedPrecondition, "image {} is in use by sandbox {}", base::Quote(name), row.id);
    }
    return {};
  };
  if (auto removed = images_->Remove(name, unused); !removed && removed.error().code != Code::kNotFound) {
    return Failure(std::move(removed).error());
  }
  return cri::RemoveImageResponse{};
}

}  // namespace portcullis::runtime
