#include "base/try.h"
#include "runtime/service/batches.h"
#include "runtime/service/image_messages.h"
#include "runtime/service/runtime_service.h"

namespace portcullis::runtime {

Result<cri::ListImagesResponse> RuntimeService::ListImages(const cri::ListImagesRequest& request) {
  cri::ListImagesResponse response;
  const std::string wanted = request.filter ? NameOf(request.filter->image) : "";
  if (!wanted.empty()) {
    auto image = images_->Get(wanted);
    if (image) response.images.push_back(CriImage(*image));
    if (!image && image.error().code != Code::kNotFound) return Failure(std::move(image).error());
    return response;
  }
  ASSIGN_OR_RETURN(const std::vector<Image> images, images_->List());
  for (const Image& image : images) response.images.push_back(CriImage(image));
  return response;
}

Result<void> RuntimeService::StreamImages(const cri::StreamImagesRequest& request,
                                          const cri::Sink<cri::StreamImagesResponse>& sink) {
  ASSIGN_OR_RETURN(const cri::ListImagesResponse all, ListImages({.filter = request.filter}));
  SendInBatches(all.images, &cri::StreamImagesResponse::images, sink);
  return {};
}

}  // namespace portcullis::runtime
