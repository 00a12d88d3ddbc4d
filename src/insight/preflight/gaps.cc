#include "insight/preflight/gaps.h"

#include <algorithm>
#include <array>

#include "base/strings.h"

namespace portcullis::insight {
namespace {

// Does the container live on until it is told to end?
bool Serves(const Subject& subject) {
  return subject.role == k8s::ContainerRole::kMain || subject.role == k8s::ContainerRole::kSidecar;
}

// A command's trace is the command's whole life.
bool IsCommand(const Subject& subject) { return subject.kind.empty() && subject.pod.empty(); }

std::vector<Phase> WantedPhases(const Subject& subject) {
  std::vector<Phase> wanted{Phase::kInit};
  if (Serves(subject)) {
    wanted.push_back(Phase::kServing);
    wanted.push_back(Phase::kShutdown);
  }
  if (subject.runs_exec) wanted.push_back(Phase::kExec);
  return wanted;
}

void AddPhases(const Subject& subject, const Coverage& coverage, std::vector<Gap>& gaps) {
  if (IsCommand(subject)) return;
  if (coverage.phases.empty()) {
    gaps.push_back(
        {GapKind::kPhases, "the traces do not tell in which phase of the container's life a call was made",
         "record the container from its start to its end, or --accept phases where you know that all was run"});
    return;
  }
  std::vector<std::string> missing;
  for (const Phase phase : WantedPhases(subject)) {
    if (!coverage.phases.contains(phase)) missing.emplace_back(NameOf(phase));
  }
  if (missing.empty()) return;
  const std::string list = base::Join(missing, ", ");
  gaps.push_back({GapKind::kPhases, "not seen: " + list,
                  "record until the container was started, served, probed and ended at least once"});
}

void AddDuration(const Subject& subject, const Coverage& coverage, const GapOptions& options, std::vector<Gap>& gaps) {
  if (options.least_duration.count() <= 0 || !Serves(subject) || IsCommand(subject)) return;
  const std::string wanted = fmt::format("--min-duration is {} s", options.least_duration.count());
  if (coverage.first == 0 || coverage.last == 0) {
    gaps.push_back(
        {GapKind::kDuration, "the traces do not tell how long they are", wanted + "; 0 asks for no duration"});
    return;
  }
  const int64_t seconds = (coverage.last - coverage.first) / 1'000'000'000;
  if (seconds >= options.least_duration.count()) return;
  gaps.push_back({GapKind::kDuration, fmt::format("only {} s were seen", seconds), "record longer; " + wanted});
}

// What is held against each call that it is about, or changes nothing about an answer: who answered with an errno, what
// a program is called.
bool IsJudgedByCall(std::string_view what) {
  constexpr std::array<std::string_view, 8> kBegins = {
      unseen::kArguments,  unseen::kErrno,      "the errno of a call that failed",    "executables",
      "whether EPERM and", unseen::kOnlyLogged, "whether a filter killed or trapped", "the executable of some calls"};
  return std::ranges::any_of(kBegins, [&](std::string_view begin) { return what.starts_with(begin); });
}

void AddUnseen(const Coverage& coverage, std::vector<Gap>& gaps) {
  for (const std::string& what : coverage.completeness.unseen) {
    if (IsJudgedByCall(what)) continue;
    if (what == unseen::kAllowedCalls) {
      if (coverage.allowed_are_logged) continue;
      gaps.push_back({GapKind::kAllowed, "the log shows only what the profile of that time denied or logged",
                      "say which profile that was with --logged-under (a log twin of the target, for instance)"});
    } else if (what == unseen::kDenials || what.starts_with(unseen::kKills)) {
      gaps.push_back({GapKind::kDenials, "the recorder could not see calls that a filter denied",
                      "record the container while it is unconfined, or with a recorder that sees denials"});
    } else if (what == unseen::kBeforeTheStart) {
      gaps.push_back(
          {GapKind::kPhases, "not seen: " + what, "record it from its start (portcullis record --from-start)"});
    } else {
      gaps.push_back({GapKind::kUnseen, "not visible to the source: " + what,
                      "record with another source, or --accept unseen where that does not matter"});
    }
  }
}

}  // namespace

std::string_view NameOf(GapKind kind) {
  switch (kind) {
    case GapKind::kNoEvidence:
      return "noEvidence";
    case GapKind::kLosses:
      return "losses";
    case GapKind::kDenials:
      return "denials";
    case GapKind::kUnseen:
      return "unseen";
    case GapKind::kAllowed:
      return "allowed";
    case GapKind::kArchitecture:
      return "architecture";
    case GapKind::kArguments:
      return "arguments";
    case GapKind::kPhases:
      return "phases";
    case GapKind::kDuration:
      return "duration";
  }
  return "";
}

bool MayBeAccepted(GapKind kind) {
  return kind == GapKind::kPhases || kind == GapKind::kDuration || kind == GapKind::kAllowed ||
         kind == GapKind::kUnseen;
}

std::vector<Gap> FindGaps(const Subject& subject, const Coverage& coverage, const GapOptions& options) {
  if (coverage.traces == 0) {
    return {
        {GapKind::kNoEvidence, "there is no evidence about this container",
         "record it (portcullis record --pod NAMESPACE/POD --from-start), or map a command's trace to it with --as " +
             NameOf(subject)}};
  }
  std::vector<Gap> gaps;
  for (const Loss& loss : coverage.completeness.losses) {
    const std::string count = loss.count == 0 ? "an unknown number of" : std::to_string(loss.count);
    gaps.push_back({GapKind::kLosses, fmt::format("{} events were lost ({}: {})", count, loss.where, loss.why),
                    "record again; a trace with losses is never complete"});
  }
  if (coverage.completeness.cut_off) {
    gaps.push_back({GapKind::kLosses, "a trace has no end: its writer was stopped", "record again"});
  }
  if (coverage.foreign) {
    gaps.push_back({GapKind::kArchitecture, "calls were recorded on another kind of machine",
                    "record on the target's architecture, or name it with --arch"});
  }
  AddUnseen(coverage, gaps);
  AddPhases(subject, coverage, gaps);
  AddDuration(subject, coverage, options, gaps);
  std::erase_if(gaps, [&](const Gap& gap) { return MayBeAccepted(gap.kind) && options.accepted.contains(gap.kind); });
  return gaps;
}

}  // namespace portcullis::insight
