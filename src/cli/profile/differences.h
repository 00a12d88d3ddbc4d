// Calls that two profiles answer differently, in words and as JSON, with the names of the calls.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "engine/filter/prove.h"

namespace portcullis::cli {

// One line a difference:
//   SCMP_ARCH_X86_64     socket: SCMP_ACT_ALLOW -> SCMP_ACT_ERRNO(1) for some arguments, such as 0x26 0x0 ...
std::string DifferencesToText(const std::vector<filter::Difference>& differences);

// [{"architecture", "calls", "first", "last", "before", "after", "forSomeArguments": [6 numbers]}]
nlohmann::json DifferencesToJson(const std::vector<filter::Difference>& differences);

// One call, what a process gets and what a profile says.
std::string CounterexampleText(const filter::Counterexample& example);

}  // namespace portcullis::cli
