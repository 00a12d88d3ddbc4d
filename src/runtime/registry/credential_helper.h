// Programs that keep logins for docker: docker-credential-NAME (docker-credential-helpers' protocol).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/registry/credentials.h"

namespace portcullis::runtime {

// What the helper wrote: {"ServerURL": ..., "Username": ..., "Secret": ...}; of the user "<token>" the secret is an
// identity token.
Result<Credentials> ParseHelperAnswer(std::string_view json, const std::string& name_for_errors);

// Runs `docker-credential-<helper> get` with the registry's name on its standard input. Empty when it knows none.
Result<Credentials> AskCredentialHelper(const std::string& helper, const std::string& registry);

}  // namespace portcullis::runtime
