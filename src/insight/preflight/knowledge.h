// What is known about denied calls: which programs go on without them, and which do not. The data are entries of
// data/knowledge (format in its README.md), compiled in.
//
//   const KnownCall* known = FindKnown({.syscall = "mbind", .answer = EPERM, .executable = "/usr/sbin/mysqld"});
//   known->name == "numa-policy", known->effect == KnownEffect::kTolerated
//
// Severity is not "denied or not": it is the errno times the caller's fallback. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "insight/evidence/evidence.h"

namespace portcullis::insight {

enum class KnownEffect {
  kTolerated,  // the program goes on as well
  kFeature,    // it goes on, and a feature of it does not work
  kBreaks,
};
std::string_view NameOf(KnownEffect effect);  // "tolerated", "feature", "breaks"

// An answer that is no errno: the process or thread is killed, or gets SIGSYS.
inline constexpr int kKilled = -1;

// (argument & mask) == value
struct ArgumentPattern {
  int index;
  uint64_t mask;
  uint64_t value;
};

// One entry. Empty lists: no condition.
struct KnownCall {
  std::string_view name;  // "io-uring-postgres"
  std::span<const std::string_view> calls;
  std::span<const int> answers;                   // errnos, kKilled; empty: any errno
  std::span<const std::string_view> archs;        // Docker's names
  std::span<const ArgumentPattern> arguments;     // all of them
  std::span<const std::string_view> executables;  // file names or comms, with * and ?
  std::span<const int> was;                       // errnos of the recording; 0: success
  KnownEffect effect;
  std::span<const std::string_view> instead;  // what the caller calls then; a recording without the denial lacks it
  std::string_view about;
  std::string_view remedy;
  std::string_view see;  // public issues, "owner/repository#number" or short
};

std::span<const KnownCall> AllKnown();

struct Circumstances {
  std::string_view syscall;
  std::string_view arch;  // Docker's name; "" when unknown
  std::span<const CallArgument> arguments;
  int answer = 0;          // errno or kKilled
  std::optional<int> was;  // errno of the recording, 0: it succeeded
  std::string_view executable;
  std::string_view comm;
};

// The entry that fits best (README.md tells the order); nullptr: nothing is known.
const KnownCall* FindKnown(const Circumstances& circumstances);

// "*chrom?" against the whole text; `*` is any text, `?` any character. Not for other rooms.
bool MatchesPattern(std::string_view pattern, std::string_view text);

}  // namespace portcullis::insight
