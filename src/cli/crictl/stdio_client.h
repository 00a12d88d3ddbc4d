// The client's half of exec and attach: the user's descriptors on one side, streams on the other.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/crictl/options.h"

namespace portcullis::cli {

struct StdioOptions {
  std::string url;
  StreamOptions stream;
  bool input = false;
  bool tty = false;  // standard input must be a terminal; it is raw meanwhile
  int input_fd = 0;
  int output_fd = 1;
  int error_fd = 2;
};

// Until the other end says how it ended. A command's failure is an error with Kubernetes' text ("command terminated
// with exit code 7"); a signal to this process is kCancelled.
Result<void> RunStdio(const StdioOptions& options);

// What the error stream tells: JSON of a metav1.Status, or plain text; "" is success.
Result<void> OutcomeOf(const std::string& status);

}  // namespace portcullis::cli
