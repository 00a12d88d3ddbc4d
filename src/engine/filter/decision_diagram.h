// Functions of a call's arguments in canonical form: reduced, ordered decision diagrams over the argument bits, with
// answers (SECCOMP_RET_* values) at the ends. Two functions are equal exactly when their diagrams are the same node,
// which is what makes proofs and algebra exact (Bryant, "Graph-Based Algorithms for Boolean Function Manipulation").
//
// Bits are ordered by argument, then from the highest to the lowest, so that a comparison is at most 64 nodes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "engine/filter/arg_tests.h"

namespace portcullis::filter {

class DecisionDiagrams {
 public:
  using Node = uint32_t;

  // A diagram may become exponentially large; beyond so many nodes everything answers kResourceExhausted.
  explicit DecisionDiagrams(size_t most_nodes = 1'000'000) : most_nodes_(most_nodes) {}

  Node Answer(uint32_t value);
  // `yes` where the test holds, else `no`.
  Result<Node> Choose(const WordTest& test, Node yes, Node no);
  // The function of a whole leaf.
  Result<Node> OfLeaf(const Leaf& leaf);

  bool IsAnswer(Node node) const { return nodes_[node].bit == kAnswerBit; }
  uint32_t AnswerOf(Node node) const { return nodes_[node].high; }

  // Of a node that is no answer: the bit that it tests, as argument * 64 + place below the highest bit, and where the
  // two values of that bit lead.
  uint32_t BitOf(Node node) const { return nodes_[node].bit; }
  Node WhenClear(Node node) const { return nodes_[node].low; }
  Node WhenSet(Node node) const { return nodes_[node].high; }

  // Arguments for which two functions differ; nullopt when they are equal.
  std::optional<std::array<uint64_t, 6>> Difference(Node a, Node b) const;

  // Combines the answers of two functions, argument by argument.
  using Combiner = uint32_t (*)(uint32_t, uint32_t);
  Result<Node> Combine(Node a, Node b, Combiner combine);

  // Every answer that a function can give.
  std::vector<uint32_t> AnswersOf(Node node) const;

  size_t size() const { return nodes_.size(); }

 private:
  static constexpr uint16_t kAnswerBit = 384;  // after all 6 x 64 bits

  struct Entry {
    uint16_t bit = kAnswerBit;  // index * 64 + (63 - position)
    Node low = 0;               // where the bit is 0
    Node high = 0;              // where it is 1; of an answer: its value
    bool operator==(const Entry&) const = default;
  };
  struct EntryHash {
    size_t operator()(const Entry& entry) const;
  };
  struct PairHash {
    size_t operator()(const std::array<Node, 3>& key) const;
  };

  Result<Node> Make(uint16_t bit, Node low, Node high);
  Node Low(Node node, uint16_t bit) const { return nodes_[node].bit == bit ? nodes_[node].low : node; }
  Node High(Node node, uint16_t bit) const { return nodes_[node].bit == bit ? nodes_[node].high : node; }
  // The test as a function with answers 0 and 1.
  Result<Node> Condition(const WordTest& test);
  Result<Node> IfThenElse(Node condition, Node yes, Node no);

  const size_t most_nodes_;
  std::vector<Entry> nodes_;
  std::unordered_map<Entry, Node, EntryHash> unique_;
  std::unordered_map<std::array<Node, 3>, Node, PairHash> choices_;
};

}  // namespace portcullis::filter
