// How an exec or attach ended, as the client's error stream tells it (k8s.io/cri-streaming, remotecommand).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace portcullis::runtime {

struct ExecOutcome {
  int exit_code = 0;
  std::vector<std::string> command;  // for the text
};

// v4 and later: a metav1.Status as JSON. A non-zero exit code is reason NonZeroExitCode, an error InternalError.
// Before: plain text of a failure, nothing for success.
std::string StatusText(const Result<ExecOutcome>& outcome, std::string_view attempted, bool json);

}  // namespace portcullis::runtime
