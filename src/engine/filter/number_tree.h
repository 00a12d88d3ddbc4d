// The search for a call's number: from sorted ranges to a shallow graph of comparisons. Private to this room.
//
// Two kinds of comparison: `number >= k` halves what is left, `number == k` takes out one number whose neighbours on
// both sides agree, which costs one instruction where two borders would cost two. Default profiles are long runs of
// allowed numbers with single ones missing, so the second kind does most of the work.
#pragma once

#include <span>

#include "engine/filter/behaviour.h"
#include "engine/filter/code_graph.h"

namespace portcullis::filter {

// `codes[leaf]` is the code of a leaf. `ranges` as in Group.
CodeGraph::Id BuildNumberTree(CodeGraph& graph, std::span<const Range> ranges, std::span<const CodeGraph::Id> codes);

}  // namespace portcullis::filter
