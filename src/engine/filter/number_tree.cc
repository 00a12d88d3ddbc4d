#include "engine/filter/number_tree.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <vector>

namespace portcullis::filter {
namespace {

using Id = CodeGraph::Id;

// At most so many numbers are compared one after the other; more are halved first. A small number makes a longer
// program with shorter paths.
constexpr size_t kLongestChain = 4;

// A run of numbers with one answer, but for `exceptions`.
struct Run {
  uint32_t first;
  uint32_t last;
  Id code;
  size_t exceptions_end;  // end of its exceptions in the list of all; they begin where those of the run before end
};

struct Exception {
  uint32_t number;
  Id code;
};

class TreeBuilder {
 public:
  explicit TreeBuilder(CodeGraph& graph) : graph_(graph) {}

  Id Build(std::span<const Range> ranges, std::span<const Id> codes) {
    for (const Range& range : ranges) Push({range.first, range.last, codes[range.leaf], exceptions_.size()});
    return Split({0, runs_.size(), 0, exceptions_.size()});
  }

 private:
  static constexpr size_t kMostTakenOut = 3;  // single numbers side by side

  // Adds a run; when it continues an earlier one but for a few single numbers, these become exceptions.
  void Push(Run run) {
    for (size_t back = 1; back <= std::min(runs_.size(), kMostTakenOut + 1); ++back) {
      Run& earlier = runs_[runs_.size() - back];
      if (earlier.code == run.code) {
        for (size_t i = runs_.size() - back + 1; i < runs_.size(); ++i) {
          exceptions_.push_back({runs_[i].first, runs_[i].code});
        }
        earlier.last = run.last;
        earlier.exceptions_end = exceptions_.size();
        runs_.resize(runs_.size() - back + 1);
        return;
      }
      if (earlier.first != earlier.last) break;
    }
    runs_.push_back(run);
  }

  // Consecutive runs and consecutive exceptions that lie in them.
  struct Part {
    size_t run, run_end;
    size_t exception, exception_end;
    size_t weight() const { return run_end - run + exception_end - exception; }
  };

  // A cut of a part in two: below `number` and from it on.
  struct Cut {
    uint32_t number;
    Part below, above;
    size_t imbalance() const {
      const size_t a = below.weight(), b = above.weight();
      return a > b ? a - b : b - a;
    }
  };

  // The border between two runs that divides the weight best.
  std::optional<Cut> CutBetweenRuns(const Part& part) const {
    std::optional<Cut> best;
    for (size_t run = part.run + 1; run < part.run_end; ++run) {
      const size_t exception = std::clamp(runs_[run - 1].exceptions_end, part.exception, part.exception_end);
      const Cut cut{runs_[run].first,
                    {part.run, run, part.exception, exception},
                    {run, part.run_end, exception, part.exception_end}};
      if (!best || cut.imbalance() < best->imbalance()) best = cut;
    }
    return best;
  }

  // A cut through the middle of the exceptions of the run that holds the most of them.
  std::optional<Cut> CutThroughRun(const Part& part) const {
    std::optional<Cut> best;
    size_t begin = part.exception;
    for (size_t run = part.run; run < part.run_end; ++run) {
      const size_t end = std::clamp(runs_[run].exceptions_end, begin, part.exception_end);
      if (end - begin > kLongestChain) {
        const size_t middle = begin + (end - begin) / 2;
        const Cut cut{exceptions_[middle].number,
                      {part.run, run + 1, part.exception, middle},
                      {run, part.run_end, middle, part.exception_end}};
        if (!best || cut.imbalance() < best->imbalance()) best = cut;
      }
      begin = end;
    }
    return best;
  }

  Id Split(const Part& part) {
    std::optional<Cut> cut = CutBetweenRuns(part);
    // A cut through a run costs an instruction: only when the borders divide badly.
    if (!cut || cut->imbalance() * 2 > part.weight()) {
      if (const auto through = CutThroughRun(part); through && (!cut || through->imbalance() < cut->imbalance())) {
        cut = through;
      }
    }
    if (!cut) return Chain(part);
    const Id below = Split(cut->below);
    const Id above = Split(cut->above);
    return graph_.Test(bpf::kNrOffset, UINT32_MAX, Compare::kAtLeast, cut->number, above, below);
  }

  Id Chain(const Part& part) {
    Id code = runs_[part.run].code;
    for (size_t i = part.exception_end; i-- > part.exception;) {
      code = graph_.Test(bpf::kNrOffset, UINT32_MAX, Compare::kEqual, exceptions_[i].number, exceptions_[i].code, code);
    }
    return code;
  }

  CodeGraph& graph_;
  std::vector<Run> runs_;
  std::vector<Exception> exceptions_;  // sorted by number
};

}  // namespace

Id BuildNumberTree(CodeGraph& graph, std::span<const Range> ranges, std::span<const Id> codes) {
  return TreeBuilder(graph).Build(ranges, codes);
}

}  // namespace portcullis::filter
