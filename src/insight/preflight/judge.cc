#include "insight/preflight/judge.h"

#include <algorithm>
#include <cerrno>

#include "engine/seccomp/profile.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis::insight {
namespace {

std::string ErrnoText(int number) {
  return number == kKilled ? "a kill" : seccomp::ErrnoName(static_cast<uint32_t>(number));
}

// To most programs these two are one.
bool IsRefusal(int error) { return error == EPERM || error == EACCES; }

// Stricter answers later: what lets through, errnos, kills.
int StrictnessOf(const Answer& answer) {
  if (LetsThrough(answer)) return 0;
  return ErrnoOf(answer) == kKilled ? 2 : 1;
}

bool DeniedWithUnknownErrno(const Call& call) { return call.result == CallResult::kErrno && call.error == 0; }

struct Told {
  Effect effect;
  std::string why;
};

// The knowledge base is silent, or speaks of programs whose call succeeds.
Told WithoutKnowledge(const Call& call, std::optional<int> was, int answer) {
  if (was == kKilled) return {Effect::kBreaks, "it was killed for this when it was recorded, too"};
  if (answer == kKilled) return {Effect::kBreaks, "the process is killed for it"};
  if (answer == 0) return {Effect::kUnknown, "the profile makes it seem to succeed without doing anything"};
  if (was && *was > 0) {
    if (IsRefusal(*was) && IsRefusal(answer)) {
      return {Effect::kTolerated,
              fmt::format("it failed with {} when it was recorded, and the program went on", ErrnoText(*was))};
    }
    return {Effect::kUnknown,
            fmt::format("it failed with {} when it was recorded; whether the program takes {} in the same way "
                        "is not known",
                        ErrnoText(*was), ErrnoText(answer))};
  }
  if (DeniedWithUnknownErrno(call)) {
    return {Effect::kUnknown,
            "it was denied when it was recorded, too; the record does not tell whether the program minds"};
  }
  return {Effect::kBreaks, was ? "it succeeded when it was recorded" : "it went through when it was recorded"};
}

Told Tell(const KnownCall* known, const Call& call, std::optional<int> was, int answer) {
  if (known == nullptr) return WithoutKnowledge(call, was, answer);
  if (known->effect == KnownEffect::kTolerated) return {Effect::kTolerated, std::string(known->about)};
  // Entries speak of a call that works without a profile. One that failed anyway is another matter, unless the program
  // fell back on ENOSYS and will now get something else.
  if (was && *was > 0 && *was != ENOSYS && known->was.empty()) return WithoutKnowledge(call, was, answer);
  return {Effect::kBreaks, std::string(known->about)};
}

}  // namespace

std::string_view NameOf(Effect effect) {
  switch (effect) {
    case Effect::kNone:
      return "none";
    case Effect::kTolerated:
      return "tolerated";
    case Effect::kUnknown:
      return "unknown";
    case Effect::kBreaks:
      return "breaks";
  }
  return "";
}

std::optional<int> OutcomeOf(const Call& call) {
  switch (call.result) {
    case CallResult::kKillThread:
    case CallResult::kKillProcess:
    case CallResult::kTrap:
      return kKilled;
    case CallResult::kAllowed:
      return call.error;
    case CallResult::kUnknown:
    case CallResult::kErrno:
    case CallResult::kTrace:
    case CallResult::kLogged:
    case CallResult::kNotify:
      return call.error == 0 ? std::nullopt : std::optional(call.error);
  }
  return std::nullopt;
}

std::optional<Judgement> Judge(const Enforced& after, const Enforced* before, const Call& call, bool only_denied) {
  auto possible = Possible(after, call);
  if (!possible) return std::nullopt;
  if (only_denied && std::ranges::any_of(*possible, [](const Answer& one) { return !LetsThrough(one); })) {
    std::erase_if(*possible, LetsThrough);
  }
  const Answer strictest = *std::ranges::max_element(*possible, {}, StrictnessOf);
  if (LetsThrough(strictest)) return std::nullopt;
  Judgement out{
      .answer = strictest, .certain = possible->size() == 1, .effect = Effect::kNone, .known = nullptr, .why = ""};
  const int answer = ErrnoOf(strictest);

  std::optional<int> was = OutcomeOf(call);
  if (before != nullptr) {
    if (const auto now = Possible(*before, call)) {
      const auto answers_alike = [&](const Answer& one) {
        return !LetsThrough(one) && one.decision.action == strictest.decision.action && ErrnoOf(one) == answer;
      };
      if (std::ranges::all_of(*now, answers_alike)) return std::nullopt;
      // Unknown arguments, but the same choice on both sides: nothing changes.
      if (!out.certain && std::ranges::any_of(*now, answers_alike) && now->size() > 1 &&
          possible->size() == now->size()) {
        const auto meaning = [](const Answer& one) { return std::pair(LetsThrough(one), ErrnoOf(one)); };
        if (std::ranges::is_permutation(*now, *possible, {}, meaning, meaning)) return std::nullopt;
      }
      if (now->size() == 1 && !LetsThrough(now->front())) was = ErrnoOf(now->front());
    }
  }
  if (was && *was != 0 && *was == answer && answer != kKilled) {
    out.why = call.result == CallResult::kErrno
                  ? fmt::format("it got {} when it was recorded, too", ErrnoText(answer))
                  : fmt::format("it fails with {} without this profile, too", ErrnoText(answer));
    return out;
  }
  const auto arch = syscalls::ArchFromAudit(call.audit_arch, call.number);
  const auto name = arch ? syscalls::NameOf(*arch, call.number) : std::nullopt;
  out.known = FindKnown({.syscall = name.value_or(""),
                         .arch = arch ? syscalls::InfoOf(*arch).docker_name : "",
                         .arguments = call.arguments,
                         .answer = answer,
                         .was = was,
                         .executable = call.executable,
                         .comm = call.comm});
  Told told = Tell(out.known, call, was, answer);
  out.effect = told.effect;
  out.why = std::move(told.why);
  if (!out.certain && out.effect == Effect::kBreaks) {
    out.effect = Effect::kUnknown;
    out.why = "it depends on arguments that were not seen: " + out.why;
  }
  return out;
}

}  // namespace portcullis::insight
