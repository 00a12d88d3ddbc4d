#include "insight/preflight/preflight.h"

#include <algorithm>

#include "base/strings.h"
#include "base/try.h"
#include "engine/algebra/operations.h"
#include "engine/filter/prove.h"
#include "engine/syscalls/constants.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis::insight {
namespace {

// A workload of one trace.
struct Source {
  size_t trace;
  size_t workload;
};

std::string ProfileText(const Target& target) { return "RuntimeDefault (" + target.name + ")"; }

class Judging {
 public:
  Judging(Question question, const std::function<void(size_t, size_t)>& progress)
      : question_(std::move(question)), progress_(progress) {}

  Result<Report> Run() {
    Match();
    IndexCalls();
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
    report.unclaimed = std::move(unclaimed_);
    return report;
  }

 private:
  // Each workload of the evidence goes to the subject that fits it best; what fits none is a subject itself.
  void Match() {
    sources_.resize(question_.subjects.size());
    std::map<std::string, size_t> own;
    for (size_t t = 0; t < question_.traces.size(); ++t) {
      const Trace& trace = question_.traces[t];
      for (size_t w = 0; w < trace.evidence.workloads().size(); ++w) {
        Workload workload = trace.evidence.workloads()[w];
        if (trace.as && workload.pod.empty()) {
          workload = *trace.as;
        }
        const std::vector<size_t> best = BestSubjects(workload);
        for (const size_t subject : best) sources_[subject].push_back({t, w});
        if (!best.empty()) continue;
        const Subject subject = SubjectOf(workload);
        const std::string title = TitleOf(subject);
        if (!question_.judge_unclaimed) {
          if (own.emplace(title, 0).second) unclaimed_.push_back(title);
          continue;
        }
        const auto [known, is_new] = own.emplace(title, question_.subjects.size());
        if (is_new) {
          question_.subjects.push_back(subject);
          sources_.emplace_back();
        }
        sources_[known->second].push_back({t, w});
      }
    }
  }

  // One, or the same container in several manifests. None where two others fit alike: nobody can tell whose it is.
  std::vector<size_t> BestSubjects(const Workload& workload) const {
    int best = 0;
    std::vector<size_t> found;
    for (size_t s = 0; s < question_.subjects.size(); ++s) {
      const int match = MatchOf(question_.subjects[s], workload);
      if (match == 0 || match < best) continue;
      if (match > best) found.clear();
      best = match;
      found.push_back(s);
    }
    const bool one_container = std::ranges::all_of(
        found, [&](size_t s) { return TitleOf(question_.subjects[s]) == TitleOf(question_.subjects[found.front()]); });
    return one_container ? found : std::vector<size_t>{};
  }

  void IndexCalls() {
    calls_.resize(question_.traces.size());
    for (size_t t = 0; t < question_.traces.size(); ++t) {
      const Evidence& evidence = question_.traces[t].evidence;
      calls_[t].resize(evidence.workloads().size());
      for (const auto& entry : evidence.calls()) calls_[t].at(entry.first.workload).push_back(&entry);
    }
  }

  // Resolved once for each kind of container.
  Result<const Enforced*> EnforcedFor(const Target& target, const std::vector<std::string>& bounding) {
    const std::string key = LabelOf(target) + "|" + base::Join(bounding, ",");
    const auto found = enforced_.find(key);
    if (found != enforced_.end()) return &found->second;
    ASSIGN_OR_RETURN(Enforced enforced, Enforce(target, bounding));
    return &enforced_.emplace(key, std::move(enforced)).first->second;
  }

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
    ASSIGN_OR_RETURN(const Enforced* after, EnforcedFor(scenario.after, bounding));
    const Enforced* before = nullptr;
    if (scenario.before) {
      ASSIGN_OR_RETURN(const auto bounding_before, Bounding(subject, *scenario.before));
      ASSIGN_OR_RETURN(before, EnforcedFor(*scenario.before, bounding_before));
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
    TRY(AddFindings(s, scenario.after, bounding, *after, before, log.is_target, out));
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
    ASSIGN_OR_RETURN(const Enforced* logged, EnforcedFor(*question_.logged_under, bounding));
    ASSIGN_OR_RETURN(const auto beyond, filter::Excesses(logged->behaviour, after.behaviour));
    use.covers_denials = beyond.empty();
    ASSIGN_OR_RETURN(const auto other_way, filter::Excesses(after.behaviour, logged->behaviour));
    use.is_target = beyond.empty() && other_way.empty();
    return use;
  }

