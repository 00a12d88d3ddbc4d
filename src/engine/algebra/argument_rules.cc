#include "engine/algebra/argument_rules.h"

#include <algorithm>
#include <bit>
#include <optional>

#include "base/try.h"

namespace portcullis::algebra {
namespace {

using filter::DecisionDiagrams;
using Node = DecisionDiagrams::Node;
using seccomp::Arg;
using seccomp::CompareOp;

// Values of one argument, as one test says them, and the function of the later arguments that holds there.
struct Piece {
  Arg test;
  bool always = false;  // no test: every value
  Node rest = 0;
};

// Values first to last, both included.
struct Interval {
  uint64_t first = 0;
  uint64_t last = 0;
  Node rest = 0;
};

// The values of one argument, cut into pieces in one of two ways: as intervals, or by the bits that the function looks
// at. Both are exact; the shorter one is taken.
class Pieces {
 public:
  Pieces(const DecisionDiagrams& diagrams, uint32_t index, uint32_t otherwise)
      : diagrams_(diagrams), index_(index), otherwise_(otherwise) {}

  Result<std::vector<Piece>> Of(Node node) {
    const auto by_interval = ByInterval(node);
    const auto by_bits = ByBits(node);
    if (!by_interval && !by_bits) {
      return Fail(Code::kResourceExhausted, "argument {} would need more than {} rules", index_, kMostArgumentRules);
    }
    if (!by_bits || (by_interval && by_interval->size() <= by_bits->size())) return *by_interval;
    return *by_bits;
  }

 private:
  bool IsOtherwise(Node node) const { return diagrams_.IsAnswer(node) && diagrams_.AnswerOf(node) == otherwise_; }
  // True when the node does not look at this argument.
  bool Left(Node node) const { return diagrams_.IsAnswer(node) || diagrams_.BitOf(node) >= (index_ + 1) * 64; }
  uint32_t PlaceOf(Node node) const { return diagrams_.BitOf(node) - index_ * 64; }

  // Values whose first `place` bits are those of `first`.
  bool CollectIntervals(Node node, uint32_t place, uint64_t first, std::vector<Interval>& intervals) const {
    if (Left(node)) {
      const uint64_t last = first + (place == 64 ? 0 : UINT64_MAX >> place);
      if (!intervals.empty() && intervals.back().rest == node) {
        intervals.back().last = last;
        return true;
      }
      intervals.push_back({first, last, node});
      return intervals.size() <= kMostArgumentRules;
    }
    const bool tested = PlaceOf(node) == place;
    return CollectIntervals(tested ? diagrams_.WhenClear(node) : node, place + 1, first, intervals) &&
           CollectIntervals(tested ? diagrams_.WhenSet(node) : node, place + 1, first | uint64_t{1} << (63 - place),
                            intervals);
  }

  Arg Test(CompareOp op, uint64_t value, uint64_t value_two = 0) const {
    return {.index = index_, .value = value, .value_two = value_two, .op = op};
  }

  // An interval with neighbours on both sides, as blocks whose size is a power of two and divides their start.
  void AddBlocks(const Interval& interval, std::vector<Piece>& pieces) const {
    uint64_t first = interval.first;
    while (true) {
      uint64_t span = first == 0 ? uint64_t{1} << 63 : first & (~first + 1);
      while (span - 1 > interval.last - first) span >>= 1;
      pieces.push_back(
          {.test = span == 1 ? Test(CompareOp::kEqual, first) : Test(CompareOp::kMaskedEqual, ~(span - 1), first),
           .always = false,
           .rest = interval.rest});
      if (interval.last - first == span - 1) return;
      first += span;
    }
  }

  std::optional<std::vector<Piece>> ByInterval(Node node) const {
    std::vector<Interval> intervals;
    if (!CollectIntervals(node, 0, 0, intervals)) return std::nullopt;
    // All values but one are one test.
    if (intervals.size() == 3 && intervals[0].rest == intervals[2].rest && intervals[1].first == intervals[1].last) {
      std::vector<Piece> pieces;
      if (!IsOtherwise(intervals[0].rest)) {
        pieces.push_back({Test(CompareOp::kNotEqual, intervals[1].first), false, intervals[0].rest});
      }
      if (!IsOtherwise(intervals[1].rest)) {
        pieces.push_back({Test(CompareOp::kEqual, intervals[1].first), false, intervals[1].rest});
      }
      return pieces;
    }
    std::vector<Piece> pieces;
    for (const Interval& interval : intervals) {
      if (IsOtherwise(interval.rest)) continue;
      if (interval.first == 0 && interval.last == UINT64_MAX) {
        pieces.push_back({.test = {}, .always = true, .rest = interval.rest});
      } else if (interval.first == interval.last) {
        pieces.push_back({Test(CompareOp::kEqual, interval.first), false, interval.rest});
      } else if (interval.first == 0) {
        pieces.push_back({Test(CompareOp::kLessEqual, interval.last), false, interval.rest});
      } else if (interval.last == UINT64_MAX) {
        pieces.push_back({Test(CompareOp::kGreaterEqual, interval.first), false, interval.rest});
      } else {
        AddBlocks(interval, pieces);
      }
    }
    return pieces;
  }

  bool CollectBits(Node node, uint64_t mask, uint64_t value, std::vector<Piece>& pieces) const {
    if (IsOtherwise(node)) return true;
    if (Left(node)) {
      pieces.push_back(
          {.test = mask == UINT64_MAX ? Test(CompareOp::kEqual, value) : Test(CompareOp::kMaskedEqual, mask, value),
           .always = mask == 0,
           .rest = node});
      return pieces.size() <= kMostArgumentRules;
    }
    const uint64_t bit = uint64_t{1} << (63 - PlaceOf(node));
    return CollectBits(diagrams_.WhenClear(node), mask | bit, value, pieces) &&
           CollectBits(diagrams_.WhenSet(node), mask | bit, value | bit, pieces);
  }

  std::optional<std::vector<Piece>> ByBits(Node node) const {
    std::vector<Piece> pieces;
    if (!CollectBits(node, 0, 0, pieces)) return std::nullopt;
    return pieces;
  }

  const DecisionDiagrams& diagrams_;
  const uint32_t index_;
  const uint32_t otherwise_;
};

Result<void> Collect(const DecisionDiagrams& diagrams, Node node, uint32_t otherwise, std::vector<Arg>& tests,
                     ArgumentRules& rules) {
  if (diagrams.IsAnswer(node)) {
    if (diagrams.AnswerOf(node) == otherwise) return {};
    if (rules.size() >= kMostArgumentRules) {
      return Fail(Code::kResourceExhausted, "more than {} rules would be needed", kMostArgumentRules);
    }
    rules.push_back({.tests = tests, .answer = diagrams.AnswerOf(node)});
    return {};
  }
  ASSIGN_OR_RETURN(const auto pieces, Pieces(diagrams, diagrams.BitOf(node) / 64, otherwise).Of(node));
  for (const Piece& piece : pieces) {
    if (!piece.always) tests.push_back(piece.test);
    TRY(Collect(diagrams, piece.rest, otherwise, tests, rules));
    if (!piece.always) tests.pop_back();
  }
  return {};
}

}  // namespace

Result<ArgumentRules> ToArgumentRules(const DecisionDiagrams& diagrams, Node function, uint32_t otherwise) {
  ArgumentRules rules;
  std::vector<Arg> tests;
  TRY(Collect(diagrams, function, otherwise, tests, rules));
  return rules;
}

}  // namespace portcullis::algebra
