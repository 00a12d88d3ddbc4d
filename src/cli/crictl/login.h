// --creds and --auth of the verbs that pull.
#pragma once

#include <optional>

#include "base/result.h"
#include "cli/crictl/options.h"
#include "cri/types.h"

namespace portcullis::cli {

Result<std::optional<cri::AuthConfig>> AuthOf(const LoginOptions& login);

}  // namespace portcullis::cli
