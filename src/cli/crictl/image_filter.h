// `crictl images --filter`, in the real one's words:
//
//   dangling=true|false   without (with) a tag
//   reference=PATTERN     the repository of the first digest fits the regular expression
//   before=IMAGE          what stands behind IMAGE in the list; IMAGE is name:tag, the beginning of an id, or
//   since=IMAGE           name@digest; since: what stands before it
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cri/types.h"

namespace portcullis::cli {

// Of a sorted list, one filter after the other.
Result<std::vector<cri::Image>> FilterImages(std::vector<cri::Image> images, const std::vector<std::string>& filters);

}  // namespace portcullis::cli
