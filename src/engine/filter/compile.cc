#include "engine/filter/compile.h"

#include <algorithm>
#include <bit>

#include "base/try.h"
#include "engine/filter/arg_tests.h"
#include "engine/filter/code_graph.h"
#include "engine/filter/number_tree.h"
#include "engine/filter/word_facts.h"

namespace portcullis::filter {
namespace {

using Id = CodeGraph::Id;

Id AddTest(CodeGraph& graph, const WordTest& test, Id yes, Id no) {
  if (test.at_least) return graph.Test(test.offset, UINT32_MAX, Compare::kAtLeast, test.value, yes, no);
  if (test.mask == UINT32_MAX) return graph.Test(test.offset, UINT32_MAX, Compare::kEqual, test.value, yes, no);
  if (test.value == 0) return graph.Test(test.offset, UINT32_MAX, Compare::kAnyBit, test.mask, no, yes);
  if (std::has_single_bit(test.mask)) {
    return graph.Test(test.offset, UINT32_MAX, Compare::kAnyBit, test.mask, yes, no);
  }
  return graph.Test(test.offset, test.mask, Compare::kEqual, test.value, yes, no);
}

// The code of one leaf.
class LeafCompiler {
 public:
  LeafCompiler(CodeGraph& graph, const Leaf& leaf) : graph_(graph), tests_(ToTestGraph(leaf)) {}

  Id Run() {
    const Id pruned = Pruned(tests_.root, WordFacts());
    return steps_ <= kMostSteps ? pruned : Plain();
  }

 private:
  // Pruning follows every path of its own and can take exponentially long; beyond this the plain form is used, which is
  // never longer than the rules.
  static constexpr size_t kMostSteps = 2048;

  // Without the tests whose outcome earlier tests on the path have settled.
  Id Pruned(Target target, const WordFacts& facts) {
    while (!target.is_answer) {
      const std::optional<bool> known = facts.Decide(tests_.nodes[target.value].test);
      if (!known) break;
      target = *known ? tests_.nodes[target.value].yes : tests_.nodes[target.value].no;
    }
    if (target.is_answer) return graph_.Return(target.value);
    if (++steps_ > kMostSteps) return 0;
    const TestNode& node = tests_.nodes[target.value];
    const Id yes = Pruned(node.yes, WordFacts(facts, node.test, true));
    const Id no = Pruned(node.no, WordFacts(facts, node.test, false));
    return AddTest(graph_, node.test, yes, no);
  }

  // Node by node as it is.
  Id Plain() {
    std::vector<Id> ids;
    const auto id_of = [&](const Target& target) {
      return target.is_answer ? graph_.Return(target.value) : ids[target.value];
    };
    for (const TestNode& node : tests_.nodes)
      ids.push_back(AddTest(graph_, node.test, id_of(node.yes), id_of(node.no)));
    return id_of(tests_.root);
  }

  CodeGraph& graph_;
  const TestGraph tests_;
  size_t steps_ = 0;
};

}  // namespace

uint32_t FlagsOf(const seccomp::ResolvedProfile& profile) {
  uint32_t flags = 0;
  for (const seccomp::FilterFlag flag : profile.flags) flags |= static_cast<uint32_t>(flag);
  if (profile.flags.empty()) flags = kFlagSpecAllow;
  const bool asks_listener =
      std::ranges::any_of(profile.syscalls, [](const auto& rule) { return rule.action == seccomp::Action::kNotify; });
  return asks_listener ? flags | kFlagNewListener : flags;
}

Result<bpf::Program> CompileBehaviour(const Behaviour& behaviour) {
  CodeGraph graph;
  std::vector<Id> codes;
  codes.reserve(behaviour.leaves.size());
  for (const Leaf& leaf : behaviour.leaves) codes.push_back(LeafCompiler(graph, leaf).Run());
  Id root = graph.Return(behaviour.foreign);
  for (size_t i = behaviour.groups.size(); i-- > 0;) {
    const Group& group = behaviour.groups[i];
    const Id tree = BuildNumberTree(graph, group.ranges, codes);
    root = graph.Test(bpf::kArchOffset, UINT32_MAX, Compare::kEqual, group.audit_arch, tree, root);
  }
  return graph.LayOut(root);
}

Result<Filter> Compile(const seccomp::ResolvedProfile& profile, const Options& options) {
  ASSIGN_OR_RETURN(bpf::Program program, CompileBehaviour(Describe(profile, options)));
  return Filter{.program = std::move(program), .flags = FlagsOf(profile)};
}

}  // namespace portcullis::filter
