#include "insight/preflight/preflight.h"

#include <algorithm>

#include "base/try.h"
#include "engine/filter/prove.h"
#include "insight/preflight/attribution.h"
#include "insight/preflight/enforced_profiles.h"
#include "insight/preflight/findings.h"

namespace portcullis::insight {
namespace {

std::string ProfileText(const Target& target) { return "RuntimeDefault (" + target.name + ")"; }

class Judging {
 public:
  Judging(Question question, const std::function<void(size_t, size_t)>& progress)
      : question_(std::move(question)), progress_(progress) {}

  Result<Report> Run() {
    seen_ = Attribute(question_.traces, question_.judge_unclaimed, question_.subjects);
    Report report;
    const size_t all = question_.subjects.size() * question_.scenarios.size();
    for (size_t s = 0; s < question_.subjects.size(); ++s) {
      for (size_t k = 0; k < question_.scenarios.size(); ++k) {
        auto verdict = JudgeOne(s, k);
        if (!verdict) return Wrap(verdict.error(), "{}", TitleOf(question_.subjects[s]));
        report.verdicts.push_back(*std::move(verdict));
        if (progress_) progress_(report.verdicts.size(), all);
      }
    }
    report.subjects = std::move(question_.subjects);
    report.scenarios = std::move(question_.scenarios);
    report.unclaimed = std::move(seen_.unclaimed);
    return report;
  }

 private:
  static Result<std::vector<std::string>> Bounding(const Subject& subject, const Target& target) {
    if (subject.bounding) return *subject.bounding;
    return BoundingOf(target, subject.capabilities);
  }

  // Why the change does not touch a container; "" when it does.
  std::string UntouchedBecause(const Subject& subject, const Scenario& scenario) const {
    if (subject.windows) return "a Windows container has no seccomp";
    if (subject.privileged) return "privileged: no seccomp profile";
    if (scenario.before) {
      if (subject.node_decides && !question_.switch_is_on) return "the switch is off: no seccomp profile";
      if (!subject.node_decides && !subject.asks_default) return "its manifest names " + subject.declared;
      return "";
    }
    if (!subject.node_decides) return "its manifest names " + subject.declared + " (" + subject.decided_by + ")";
    return "";
  }

  Result<ContainerVerdict> JudgeOne(size_t s, size_t k) {
    const Subject& subject = question_.subjects[s];
    const Scenario& scenario = question_.scenarios[k];
    ContainerVerdict out{.subject = s, .scenario = k};
    out.before = scenario.before ? ProfileText(*scenario.before) : "Unconfined";
    out.after = ProfileText(scenario.after);
    out.reason = UntouchedBecause(subject, scenario);
    if (!out.reason.empty()) return NotAffected(subject, std::move(out));

    ASSIGN_OR_RETURN(const auto bounding, Bounding(subject, scenario.after));
    out.bounding = bounding;
    ASSIGN_OR_RETURN(const Enforced* after, profiles_.For(scenario.after, bounding));
    const Enforced* before = nullptr;
    if (scenario.before) {
      ASSIGN_OR_RETURN(const auto bounding_before, Bounding(subject, *scenario.before));
      ASSIGN_OR_RETURN(before, profiles_.For(*scenario.before, bounding_before));
      ASSIGN_OR_RETURN(const filter::Verdict same, filter::Compare(before->behaviour, after->behaviour));
      if (same.equal) {
        out.reason = "both releases answer every call alike";
        out.verdict = Verdict::kNotAffected;
        return out;
      }
    }
    ASSIGN_OR_RETURN(const LogUse log, UseOfLogs(subject, *after));
    out.coverage = CoverageOf(s, *after);
    out.coverage.allowed_are_logged = log.covers_denials;
    out.traces = TraceNames(s);
    const auto only_denied = [&](size_t trace) {
      return log.is_target &&
             question_.traces[trace].evidence.completeness.unseen.contains(std::string(unseen::kAllowedCalls));
    };
    const Change change{.target = scenario.after, .bounding = bounding, .after = *after, .before = before};
    ASSIGN_OR_RETURN(out.findings, FindDenied(seen_.calls[s], change, only_denied, profiles_));
    out.gaps = FindGaps(subject, out.coverage, question_.gaps);
    const bool open = std::ranges::any_of(out.findings, [](const Finding& one) {
      return !one.judgement.certain && one.judgement.effect == Effect::kUnknown;
    });
    if (open) {
      out.gaps.push_back({GapKind::kArguments, "answers depend on arguments that were not seen",
                          "record with a source that sees arguments (portcullis record, strace)"});
    }
    out.verdict = VerdictOf(out);
    return out;
  }

