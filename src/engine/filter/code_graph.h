// A filter before it is laid out as instructions: a graph of tests that shares equal parts, and its layout as a
// program. Private to this room.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "engine/bpf/program.h"

namespace portcullis::filter {

// What a test does with (word & mask) in the accumulator.
enum class Compare : uint8_t { kEqual, kAtLeast, kAnyBit };

class CodeGraph {
 public:
  using Id = uint32_t;

  Id Return(uint32_t value);
  // Leads to `yes` when the word at `offset`, under `mask`, compares to k; equal tests become one.
  Id Test(uint32_t offset, uint32_t mask, Compare compare, uint32_t k, Id yes, Id no);

  // The program that starts with `root`, which must be a test on a word that nothing has loaded yet. Targets beyond the
  // reach of a conditional jump (255) are reached through a copy, when they are returns, or an unconditional jump.
  // Error: more instructions than the kernel takes.
  Result<bpf::Program> LayOut(Id root) const;

 private:
  struct Node {
    bool is_return = false;
    Compare compare = Compare::kEqual;
    uint32_t offset = 0;
    uint32_t mask = 0;
    uint32_t k = 0;  // of a return: its value
    Id yes = 0;
    Id no = 0;
    bool operator==(const Node&) const = default;
  };
  struct Hash {
    size_t operator()(const Node& node) const;
  };
  class Layout;

  Id Intern(const Node& node);

  std::vector<Node> nodes_;  // a node comes after those that it leads to
  std::unordered_map<Node, Id, Hash> ids_;
};

}  // namespace portcullis::filter
