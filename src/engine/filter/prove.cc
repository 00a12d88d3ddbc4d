#include "engine/filter/prove.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "base/try.h"
#include "engine/filter/arg_tests.h"
#include "engine/filter/decision_diagram.h"

namespace portcullis::filter {
namespace {

using Node = DecisionDiagrams::Node;

// More classes of numbers than any program of 4096 instructions has that is not made to be slow.
constexpr size_t kMostClasses = 1 << 16;

// What the accumulator holds at one place of a program.
struct Accumulator {
  bool known = true;
  uint32_t value = 0;   // when known
  uint32_t offset = 0;  // else: (word at offset) & mask
  uint32_t mask = UINT32_MAX;
  auto operator<=>(const Accumulator&) const = default;
};

// A program for one architecture and number, as a function of the arguments.
class SymbolicRun {
 public:
  SymbolicRun(std::span<const bpf::Insn> program, DecisionDiagrams& diagrams)
      : program_(program), diagrams_(diagrams) {}

  Result<Node> Run(uint32_t arch, uint32_t number) {
    arch_ = arch;
    number_ = number;
    knows_number_ = false;
    return From(0, {});
  }

 private:
  // What a place and an accumulator lead to is kept for all numbers, unless the program reads the number again later.
  Result<Node> From(size_t at, Accumulator a) {
    while (true) {
      const bpf::Insn& insn = program_[at];
      switch (insn.code) {
        case bpf::kReturn:
          return diagrams_.Answer(insn.k);
        case bpf::kJump:
          at += 1 + insn.k;
          continue;
        case bpf::kAnd:
          (a.known ? a.value : a.mask) &= insn.k;
          ++at;
          continue;
        case bpf::kLoad:
          if (insn.k >= bpf::kArgsOffset) {
            a = {.known = false, .value = 0, .offset = insn.k, .mask = UINT32_MAX};
          } else if (insn.k == bpf::kNrOffset || insn.k == bpf::kArchOffset) {
            a = {.known = true, .value = insn.k == bpf::kNrOffset ? number_ : arch_, .offset = 0, .mask = UINT32_MAX};
            knows_number_ = true;
          } else {
            return Fail(Code::kInvalidArgument, "instruction {}: reads the instruction pointer", at);
          }
          ++at;
          continue;
        default:
          break;
      }
      if (!a.known) return Branch(at, a);
      const bool holds = insn.code == bpf::kJumpEq   ? a.value == insn.k
                         : insn.code == bpf::kJumpGe ? a.value >= insn.k
                         : insn.code == bpf::kJumpGt ? a.value > insn.k
                                                     : (a.value & insn.k) != 0;
      at += 1 + (holds ? insn.jt : insn.jf);
    }
  }

  Result<Node> Branch(size_t at, const Accumulator& a) {
    const std::pair<size_t, Accumulator> key{at, a};
    if (const auto known = done_.find(key); known != done_.end()) return known->second;
    knows_number_ = false;
    const bpf::Insn& insn = program_[at];
    ASSIGN_OR_RETURN(const Node yes, From(at + 1 + insn.jt, a));
    const bool yes_knows = knows_number_;
    knows_number_ = false;
    ASSIGN_OR_RETURN(const Node no, From(at + 1 + insn.jf, a));
    knows_number_ |= yes_knows;
    ASSIGN_OR_RETURN(const Node node, Choose(insn, a, yes, no));
    if (!knows_number_) done_.emplace(key, node);
    return node;
  }

  Result<Node> Choose(const bpf::Insn& insn, const Accumulator& a, Node yes, Node no) {
    if (insn.code == bpf::kJumpSet) {
      return diagrams_.Choose({.offset = a.offset, .at_least = false, .mask = a.mask & insn.k, .value = 0}, no, yes);
    }
    if (insn.code == bpf::kJumpEq) {
      if ((insn.k & ~a.mask) != 0) return no;
      return diagrams_.Choose({.offset = a.offset, .at_least = false, .mask = a.mask, .value = insn.k}, yes, no);
    }
    if (insn.code == bpf::kJumpGt && insn.k == UINT32_MAX) return no;
    const uint32_t least = insn.code == bpf::kJumpGt ? insn.k + 1 : insn.k;
    if (a.mask == UINT32_MAX) {
      return diagrams_.Choose({.offset = a.offset, .at_least = true, .mask = UINT32_MAX, .value = least}, yes, no);
    }
    // A masked word is at least `least` when it has all bits of `least`'s upper part under the mask and one more, or is
    // equal: decided from the highest bit down.
    return MaskedAtLeast(a, least, yes, no);
  }

  Result<Node> MaskedAtLeast(const Accumulator& a, uint32_t least, Node yes, Node no) {
    Node node = yes;
    for (uint32_t position = 0; position < 32; ++position) {
      const uint32_t bit = uint32_t{1} << position;
      const bool wanted = (least & bit) != 0;
      if ((a.mask & bit) == 0) {
        if (wanted) node = no;  // the bit is never there
        continue;
      }
      const WordTest set{.offset = a.offset, .at_least = false, .mask = bit, .value = bit};
      ASSIGN_OR_RETURN(node, wanted ? diagrams_.Choose(set, node, no) : diagrams_.Choose(set, yes, node));
    }
    return node;
  }

