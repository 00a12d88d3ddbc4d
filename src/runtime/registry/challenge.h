// What a registry answers to who is not known to it: WWW-Authenticate (RFC 9110, 11.6.1).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace portcullis::runtime {

struct Challenge {
  std::string scheme;                                   // lower case: "bearer", "basic", "negotiate"
  std::map<std::string, std::string> parameters;        // names in lower case
  std::string Get(const std::string& parameter) const;  // "" when there is none
};

// All challenges of the header, in its order; what comes behind something malformed is left out.
std::vector<Challenge> ParseChallenges(std::string_view header);

}  // namespace portcullis::runtime
