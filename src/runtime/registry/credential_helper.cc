#include "runtime/registry/credential_helper.h"

#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/spawn.h"
#include "base/strings.h"
#include "base/try.h"

namespace portcullis::runtime {
namespace {

constexpr std::chrono::seconds kPatience{30};
constexpr size_t kMaxAnswerBytes = 64u << 10;
constexpr std::string_view kNotFound = "credentials not found";  // the helpers' common words

}  // namespace

Result<Credentials> ParseHelperAnswer(std::string_view json, const std::string& name_for_errors) {
  auto root = base::ParseJson(json, name_for_errors);
  // Not wrapped: the parser's error would quote the secret.
  if (!root || !root->is_object())
    return Fail(Code::kInvalidArgument, "{}: its answer is no JSON object", name_for_errors);
  const auto text = [&root](const char* field) {
    const auto it = root->find(field);
    return it != root->end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  Credentials out;
  if (text("Username") == "<token>") {
    out.identity_token = text("Secret");
  } else {
    out.username = text("Username");
    out.password = text("Secret");
  }
  return out;
}

Result<Credentials> AskCredentialHelper(const std::string& helper, const std::string& registry) {
  const std::string program = "docker-credential-" + helper;
  auto ran = base::RunCommand({.spawn = {.argv = {program, "get"}},
                               .input = DockerServerName(registry),
                               .timeout = kPatience,
                               .max_output = kMaxAnswerBytes});
  if (!ran && ran.error().sys_errno == ENOENT) {
    return Fail(Code::kFailedPrecondition, "credential helper {} for {} is not installed (it must be in PATH)", program,
                registry);
  }
  if (!ran) return Wrap(std::move(ran).error(), "credential helper {} for {}", program, registry);
  if (ran->exit_code == 0) return ParseHelperAnswer(ran->out, program);
  const std::string words(base::Trim(ran->out.empty() ? ran->err : ran->out));
  if (words.starts_with(kNotFound)) return Credentials();
  return Fail(Code::kUnauthenticated, "credential helper {} for {}: exit code {}: {}", program, registry,
              ran->exit_code, words.substr(0, 200));
}

}  // namespace portcullis::runtime
