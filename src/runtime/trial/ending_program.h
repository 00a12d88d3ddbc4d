// The smallest program: exit_group(0), and a fault where that is denied. An ELF file made here, so that no image is
// needed.
#pragma once

#include <string>

namespace portcullis::runtime {

// The file's bytes; "" on an architecture that it is not written for.
std::string EndingProgram();

}  // namespace portcullis::runtime
