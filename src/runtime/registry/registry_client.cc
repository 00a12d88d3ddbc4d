#include "runtime/registry/registry_client.h"

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/document.h"
#include "base/strings.h"
#include "base/try.h"
#include "runtime/registry/wait.h"

namespace portcullis::runtime {
namespace {

constexpr size_t kMaxTokenBytes = 1u << 20;
constexpr std::chrono::seconds kTokenLife{60};  // when the token server does not say
constexpr std::chrono::seconds kLongestTokenLife = std::chrono::hours(1);
constexpr std::chrono::seconds kPatience{60};  // with a busy registry, for one request
constexpr std::chrono::seconds kBusyWait{5};   // when it does not say how long

Code CodeOfStatus(long status) {
  if (status == 401) return Code::kUnauthenticated;
  if (status == 403) return Code::kPermissionDenied;
  if (status == 404) return Code::kNotFound;
  if (status == 416) return Code::kOutOfRange;
  if (status == 429) return Code::kResourceExhausted;
  return status >= 500 ? Code::kUnavailable : Code::kUnknown;
}

// {"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]} -> "MANIFEST_UNKNOWN: manifest unknown"
std::string RegistryWords(const std::string& body) {
  const auto json = base::ParseJson(body, "answer");
  if (!json || !json->is_object() || !json->contains("errors") || !json->at("errors").is_array()) return "";
  std::vector<std::string> out;
  for (const auto& error : json->at("errors")) {
    if (!error.is_object()) continue;
    const auto text = [&error](const char* field) {
      const auto it = error.find(field);
      return it != error.end() && it->is_string() ? it->get<std::string>() : std::string();
    };
    out.push_back(text("code") + ": " + text("message"));
  }
  return out.empty() ? "" : ": " + base::Join(out, "; ");
}

}  // namespace

RegistryClient::RegistryClient(RegistryClientOptions options, TokenCache& tokens)
    : options_(std::move(options)), tokens_(tokens) {
  const Credentials& who = options_.credentials;
  // A fingerprint, so that no login is served by another's token.
  cache_key_ =
      base::Sha256Hex(base::Join(std::vector<std::string>{url(), options_.repository, who.username, who.password,
                                                          who.identity_token, who.registry_token},
                                 std::string_view("\0", 1)));
}

std::string RegistryClient::Basic() const {
  return "Basic " + base::ToBase64(options_.credentials.username + ":" + options_.credentials.password);
}

Result<RegistryClient::Token> RegistryClient::FetchToken(const Challenge& challenge) const {
  const Credentials& who = options_.credentials;
  const std::string realm = challenge.Get("realm");
  if (!realm.starts_with("https://") && !(realm.starts_with("http://") && url().starts_with("http://"))) {
    return Fail(Code::kPermissionDenied, "{}: token server {} is not a URL of https", url(), base::Quote(realm));
  }
  const std::string service = challenge.Get("service");
  std::string scope = challenge.Get("scope");
  if (scope.empty()) scope = "repository:" + options_.repository + ":pull";
  http::ClientRequest request{.url = realm,
                              .headers = {"Accept: application/json"},
                              .max_body_bytes = kMaxTokenBytes,
                              .connect_timeout = options_.connect_timeout,
                              .stop = options_.stop};
  if (!who.identity_token.empty()) {
    request.form = "grant_type=refresh_token&client_id=portcullis&service=" + http::Escape(service) +
                   "&scope=" + http::Escape(scope) + "&refresh_token=" + http::Escape(who.identity_token);
  } else {
    request.url += (realm.find('?') == std::string::npos ? "?" : "&") + std::string("scope=") + http::Escape(scope);
    if (!service.empty()) request.url += "&service=" + http::Escape(service);
    if (!who.username.empty()) {
      request.url += "&account=" + http::Escape(who.username);
      request.authorization = Basic();
    }
  }
  http::TlsOptions tls = options_.endpoint.tls;
  if (http::OriginOf(realm) != http::OriginOf(url())) tls = {.ca_file = tls.ca_file};
  ASSIGN_OR_RETURN(const http::ClientResponse answer, http::Send(request, tls));
  if (answer.status != 200) {
    return Fail(CodeOfStatus(answer.status), "token server {} answers {}{}", realm, answer.status,
                RegistryWords(answer.body));
  }
  ASSIGN_OR_RETURN(const nlohmann::json json, base::ParseJson(answer.body, "answer of the token server " + realm));
  if (!json.is_object()) return Fail(Code::kUnauthenticated, "token server {} answers without a token", realm);
  std::chrono::seconds life = kTokenLife;
  if (const auto it = json.find("expires_in"); it != json.end() && it->is_number_integer()) {
    life = std::chrono::seconds(std::clamp<int64_t>(it->get<int64_t>(), 0, kLongestTokenLife.count()));
  }
  for (const char* field : {"token", "access_token"}) {
    const auto it = json.find(field);
    if (it == json.end() || !it->is_string()) continue;
    const std::string token = it->get<std::string>();
    if (token.empty() || token.find_first_of("\r\n") != std::string::npos) continue;
    return Token{.authorization = "Bearer " + token, .life = life};
  }
  return Fail(Code::kUnauthenticated, "token server {} answers without a token", realm);
}

Result<RegistryClient::Token> RegistryClient::AnswerChallenges(const std::string& www_authenticate) const {
  const std::vector<Challenge> challenges = ParseChallenges(www_authenticate);
  const auto find = [&challenges](std::string_view scheme) {
    return std::ranges::find(challenges, scheme, &Challenge::scheme);
  };
  if (const auto bearer = find("bearer"); bearer != challenges.end()) {
    const std::string& given = options_.credentials.registry_token;
    if (!given.empty()) return Token{.authorization = "Bearer " + given, .life = kLongestTokenLife};
    return FetchToken(*bearer);
  }
  if (find("basic") != challenges.end()) {
    if (!options_.credentials.username.empty()) return Token{.authorization = Basic(), .life = kLongestTokenLife};
    return Fail(Code::kUnauthenticated, "{} asks for a user and a password, and none are configured", url());
  }
  return Fail(Code::kUnauthenticated, "{} refuses, and asks for authentication that is not known here: {}", url(),
              base::Quote(www_authenticate));
}

Result<std::string> RegistryClient::Authorize(const std::string& www_authenticate, const std::string& refused) {
  // One asks, the layers' other threads wait and get the same.
  const std::lock_guard lock(authorizing_);
  if (std::string now = tokens_.Get(cache_key_); !now.empty() && now != refused) return now;
  ASSIGN_OR_RETURN(const Token token, AnswerChallenges(www_authenticate));
  tokens_.Put(cache_key_, token.authorization, token.life);
  return token.authorization;
}

Result<http::ClientResponse> RegistryClient::Send(const RegistryRequest& wanted, const http::BodySink& sink) {
  const Endpoint& endpoint = options_.endpoint;
  http::ClientRequest request{.url = endpoint.url + "/v2/" + options_.repository + "/" + wanted.path,
                              .headers = wanted.headers,
                              .authorization = tokens_.Get(cache_key_),
                              .head = wanted.head,
                              .max_body_bytes = wanted.max_body_bytes,
                              .connect_timeout = options_.connect_timeout,
                              .stop = options_.stop};
  if (!endpoint.mirrored.empty()) request.url += "?ns=" + http::Escape(endpoint.mirrored);
  bool challenged = false;
  std::chrono::seconds patience = kPatience;
  for (;;) {
    ASSIGN_OR_RETURN(http::ClientResponse answer, http::Send(request, endpoint.tls, sink));
    if (answer.status == 200 || answer.status == 206) return answer;
    if (answer.status == 401 && !std::exchange(challenged, true)) {
      ASSIGN_OR_RETURN(request.authorization, Authorize(answer.headers["www-authenticate"], request.authorization));
      continue;
    }
    const auto asked = http::ParseRetryAfter(answer.headers["retry-after"], std::time(nullptr));
    if (answer.status == 429 || (answer.status == 503 && asked)) {
      const std::chrono::seconds wait = std::max(asked.value_or(kBusyWait), std::chrono::seconds(1));
      if (wait <= patience) {
        patience -= wait;
        TRY(SleepFor(wait, options_.stop));
        continue;
      }
    }
    std::string words = RegistryWords(answer.body);
    if (asked) words += fmt::format(" (it asks to come back after {} s)", asked->count());
    return Fail(CodeOfStatus(answer.status), "{} answers {} to {}/{}{}", endpoint.url, answer.status,
                options_.repository, wanted.path, words);
  }
}

}  // namespace portcullis::runtime