  Coverage CoverageOf(size_t s, const Enforced& after) const {
    Coverage coverage;
    std::set<size_t> traces;
    bool begun = false;
    for (const Source& source : sources_[s]) {
      if (traces.insert(source.trace).second) {
        const Completeness& one = question_.traces[source.trace].evidence.completeness;
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
      for (const auto* entry : calls_[source.trace][source.workload]) {
        const auto& [call, facts] = *entry;
        ++coverage.distinct;
        coverage.calls += facts.count;
        if (facts.first != 0 && (coverage.first == 0 || facts.first < coverage.first)) coverage.first = facts.first;
        coverage.last = std::max(coverage.last, facts.last);
        if (call.phase != Phase::kUnknown) coverage.phases.insert(call.phase);
        if (!Possible(after, call)) coverage.foreign = true;
      }
    }
    coverage.traces = traces.size();
    return coverage;
  }

  std::vector<std::string> TraceNames(size_t s) const {
    std::set<size_t> traces;
    for (const Source& source : sources_[s]) traces.insert(source.trace);
    std::vector<std::string> names;
    names.reserve(traces.size());
    for (const size_t trace : traces) names.push_back(question_.traces[trace].name);
    return names;
  }

  // Calls that only differ in who made them, and when, are one finding as long as they mean the same.
  Result<void> AddFindings(size_t s, const Target& target, const std::vector<std::string>& bounding,
                           const Enforced& after, const Enforced* before, bool only_denied, ContainerVerdict& out) {
    using Key = std::tuple<uint32_t, uint32_t, std::vector<CallArgument>, Effect, const KnownCall*, std::string>;
    std::map<Key, Finding> found;
    for (const Source& source : sources_[s]) {
      const bool from_log =
          question_.traces[source.trace].evidence.completeness.unseen.contains(std::string(unseen::kAllowedCalls));
      for (const auto* entry : calls_[source.trace][source.workload]) {
        const auto& [call, facts] = *entry;
        auto judgement = Judge(after, before, call, only_denied && from_log);
        if (!judgement) continue;
        const Key key{call.audit_arch,   call.number,      TestedArguments(after, call),
                      judgement->effect, judgement->known, judgement->why};
        Finding& finding = found[key];
        AddCallText(call, finding);
        finding.callers.push_back({call.executable, call.comm, call.phase, call.result, call.error, facts});
        finding.count += facts.count;
        if (finding.callers.size() > 1) continue;
        finding.arguments = std::get<2>(key);
        Describe(call, after, *std::move(judgement), finding);
        ASSIGN_OR_RETURN(finding.remedy, RemedyFor(call, target, bounding, after, finding));
      }
    }
    for (auto& [key, finding] : found) {
      std::ranges::stable_sort(finding.callers,
                               [](const Caller& a, const Caller& b) { return a.facts.count > b.facts.count; });
      out.findings.push_back(std::move(finding));
    }
    std::ranges::stable_sort(out.findings, [](const Finding& a, const Finding& b) {
      return std::pair(a.judgement.effect, a.count) > std::pair(b.judgement.effect, b.count);
    });
    return {};
  }

  // The part of the arguments that the profile looks at.
  static std::vector<CallArgument> TestedArguments(const Enforced& after, const Call& call) {
    std::vector<CallArgument> tested;
    const auto arch = syscalls::ArchFromAudit(call.audit_arch, call.number);
    const auto name = arch ? syscalls::NameOf(*arch, call.number) : std::nullopt;
    if (!name) return tested;
    for (const auto& [index, bits] : TestedBits(after.profile, *name)) {
      const auto known = std::ranges::find(call.arguments, static_cast<int>(index), &CallArgument::index);
      if (known != call.arguments.end()) tested.push_back({known->index, known->value & bits});
    }
    return tested;
  }

  static void AddCallText(const Call& call, Finding& finding) {
    const auto arch = syscalls::ArchFromAudit(call.audit_arch, call.number);
    const auto name = arch ? syscalls::NameOf(*arch, call.number) : std::nullopt;
    const std::string text =
        name ? syscalls::DescribeCall(*arch, *name, call.arguments) : fmt::format("syscall_{}", call.number);
    const bool is_new = std::ranges::find(finding.calls, text) == finding.calls.end();
    if (is_new && finding.calls.size() < kMostCallTexts) finding.calls.push_back(text);
  }

  static void Describe(const Call& call, const Enforced& after, Judgement judgement, Finding& finding) {
    const auto arch = syscalls::ArchFromAudit(call.audit_arch, call.number);
    const auto name = arch ? syscalls::NameOf(*arch, call.number) : std::nullopt;
    constexpr std::string_view kPrefix = "SCMP_ARCH_";
    finding.syscall = name ? std::string(*name) : fmt::format("syscall_{}", call.number);
    finding.arch = arch ? base::ToLower(syscalls::InfoOf(*arch).scmp_name.substr(kPrefix.size()))
                        : fmt::format("{:x}", call.audit_arch);
    finding.number = call.number;
    finding.decided = TextOf(after, call, judgement.answer);
    finding.judgement = std::move(judgement);
  }

  Result<Remedy> RemedyFor(const Call& call, const Target& target, const std::vector<std::string>& bounding,
                           const Enforced& after, const Finding& finding) {
    Remedy remedy;
    const Judgement& judgement = finding.judgement;
    if (judgement.effect == Effect::kNone) return remedy;
    if (judgement.known != nullptr) remedy.text = judgement.known->remedy;
    if (judgement.effect == Effect::kTolerated) return remedy;
    ASSIGN_OR_RETURN(remedy.capabilities, CapabilitiesFor(call, target, bounding));
    if (judgement.answer.decision.foreign_arch) {
      remedy.kind = RemedyKind::kProfile;
      remedy.text = "a profile of its own that lists " + finding.arch + " among its architectures, or Unconfined";
    } else if (const auto rule = RuleFor(after, call)) {
      remedy.kind = RemedyKind::kDelta;
      remedy.delta_entry = EntryText(*rule);
    } else {
      remedy.kind = RemedyKind::kUnconfined;
      remedy.text = "no profile can name this call; nothing smaller than Unconfined lets it through";
    }
    return remedy;
  }

  // Which single capability makes the target's own profile allow the call.
  Result<std::vector<std::string>> CapabilitiesFor(const Call& call, const Target& target,
                                                   const std::vector<std::string>& bounding) {
    std::set<std::string> candidates;
    for (const seccomp::Rule& rule : target.profile.syscalls) {
      candidates.insert(rule.includes.caps.begin(), rule.includes.caps.end());
    }
    std::vector<std::string> found;
    for (const std::string& capability : candidates) {
      if (std::ranges::find(bounding, capability) != bounding.end()) continue;
      std::vector<std::string> with = bounding;
      with.push_back(capability);
      ASSIGN_OR_RETURN(const Enforced* enforced, EnforcedFor(target, with));
      const auto answers = Possible(*enforced, call);
      if (answers && std::ranges::all_of(*answers, LetsThrough)) found.push_back(capability);
    }
    return found;
  }

  Question question_;
  const std::function<void(size_t, size_t)>& progress_;
  std::vector<std::vector<Source>> sources_;                                              // of each subject
  std::vector<std::vector<std::vector<const std::pair<const Call, CallFacts>*>>> calls_;  // by trace and workload
  std::map<std::string, Enforced> enforced_;
  std::vector<std::string> unclaimed_;
};

}  // namespace

std::string_view NameOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kNotAffected:
      return "NOT AFFECTED";
    case Verdict::kSafe:
      return "SAFE";
    case Verdict::kTolerated:
      return "SAFE (denied but tolerated)";
    case Verdict::kIncomplete:
      return "UNKNOWN (evidence incomplete)";
    case Verdict::kBreaks:
      return "BREAKS";
  }
  return "";
}

