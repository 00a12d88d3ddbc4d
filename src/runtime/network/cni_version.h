// Versions of the CNI specification that this runtime speaks: 0.1.0 to 1.1.0.
//
//   IsCniVersion("0.4.0")           -> true
//   CniAtLeast("1.0.0", "0.4.0")    -> true
//
// What changed for a runtime (CNI's CHANGELOG and SPEC of each version): 0.3.0 brought lists of plugins and results
// with "ips"; 0.4.0 CHECK, and prevResult for DEL; 1.0.0 dropped "version" of an address; 1.1.0 brought STATUS, GC and
// "cniVersions".
#pragma once

#include <string_view>

namespace portcullis::runtime {

bool IsCniVersion(std::string_view version);

// `version` is `other` or newer; both must be versions of the list above.
bool CniAtLeast(std::string_view version, std::string_view other);

// For error texts: "0.1.0, 0.2.0, ..., 1.1.0".
std::string_view CniVersionList();

}  // namespace portcullis::runtime
