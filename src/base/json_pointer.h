// JSON pointers (RFC 6901), as diagnostics name the places of a document.
//
//   ChildPointer("/metadata/annotations", "a/b~c")   -> "/metadata/annotations/a~1b~0c"
#pragma once

#include <string>
#include <string_view>

namespace portcullis::base {

// The pointer of what `key` names in what `pointer` names.
std::string ChildPointer(std::string_view pointer, std::string_view key);

}  // namespace portcullis::base
