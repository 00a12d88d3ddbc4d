#include "cli/crictl/login.h"

namespace portcullis::cli {

Result<std::optional<cri::AuthConfig>> AuthOf(const LoginOptions& login) {
  if (!login.credentials.empty() && !login.auth.empty()) {
    return Fail(Code::kInvalidArgument, "both --creds and --auth given, only one of them can be used");
  }
  if (!login.auth.empty()) return cri::AuthConfig{.auth = login.auth};
  if (login.credentials.empty()) return std::nullopt;
  const size_t colon = login.credentials.find(':');
  cri::AuthConfig auth{.username = login.credentials.substr(0, colon)};
  if (colon != std::string::npos) auth.password = login.credentials.substr(colon + 1);
  if (auth.username.empty()) return Fail(Code::kInvalidArgument, "--creds has no user name before the colon");
  return auth;
}

}  // namespace portcullis::cli