std::string_view IdOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kNotAffected:
      return "notAffected";
    case Verdict::kSafe:
      return "safe";
    case Verdict::kTolerated:
      return "tolerated";
    case Verdict::kIncomplete:
      return "incomplete";
    case Verdict::kBreaks:
      return "breaks";
  }
  return "";
}

std::string_view NameOf(RemedyKind kind) {
  switch (kind) {
    case RemedyKind::kNone:
      return "none";
    case RemedyKind::kDelta:
      return "delta";
    case RemedyKind::kProfile:
      return "profile";
    case RemedyKind::kUnconfined:
      return "unconfined";
  }
  return "";
}

std::string LabelOf(const Scenario& scenario) {
  return scenario.before ? scenario.before->name + " -> " + LabelOf(scenario.after) : LabelOf(scenario.after);
}

Verdict Report::Worst() const {
  Verdict worst = Verdict::kNotAffected;
  for (const ContainerVerdict& one : verdicts) worst = std::max(worst, one.verdict);
  return worst;
}

size_t Report::Count(Verdict verdict) const {
  return static_cast<size_t>(std::ranges::count(verdicts, verdict, &ContainerVerdict::verdict));
}

Result<Report> Preflight(Question question, const std::function<void(size_t, size_t)>& progress) {
  return Judging(std::move(question), progress).Run();
}

}  // namespace portcullis::insight
