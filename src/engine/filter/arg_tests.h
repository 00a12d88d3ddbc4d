// A leaf's rules as a decision graph over 32-bit words, which is all that classic BPF can look at. Nothing is lost:
// each 64-bit test becomes tests on its two halves (only the low one where the ABI has 32-bit arguments).
//
//   argument 0 >= 0x1_0000_0005, answer ALLOW, otherwise ERRNO:
//     node 0   low half >= 5         yes: ALLOW   no: ERRNO
//     node 1   high half >= 1        yes: ALLOW   no: ERRNO
//     node 2   high half == 1        yes: node 0  no: node 1      <- root
#pragma once

#include <cstdint>
#include <vector>

#include "engine/filter/behaviour.h"

namespace portcullis::filter {

// One test on one word: (word & mask) == value, or word >= value (mask unused).
struct WordTest {
  uint32_t offset = 0;  // into seccomp_data (bpf::ArgOffset)
  bool at_least = false;
  uint32_t mask = UINT32_MAX;
  uint32_t value = 0;
  bool operator==(const WordTest&) const = default;
};

// Where a test leads: another node, or an answer.
struct Target {
  bool is_answer = false;
  uint32_t value = 0;  // the answer (SECCOMP_RET_*), or the index of a node
  bool operator==(const Target&) const = default;
};

struct TestNode {
  WordTest test;
  Target yes;
  Target no;
};

// Nodes come after the nodes they lead to.
struct TestGraph {
  std::vector<TestNode> nodes;
  Target root;
};

TestGraph ToTestGraph(const Leaf& leaf);

}  // namespace portcullis::filter
