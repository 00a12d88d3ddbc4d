// What registries and administrators write: challenges, waits, logins, helpers' answers, mirrors.
#include <cstdint>
#include <string_view>

#include "http/client.h"
#include "require.h"
#include "runtime/registry/challenge.h"
#include "runtime/registry/credential_helper.h"
#include "runtime/registry/credentials.h"
#include "runtime/registry/endpoints.h"

namespace {

using namespace portcullis;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const runtime::Challenge& challenge : runtime::ParseChallenges(text)) {
    Require(!challenge.scheme.empty());
    for (const auto& [name, value] : challenge.parameters) Require(!name.empty() && challenge.Get(name) == value);
  }
  if (const auto wait = http::ParseRetryAfter(text, 1'000'000'000)) Require(wait->count() >= 0);
  (void)runtime::ParseHelperAnswer(text, "fuzz");
  if (const auto config = runtime::DockerConfig::Parse(text, "fuzz")) {
    (void)config->Find("docker.io", "library/nginx");
    Require(config->Helper("docker.io").find('/') == std::string::npos);
  }
  if (const auto registries = runtime::Registries::Parse(text, "fuzz")) {
    const auto endpoints = registries->For("docker.io");
    Require(!endpoints.empty() && endpoints.back().mirrored.empty());
    for (const runtime::Endpoint& endpoint : endpoints) {
      Require(endpoint.url.starts_with("http://") || endpoint.url.starts_with("https://"));
    }
  }
  return 0;
}
