#include "engine/filter/code_graph.h"

#include <algorithm>
#include <array>

#include "base/try.h"

namespace portcullis::filter {
namespace {

constexpr size_t kReach = 255;  // of jt and jf

}  // namespace

size_t CodeGraph::Hash::operator()(const Node& node) const {
  uint64_t hash = (uint64_t{node.yes} << 32 | node.no) * 0x9e3779b97f4a7c15;
  hash ^= (uint64_t{node.k} << 32 | node.mask) + (hash >> 29);
  hash *= 0xbf58476d1ce4e5b9;
  hash ^= uint64_t{node.offset} * 8 + static_cast<uint64_t>(node.compare) * 2 + (node.is_return ? 1 : 0);
  return static_cast<size_t>(hash ^ hash >> 32);
}

CodeGraph::Id CodeGraph::Intern(const Node& node) {
  const auto [found, added] = ids_.try_emplace(node, static_cast<Id>(nodes_.size()));
  if (added) nodes_.push_back(node);
  return found->second;
}

CodeGraph::Id CodeGraph::Return(uint32_t value) {
  Node node;
  node.is_return = true;
  node.k = value;
  return Intern(node);
}

CodeGraph::Id CodeGraph::Test(uint32_t offset, uint32_t mask, Compare compare, uint32_t k, Id yes, Id no) {
  if (yes == no) return yes;
  Node node;
  node.compare = compare;
  node.offset = offset;
  node.mask = mask;
  node.k = k;
  node.yes = yes;
  node.no = no;
  return Intern(node);
}

// Writes the program from its end to its beginning: what a jump leads to is always placed already.
class CodeGraph::Layout {
 public:
  explicit Layout(const CodeGraph& graph) : nodes_(graph.nodes_) {}

  Result<bpf::Program> Run(Id root) {
    FindEntries(root);
    for (Id id = 0; id <= root; ++id) {
      if (!places_[id].reached) continue;
      Emit(id);
      if (code_.size() > bpf::kMaxInstructions) {
        return Fail(Code::kResourceExhausted, "the filter needs more than the {} instructions that the kernel takes",
                    bpf::kMaxInstructions);
      }
    }
    std::ranges::reverse(code_);
    return std::move(code_);
  }

 private:
  // Where a node can be entered, by what the accumulator holds: the value to be compared; the word (or more of its bits
  // than are compared); something else. Returns have the first only.
  enum Entry : uint8_t { kCompare, kMask, kLoad };

  struct Place {
    bool reached = false;
    std::array<bool, 3> wanted{};
    std::array<size_t, 3> at{};  // index into code_, that is counted from the program's end
  };

  Entry EntryFrom(const Node& from, const Node& to) const {
    if (to.is_return) return kCompare;
    if (from.offset != to.offset || (to.mask & ~from.mask) != 0) return kLoad;
    return from.mask == to.mask ? kCompare : kMask;
  }

  void FindEntries(Id root) {
    places_.resize(nodes_.size());
    places_[root].reached = true;
    places_[root].wanted[kLoad] = true;
    for (Id id = root + 1; id-- > 0;) {
      const Node& node = nodes_[id];
      if (!places_[id].reached || node.is_return) continue;
      for (const Id next : {node.yes, node.no}) {
        places_[next].reached = true;
        places_[next].wanted[EntryFrom(node, nodes_[next])] = true;
      }
    }
  }

  size_t Append(uint16_t code, uint32_t k) {
    code_.push_back({.code = code, .jt = 0, .jf = 0, .k = k});
    return code_.size() - 1;
  }

  // Makes an entry of a node reachable by a conditional jump that is written after at most `margin` more instructions.
  void BringNear(Id id, Entry entry, size_t margin) {
    Place& place = places_[id];
    const size_t distance = code_.size() + margin - place.at[entry] - 1;
    if (distance <= kReach) return;
    if (nodes_[id].is_return) {
      place.at[entry] = Append(bpf::kReturn, nodes_[id].k);
    } else {
      place.at[entry] = Append(bpf::kJump, static_cast<uint32_t>(code_.size() - place.at[entry] - 1));
    }
  }

  void Emit(Id id) {
    const Node& node = nodes_[id];
    Place& place = places_[id];
    if (node.is_return) {
      place.at[kCompare] = Append(bpf::kReturn, node.k);
      return;
    }
    const Entry yes = EntryFrom(node, nodes_[node.yes]);
    const Entry no = EntryFrom(node, nodes_[node.no]);
    BringNear(node.yes, yes, 1);
    BringNear(node.no, no, 0);
    const auto distance = [this](size_t target) { return static_cast<uint8_t>(code_.size() - target - 1); };
    const uint16_t code = node.compare == Compare::kEqual     ? bpf::kJumpEq
                          : node.compare == Compare::kAtLeast ? bpf::kJumpGe
                                                              : bpf::kJumpSet;
    code_.push_back({.code = code,
                     .jt = distance(places_[node.yes].at[yes]),
                     .jf = distance(places_[node.no].at[no]),
                     .k = node.k});
    place.at[kCompare] = code_.size() - 1;
    if (place.wanted[kMask] || (place.wanted[kLoad] && node.mask != UINT32_MAX)) {
      place.at[kMask] = Append(bpf::kAnd, node.mask);
    }
    if (place.wanted[kLoad]) place.at[kLoad] = Append(bpf::kLoad, node.offset);
  }

  const std::vector<Node>& nodes_;
  std::vector<Place> places_;
  bpf::Program code_;
};

Result<bpf::Program> CodeGraph::LayOut(Id root) const { return Layout(*this).Run(root); }

}  // namespace portcullis::filter
