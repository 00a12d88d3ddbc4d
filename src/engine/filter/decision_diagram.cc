#include "engine/filter/decision_diagram.h"

#include <algorithm>
#include <set>
#include <unordered_set>

#include "base/try.h"
#include "engine/bpf/program.h"

namespace portcullis::filter {
namespace {

uint64_t Mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15;
  return hash ^ hash >> 29;
}

// The diagram's bit of the highest bit of a word.
uint16_t FirstBitOf(uint32_t offset) {
  const uint32_t index = (offset - bpf::kArgsOffset) / 8;
  const bool high = bpf::ArgOffset(index, true) == offset;
  return static_cast<uint16_t>(index * 64 + (high ? 0 : 32));
}

}  // namespace

size_t DecisionDiagrams::EntryHash::operator()(const Entry& entry) const {
  return Mix(Mix(entry.bit, entry.low), entry.high);
}

size_t DecisionDiagrams::PairHash::operator()(const std::array<Node, 3>& key) const {
  return Mix(Mix(Mix(0, key[0]), key[1]), key[2]);
}

DecisionDiagrams::Node DecisionDiagrams::Answer(uint32_t value) {
  const auto [found, added] = unique_.try_emplace(Entry{kAnswerBit, 0, value}, static_cast<Node>(nodes_.size()));
  if (added) nodes_.push_back(found->first);
  return found->second;
}

Result<DecisionDiagrams::Node> DecisionDiagrams::Make(uint16_t bit, Node low, Node high) {
  if (low == high) return low;
  if (nodes_.size() >= most_nodes_) {
    return Fail(Code::kResourceExhausted, "the rules on arguments are too tangled: more than {} cases", most_nodes_);
  }
  const auto [found, added] = unique_.try_emplace(Entry{bit, low, high}, static_cast<Node>(nodes_.size()));
  if (added) nodes_.push_back(found->first);
  return found->second;
}

Result<DecisionDiagrams::Node> DecisionDiagrams::Condition(const WordTest& test) {
  const uint16_t first = FirstBitOf(test.offset);
  const Node no = Answer(0);
  Node node = Answer(1);  // what the bits below the current one lead to when those above were as in `value`
  for (uint16_t position = 0; position < 32; ++position) {
    const uint32_t mask = uint32_t{1} << position;
    const auto bit = static_cast<uint16_t>(first + 31 - position);
    const bool set = (test.value & mask) != 0;
    if (test.at_least) {
      // The first bit that differs from `value` decides.
      const Node yes = Answer(1);
      ASSIGN_OR_RETURN(node, set ? Make(bit, no, node) : Make(bit, node, yes));
    } else if ((test.mask & mask) != 0) {
      ASSIGN_OR_RETURN(node, set ? Make(bit, no, node) : Make(bit, node, no));
    }
  }
  return node;
}

Result<DecisionDiagrams::Node> DecisionDiagrams::IfThenElse(Node condition, Node yes, Node no) {
  if (yes == no) return yes;
  if (IsAnswer(condition)) return AnswerOf(condition) != 0 ? yes : no;
  const std::array<Node, 3> key{condition, yes, no};
  if (const auto known = choices_.find(key); known != choices_.end()) return known->second;
  const uint16_t bit = std::min({nodes_[condition].bit, nodes_[yes].bit, nodes_[no].bit});
  ASSIGN_OR_RETURN(const Node low, IfThenElse(Low(condition, bit), Low(yes, bit), Low(no, bit)));
  ASSIGN_OR_RETURN(const Node high, IfThenElse(High(condition, bit), High(yes, bit), High(no, bit)));
  ASSIGN_OR_RETURN(const Node node, Make(bit, low, high));
  choices_.emplace(key, node);
  return node;
}

Result<DecisionDiagrams::Node> DecisionDiagrams::Choose(const WordTest& test, Node yes, Node no) {
  ASSIGN_OR_RETURN(const Node condition, Condition(test));
  return IfThenElse(condition, yes, no);
}

Result<DecisionDiagrams::Node> DecisionDiagrams::OfLeaf(const Leaf& leaf) {
  const TestGraph tests = ToTestGraph(leaf);
  std::vector<Node> nodes;
  const auto node_of = [&](const Target& target) {
    return target.is_answer ? Answer(target.value) : nodes[target.value];
  };
  for (const TestNode& node : tests.nodes) {
    const Node yes = node_of(node.yes);
    const Node no = node_of(node.no);
    ASSIGN_OR_RETURN(const Node choice, Choose(node.test, yes, no));
    nodes.push_back(choice);
  }
  return node_of(tests.root);
}

std::optional<std::array<uint64_t, 6>> DecisionDiagrams::Difference(Node a, Node b) const {
  if (a == b) return std::nullopt;
  std::array<uint64_t, 6> args{};
  // Different nodes are different functions: as long as they differ, one of the two ways down keeps them different.
  while (!IsAnswer(a) || !IsAnswer(b)) {
    const uint16_t bit = std::min(nodes_[a].bit, nodes_[b].bit);
    const bool low_differs = Low(a, bit) != Low(b, bit);
    if (!low_differs) args.at(bit / 64) |= uint64_t{1} << (63 - bit % 64);
    a = low_differs ? Low(a, bit) : High(a, bit);
    b = low_differs ? Low(b, bit) : High(b, bit);
  }
  return args;
}

Result<DecisionDiagrams::Node> DecisionDiagrams::Combine(Node a, Node b, Combiner combine) {
  std::unordered_map<uint64_t, Node> done;
  const auto visit = [&](const auto& self, Node x, Node y) -> Result<Node> {
    if (IsAnswer(x) && IsAnswer(y)) return Answer(combine(AnswerOf(x), AnswerOf(y)));
    const uint64_t key = uint64_t{x} << 32 | y;
    if (const auto known = done.find(key); known != done.end()) return known->second;
    const uint16_t bit = std::min(nodes_[x].bit, nodes_[y].bit);
    ASSIGN_OR_RETURN(const Node low, self(self, Low(x, bit), Low(y, bit)));
    ASSIGN_OR_RETURN(const Node high, self(self, High(x, bit), High(y, bit)));
    ASSIGN_OR_RETURN(const Node node, Make(bit, low, high));
    done.emplace(key, node);
    return node;
  };
  return visit(visit, a, b);
}

std::vector<uint32_t> DecisionDiagrams::AnswersOf(Node node) const {
  std::set<uint32_t> answers;
  std::unordered_set<Node> seen;
  std::vector<Node> open{node};
  while (!open.empty()) {
    const Node next = open.back();
    open.pop_back();
    if (!seen.insert(next).second) continue;
    if (IsAnswer(next)) {
      answers.insert(AnswerOf(next));
    } else {
      open.push_back(nodes_[next].low);
      open.push_back(nodes_[next].high);
    }
  }
  return {answers.begin(), answers.end()};
}

}  // namespace portcullis::filter