  const std::span<const bpf::Insn> program_;
  DecisionDiagrams& diagrams_;
  uint32_t arch_ = 0;
  uint32_t number_ = 0;
  bool knows_number_ = false;  // the part just walked depends on architecture or number
  std::map<std::pair<size_t, Accumulator>, Node> done_;
};

// Values at which a word's class may change: each begins one.
class Borders {
 public:
  Borders() : at_{0} {}

  void Add(uint64_t value) {
    if (value <= UINT32_MAX) at_.insert(static_cast<uint32_t>(value));
  }
  void AddBetween(uint64_t value) {
    Add(value);
    Add(value + 1);
  }
  // Every change of the bits of `mask`: exact for a mask whose lowest bit is `b` when all multiples of 2^b are borders.
  Result<void> AddMask(uint32_t mask) {
    if (mask == 0) return {};
    const uint64_t step = mask & (~mask + 1);
    if ((uint64_t{1} << 32) / step > kMostClasses) {
      return Fail(Code::kResourceExhausted, "the filter masks the number with {:#x}: too many cases to prove", mask);
    }
    for (uint64_t value = 0; value <= UINT32_MAX; value += step) Add(value);
    return {};
  }
  const std::set<uint32_t>& at() const { return at_; }

 private:
  std::set<uint32_t> at_;
};

struct Classes {
  Borders archs;
  Borders numbers;
};

// Finds, place by place, which word the accumulator can hold, and collects what it is compared with.
Result<void> AddProgramBorders(std::span<const bpf::Insn> program, Classes& classes) {
  enum Holds : unsigned { kNothing = 1, kArch = 2, kNumber = 4, kOther = 8, kMaskedNumber = 16 };
  std::vector<unsigned> holds(program.size(), 0);
  holds[0] = kNothing;
  for (size_t at = 0; at < program.size(); ++at) {
    const bpf::Insn& insn = program[at];
    unsigned after = holds[at];
    if (after == 0 || insn.code == bpf::kReturn) continue;
    if (insn.code == bpf::kLoad) {
      after = insn.k == bpf::kArchOffset ? kArch : insn.k == bpf::kNrOffset ? kNumber : kOther;
    } else if (insn.code == bpf::kAnd) {
      if ((after & kArch) != 0) return Fail(Code::kInvalidArgument, "instruction {}: masks the architecture", at);
      if ((after & (kNumber | kMaskedNumber)) != 0) {
        TRY(classes.numbers.AddMask(insn.k));
        after = (after & ~static_cast<unsigned>(kNumber)) | kMaskedNumber;
      }
    } else if (insn.code == bpf::kJump) {
      holds[at + 1 + insn.k] |= after;
      continue;
    } else {
      if (insn.code == bpf::kJumpSet) {
        if ((after & kArch) != 0) return Fail(Code::kInvalidArgument, "instruction {}: masks the architecture", at);
        if ((after & (kNumber | kMaskedNumber)) != 0) TRY(classes.numbers.AddMask(insn.k));
      } else {
        // Of a masked number every change is a border already.
        if ((after & kArch) != 0) classes.archs.AddBetween(insn.k);
        if ((after & kNumber) != 0) classes.numbers.AddBetween(insn.k);
      }
      holds[at + 1 + insn.jt] |= after;
      holds[at + 1 + insn.jf] |= after;
      continue;
    }
    holds[at + 1] |= after;
  }
  return {};
}

void AddBehaviourBorders(const Behaviour& behaviour, Classes& classes) {
  for (const Group& group : behaviour.groups) {
    classes.archs.AddBetween(group.audit_arch);
    for (const Range& range : group.ranges) classes.numbers.Add(range.first);
  }
}

// A behaviour as functions of the arguments.
class BehaviourFunctions {
 public:
  BehaviourFunctions(const Behaviour& behaviour, DecisionDiagrams& diagrams)
      : behaviour_(behaviour), diagrams_(diagrams), leaves_(behaviour.leaves.size()) {}

  Result<Node> Of(uint32_t arch, uint32_t number) {
    const Leaf* leaf = FindLeaf(behaviour_, arch, number);
    if (leaf == nullptr) return diagrams_.Answer(behaviour_.foreign);
    std::optional<Node>& node = leaves_[static_cast<size_t>(leaf - behaviour_.leaves.data())];
    if (!node) {
      ASSIGN_OR_RETURN(node, diagrams_.OfLeaf(*leaf));
    }
    return *node;
  }

