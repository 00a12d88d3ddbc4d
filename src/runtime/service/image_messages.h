// An image of the store as CRI describes it. Pure.
#pragma once

#include <string>

#include "cri/types.h"
#include "runtime/image/image_store.h"

namespace portcullis::runtime {

cri::Image CriImage(const Image& image);

// The name in an image spec of a request: `image`.
std::string NameOf(const std::optional<cri::ImageSpec>& spec);

}  // namespace portcullis::runtime
