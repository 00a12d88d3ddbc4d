#include "insight/preflight/knowledge.h"

#include <algorithm>

#include "insight/preflight/knowledge_table.h"

namespace portcullis::insight {
namespace {

template <class T, class U>
bool Holds(std::span<const T> list, const U& value) {
  return std::ranges::find(list, value) != list.end();
}

bool FitsArguments(const KnownCall& entry, std::span<const CallArgument> arguments) {
  return std::ranges::all_of(entry.arguments, [&](const ArgumentPattern& pattern) {
    const auto known = std::ranges::find(arguments, pattern.index, &CallArgument::index);
    return known != arguments.end() && (known->value & pattern.mask) == pattern.value;
  });
}

// x64 programs under a loader or an interpreter have its name as executable and their own as comm.
bool FitsCaller(const KnownCall& entry, const Circumstances& c) {
  if (entry.executables.empty()) return true;
  const std::string_view file = c.executable.substr(c.executable.rfind('/') + 1);
  return std::ranges::any_of(entry.executables, [&](std::string_view pattern) {
    return MatchesPattern(pattern, file) || MatchesPattern(pattern, c.comm);
  });
}

bool Fits(const KnownCall& entry, const Circumstances& c) {
  if (!Holds(entry.calls, c.syscall)) return false;
  if (entry.answers.empty() ? c.answer == kKilled : !Holds(entry.answers, c.answer)) return false;
  if (!entry.archs.empty() && !Holds(entry.archs, c.arch)) return false;
  if (!entry.was.empty() && (!c.was || !Holds(entry.was, *c.was))) return false;
  return FitsArguments(entry, c.arguments) && FitsCaller(entry, c);
}

// How much an entry asks for: what says more is better.
int WeightOf(const KnownCall& entry) {
  return (entry.executables.empty() ? 0 : 16) + (entry.was.empty() ? 0 : 8) + (entry.arguments.empty() ? 0 : 4) +
         (entry.archs.empty() ? 0 : 2) + (entry.answers.empty() ? 0 : 1);
}

}  // namespace

std::string_view NameOf(KnownEffect effect) {
  switch (effect) {
    case KnownEffect::kTolerated:
      return "tolerated";
    case KnownEffect::kFeature:
      return "feature";
    case KnownEffect::kBreaks:
      return "breaks";
  }
  return "";
}

std::span<const KnownCall> AllKnown() { return KnowledgeTable(); }

const KnownCall* FindKnown(const Circumstances& circumstances) {
  const KnownCall* best = nullptr;
  for (const KnownCall& entry : KnowledgeTable()) {
    if (!Fits(entry, circumstances)) continue;
    if (best == nullptr || WeightOf(entry) > WeightOf(*best)) best = &entry;
  }
  return best;
}

bool MatchesPattern(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;
  size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t]) && pattern[p] != '*') {
      ++p;
      ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace portcullis::insight
