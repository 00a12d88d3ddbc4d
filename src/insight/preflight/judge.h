// One call that was seen, under one profile: does it go through, does the program notice, does it break?
//
//   if (const auto judgement = Judge(enforced, nullptr, call)) judgement->effect, judgement->why
//
// What is judged is the change: a call that fails in the recording with the errno that it will get is no change. What a
// caller makes of a denial comes from the knowledge base; where that is silent, a call that succeeded counts as needed.
// Pure.
#pragma once

#include <optional>
#include <string>

#include "insight/preflight/knowledge.h"
#include "insight/preflight/target.h"

namespace portcullis::insight {

enum class Effect {
  kNone,       // denied, and the program gets the answer that it got before
  kTolerated,  // denied, and the program goes on
  kUnknown,    // it depends on what the evidence does not tell
  kBreaks,
};
std::string_view NameOf(Effect effect);  // "none", "tolerated", "unknown", "breaks"

struct Judgement {
  Answer answer;        // the strictest that it may get
  bool certain = true;  // false: others are possible, it depends on arguments that were not seen
  Effect effect = Effect::kNone;
  const KnownCall* known = nullptr;
  std::string why;  // one sentence
};

// What the call gave when it was seen: an errno, 0 for success, kKilled; nullopt: not known.
std::optional<int> OutcomeOf(const Call& call);

// nullopt: the call goes through, or is answered as `before` (the profile that it has now; null: none) answers it.
// `only_denied`: the source logged the call because this same profile denies it, so answers that let it through are
// out.
std::optional<Judgement> Judge(const Enforced& after, const Enforced* before, const Call& call,
                               bool only_denied = false);

}  // namespace portcullis::insight