  static ContainerVerdict NotAffected(const Subject& subject, ContainerVerdict out) {
    out.verdict = Verdict::kNotAffected;
    if (subject.privileged || subject.windows) {
      out.before = out.after = "Unconfined";
    } else if (subject.node_decides) {
      out.after = out.before = "Unconfined";
    } else {
      out.before = out.after = subject.declared;
    }
    return out;
  }

  static Verdict VerdictOf(const ContainerVerdict& out) {
    Effect worst = Effect::kNone;
    for (const Finding& finding : out.findings) worst = std::max(worst, finding.judgement.effect);
    if (worst == Effect::kBreaks) return Verdict::kBreaks;
    if (worst == Effect::kUnknown || !out.gaps.empty()) return Verdict::kIncomplete;
    return worst == Effect::kTolerated ? Verdict::kTolerated : Verdict::kSafe;
  }

  struct LogUse {
    bool covers_denials = false;  // whatever the target denies, the log would show
    bool is_target = false;       // the log shows just what the target denies
  };

  // A log under a profile shows what that profile denies. That is all we need where the target denies no more.
  Result<LogUse> UseOfLogs(const Subject& subject, const Enforced& after) {
    LogUse use;
    if (!question_.logged_under) return use;
    ASSIGN_OR_RETURN(const auto bounding, Bounding(subject, *question_.logged_under));
    ASSIGN_OR_RETURN(const Enforced* logged, profiles_.For(*question_.logged_under, bounding));
    ASSIGN_OR_RETURN(const auto beyond, filter::Excesses(logged->behaviour, after.behaviour));
    use.covers_denials = beyond.empty();
    ASSIGN_OR_RETURN(const auto other_way, filter::Excesses(after.behaviour, logged->behaviour));
    use.is_target = beyond.empty() && other_way.empty();
    return use;
  }

  Coverage CoverageOf(size_t s, const Enforced& after) const {
    Coverage coverage;
    bool begun = false;
    for (const size_t trace : seen_.traces[s]) {
      const Completeness& one = question_.traces[trace].evidence.completeness;
      coverage.completeness.losses.insert(coverage.completeness.losses.end(), one.losses.begin(), one.losses.end());
      coverage.completeness.cut_off = coverage.completeness.cut_off || one.cut_off;
      if (!begun) {
        coverage.completeness.unseen = one.unseen;
      } else {
        std::erase_if(coverage.completeness.unseen,
                      [&](const std::string& what) { return !one.unseen.contains(what); });
      }
      begun = true;
    }
    for (const SeenCall& seen : seen_.calls[s]) {
      const CallFacts& facts = *seen.facts;
      ++coverage.distinct;
      coverage.calls += facts.count;
      if (facts.first != 0 && (coverage.first == 0 || facts.first < coverage.first)) coverage.first = facts.first;
      coverage.last = std::max(coverage.last, facts.last);
      if (seen.call->phase != Phase::kUnknown) coverage.phases.insert(seen.call->phase);
      if (!Possible(after, *seen.call)) coverage.foreign = true;
    }
    coverage.traces = seen_.traces[s].size();
    return coverage;
  }

  std::vector<std::string> TraceNames(size_t s) const {
    std::vector<std::string> names;
    names.reserve(seen_.traces[s].size());
    for (const size_t trace : seen_.traces[s]) names.push_back(question_.traces[trace].name);
    return names;
  }

  Question question_;
  const std::function<void(size_t, size_t)>& progress_;
  Attribution seen_;  // views into the question's traces
  EnforcedProfiles profiles_;
};

}  // namespace

Result<Report> Preflight(Question question, const std::function<void(size_t, size_t)>& progress) {
  return Judging(std::move(question), progress).Run();
}

}  // namespace portcullis::insight