 private:
  const Behaviour& behaviour_;
  DecisionDiagrams& diagrams_;
  std::vector<std::optional<Node>> leaves_;
};

// Compares two functions of architecture and number, class by class.
template <class First, class Second>
Result<Verdict> CompareClasses(const Classes& classes, DecisionDiagrams& diagrams, First&& first, Second&& second) {
  Verdict verdict;
  for (const uint32_t arch : classes.archs.at()) {
    for (const uint32_t number : classes.numbers.at()) {
      ASSIGN_OR_RETURN(const Node a, first(arch, number));
      ASSIGN_OR_RETURN(const Node b, second(arch, number));
      ++verdict.classes;
      const auto args = diagrams.Difference(a, b);
      if (!args) continue;
      verdict.counterexample = Counterexample{.call = {.arch = arch, .nr = number, .args = *args}};
      return verdict;
    }
  }
  verdict.equal = true;
  return verdict;
}

}  // namespace

Result<Verdict> Prove(std::span<const bpf::Insn> program, const Behaviour& behaviour) {
  TRY(bpf::Check(program));
  Classes classes;
  TRY(AddProgramBorders(program, classes));
  AddBehaviourBorders(behaviour, classes);
  DecisionDiagrams diagrams;
  SymbolicRun run(program, diagrams);
  BehaviourFunctions functions(behaviour, diagrams);
  ASSIGN_OR_RETURN(Verdict verdict, CompareClasses(
                                        classes, diagrams, [&](uint32_t a, uint32_t n) { return run.Run(a, n); },
                                        [&](uint32_t a, uint32_t n) { return functions.Of(a, n); }));
  if (verdict.counterexample) {
    Counterexample& example = *verdict.counterexample;
    example.from_program = bpf::Run(program, example.call).value;
    example.from_profile = Answer(behaviour, example.call.arch, example.call.nr, example.call.args);
  }
  return verdict;
}

Result<Verdict> Compare(const Behaviour& first, const Behaviour& second) {
  Classes classes;
  AddBehaviourBorders(first, classes);
  AddBehaviourBorders(second, classes);
  DecisionDiagrams diagrams;
  BehaviourFunctions a(first, diagrams);
  BehaviourFunctions b(second, diagrams);
  ASSIGN_OR_RETURN(Verdict verdict, CompareClasses(
                                        classes, diagrams, [&](uint32_t arch, uint32_t n) { return a.Of(arch, n); },
                                        [&](uint32_t arch, uint32_t n) { return b.Of(arch, n); }));
  if (verdict.counterexample) {
    Counterexample& example = *verdict.counterexample;
    example.from_program = Answer(first, example.call.arch, example.call.nr, example.call.args);
    example.from_profile = Answer(second, example.call.arch, example.call.nr, example.call.args);
  }
  return verdict;
}

namespace {

// `permitted` brings the first's function to one that equals the second's exactly where nothing is to be reported.
template <class Permitted>
Result<std::vector<Difference>> CollectDifferences(const Behaviour& first, const Behaviour& second,
                                                   Permitted&& permitted) {
  Classes classes;
  AddBehaviourBorders(first, classes);
  AddBehaviourBorders(second, classes);
  std::set<uint32_t> archs;
  for (const Behaviour* behaviour : {&first, &second}) {
    for (const Group& group : behaviour->groups) archs.insert(group.audit_arch);
  }
  DecisionDiagrams diagrams;
  BehaviourFunctions a(first, diagrams);
  BehaviourFunctions b(second, diagrams);
  std::vector<Difference> differences;
  for (const uint32_t arch : archs) {
    std::pair<Node, Node> before{0, 0};  // of the class below; equal: no difference
    const std::set<uint32_t>& numbers = classes.numbers.at();
    for (auto number = numbers.begin(); number != numbers.end(); ++number) {
      const uint32_t last = std::next(number) == numbers.end() ? UINT32_MAX : *std::next(number) - 1;
      ASSIGN_OR_RETURN(const Node written, a.Of(arch, *number));
      ASSIGN_OR_RETURN(const Node other, b.Of(arch, *number));
      ASSIGN_OR_RETURN(const Node one, permitted(diagrams, written, other));
      const std::pair<Node, Node> nodes{one, other};
      if (one != other && before == nodes) {
        differences.back().last = last;
      } else if (one != other) {
        const auto args = *diagrams.Difference(one, other);
        differences.push_back({.audit_arch = arch,
                               .first = *number,
                               .last = last,
                               .for_some_arguments = !diagrams.IsAnswer(one) || !diagrams.IsAnswer(other),
                               .args = args,
                               .from_first = Answer(first, arch, *number, args),
                               .from_second = Answer(second, arch, *number, args)});
      }
      before = nodes;
    }
  }
  return differences;
}

}  // namespace

Result<std::vector<Difference>> Differences(const Behaviour& first, const Behaviour& second) {
  return CollectDifferences(first, second, [](DecisionDiagrams&, Node one, Node) -> Result<Node> { return one; });
}

Result<std::vector<Difference>> Excesses(const Behaviour& first, const Behaviour& second) {
  return CollectDifferences(first, second, [](DecisionDiagrams& diagrams, Node one, Node other) {
    return diagrams.Combine(one, other, [](uint32_t mine, uint32_t theirs) {
      const auto rank = [](uint32_t answer) { return static_cast<int32_t>(answer & 0xffff0000); };
      return rank(mine) > rank(theirs) ? mine : theirs;
    });
  });
}

}  // namespace portcullis::filter
