// PullImage: what is on the node is there already. This build reads images from archives, not from registries.
#include "base/strings.h"
#include "base/try.h"
#include "runtime/service/image_messages.h"
#include "runtime/service/runtime_service.h"

namespace portcullis::runtime {

Result<cri::PullImageResponse> RuntimeService::PullImage(const cri::PullImageRequest& request) {
  const std::string name = NameOf(request.image);
  if (name.empty()) return Fail(Code::kInvalidArgument, "image name must be set");
  auto image = images_->Get(name);
  if (image) return cri::PullImageResponse{.image_ref = image->id};
  if (image.error().code != Code::kNotFound) return Failure(std::move(image).error());
  return Fail(Code::kNotFound,
              "image {} is not on this node and this runtime does not pull from registries: load it with `portcullis "
              "image load`",
              base::Quote(name));
}

}  // namespace portcullis::runtime
