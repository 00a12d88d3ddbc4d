// An image of the store as CRI describes it. Pure.
#pragma once

#include <string>

#include "cri/types.h"
#include "runtime/image/image_store.h"

namespace portcullis::runtime {

cri::Image CriImage(const Image& image);

// The name in an image spec of a request: `image`.
std::string NameOf(const std::optional<cri::ImageSpec>& spec);

// "sha256:…", as kubelets ask for images; not a bare or shortened id.
bool IsImageId(const std::string& name);

// What people call the image that was asked for by its id: the name in the pod's manifest when it is one of the
// image's, else the image's first, else the id.
std::string ShownName(const cri::ImageSpec& spec, const Image& image);

}  // namespace portcullis::runtime
