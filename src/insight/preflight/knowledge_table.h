// The generated table behind knowledge.h (scripts/generate-knowledge), in the order of the files.
#pragma once

#include <span>

#include "insight/preflight/knowledge.h"

namespace portcullis::insight {

std::span<const KnownCall> KnowledgeTable();

}  // namespace portcullis::insight
