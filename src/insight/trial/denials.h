// The denials of a run, counted: what was denied, how often, to whom. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "insight/evidence/evidence.h"
#include "insight/trial/observed_filter.h"

namespace portcullis::insight {

struct DenialFacts {
  uint64_t count = 0;
  std::set<std::string> executables;  // at most kMaxExecutables
  std::string location;               // of one of the calls
  static constexpr size_t kMaxExecutables = 16;
};

using Denials = std::map<DeniedCase, DenialFacts>;

void AddDenial(Denials& denials, const DeniedCase& denied, const std::string& executable, const std::string& location);

// As a trace that other verbs read: the calls with their answers, for one workload of this command. What the profile
// allows is not in it, and it says so.
Evidence ToEvidence(const Denials& denials, const std::string& command);

}  // namespace portcullis::insight
