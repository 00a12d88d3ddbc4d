#include "engine/filter/arg_tests.h"

#include <ranges>

#include "engine/bpf/program.h"

namespace portcullis::filter {
namespace {

using seccomp::CompareOp;

// A 64-bit value in the halves that BPF sees.
struct Halves {
  explicit Halves(uint64_t value) : high(static_cast<uint32_t>(value >> 32)), low(static_cast<uint32_t>(value)) {}
  uint32_t high;
  uint32_t low;
};

class GraphBuilder {
 public:
  explicit GraphBuilder(const Leaf& leaf) : leaf_(leaf) {}

  TestGraph Run() {
    graph_.root = {.is_answer = true, .value = leaf_.otherwise};
    for (const ArgRule& rule : std::views::reverse(leaf_.rules)) graph_.root = AddRule(rule, graph_.root);
    return std::move(graph_);
  }

 private:
  Target AddRule(const ArgRule& rule, Target otherwise) {
    const Target match{.is_answer = true, .value = rule.answer};
    Target target = rule.any ? otherwise : match;
    for (const seccomp::Arg& test : std::views::reverse(rule.tests)) {
      target = rule.any ? AddTest(test, match, target) : AddTest(test, target, otherwise);
    }
    return target;
  }

  Target AddTest(const seccomp::Arg& test, Target yes, Target no) {
    switch (test.op) {
      case CompareOp::kEqual:
        return AddMasked(test.index, UINT64_MAX, test.value, yes, no);
      case CompareOp::kNotEqual:
        return AddMasked(test.index, UINT64_MAX, test.value, no, yes);
      case CompareOp::kMaskedEqual:
        return AddMasked(test.index, test.value, test.value_two, yes, no);
      case CompareOp::kGreaterEqual:
        return AddAtLeast(test.index, test.value, yes, no);
      case CompareOp::kLess:
        return AddAtLeast(test.index, test.value, no, yes);
      case CompareOp::kGreater:
        return test.value == UINT64_MAX ? no : AddAtLeast(test.index, test.value + 1, yes, no);
      case CompareOp::kLessEqual:
        return test.value == UINT64_MAX ? yes : AddAtLeast(test.index, test.value + 1, no, yes);
    }
    return no;
  }

  // (argument & mask) == value
  Target AddMasked(uint32_t index, uint64_t mask, uint64_t value, Target yes, Target no) {
    if ((value & ~mask) != 0) return no;
    if (leaf_.narrow && value >> 32 != 0) return no;
    const Halves masks(mask), values(value);
    const Target low = AddNode(Masked(index, false, masks.low, values.low), yes, no);
    return leaf_.narrow ? low : AddNode(Masked(index, true, masks.high, values.high), low, no);
  }

  // argument >= value
  Target AddAtLeast(uint32_t index, uint64_t value, Target yes, Target no) {
    const Halves values(value);
    if (leaf_.narrow && values.high != 0) return no;
    const Target low = AddNode(AtLeast(index, false, values.low), yes, no);
    if (leaf_.narrow) return low;
    // The high half mostly equals that of the value (both are 0): that is asked first.
    const Target high = AddNode(AtLeast(index, true, values.high), yes, no);
    return AddNode(Masked(index, true, UINT32_MAX, values.high), low, high);
  }

  static WordTest Masked(uint32_t index, bool high, uint32_t mask, uint32_t value) {
    return {.offset = bpf::ArgOffset(index, high), .at_least = false, .mask = mask, .value = value};
  }
  static WordTest AtLeast(uint32_t index, bool high, uint32_t value) {
    return {.offset = bpf::ArgOffset(index, high), .at_least = true, .mask = UINT32_MAX, .value = value};
  }

  Target AddNode(const WordTest& test, Target yes, Target no) {
    if (yes == no) return yes;
    if (test.at_least ? test.value == 0 : test.mask == 0) return yes;
    graph_.nodes.push_back({test, yes, no});
    return {.is_answer = false, .value = static_cast<uint32_t>(graph_.nodes.size() - 1)};
  }

  const Leaf& leaf_;
  TestGraph graph_;
};

}  // namespace

TestGraph ToTestGraph(const Leaf& leaf) { return GraphBuilder(leaf).Run(); }

}  // namespace portcullis::filter
