#include "runtime/network/cni_version.h"

#include <algorithm>
#include <array>

namespace portcullis::runtime {
namespace {

// In the order of their release.
constexpr std::array<std::string_view, 7> kVersions = {"0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"};

}  // namespace

bool IsCniVersion(std::string_view version) { return std::ranges::find(kVersions, version) != kVersions.end(); }

bool CniAtLeast(std::string_view version, std::string_view other) {
  return std::ranges::find(kVersions, version) >= std::ranges::find(kVersions, other);
}

std::string_view CniVersionList() { return "0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0 or 1.1.0"; }

}  // namespace portcullis::runtime
