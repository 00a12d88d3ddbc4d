// Every denial of the evidence, explained: the call with its arguments, the rule of the profile that decides, who made
// it and from where in which library, what is known about it, and the smallest thing that lets it through.
//
//   ASSIGN_OR_RETURN(const std::string text, ExplainDenials(evidence, target, {"web.jsonl.gz"}));
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "insight/evidence/evidence.h"
#include "insight/preflight/target.h"

namespace portcullis::cli {

// `profile` is the one that was in force. `traces` are where the evidence is, for the commands that go on from here;
// none when it was not written.
Result<std::string> ExplainDenials(const insight::Evidence& evidence, const insight::Target& profile,
                                   const std::vector<std::string>& traces);

}  // namespace portcullis::cli
