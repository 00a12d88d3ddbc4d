#include "runtime/registry/registry_client.h"

#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/strings.h"
#include "base/try.h"

namespace portcullis::runtime {
namespace {

constexpr size_t kMaxTokenBytes = 1u << 20;

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

std::optional<Challenge> ParseChallenge(std::string_view header) {
  header = base::Trim(header);
  const size_t space = header.find(' ');
  Challenge out{.scheme = base::ToLower(header.substr(0, space)), .parameters = {}};
  if (out.scheme.empty()) return std::nullopt;
  std::string_view rest = space == std::string_view::npos ? std::string_view() : base::Trim(header.substr(space));
  while (!rest.empty()) {
    const size_t equals = rest.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string name = base::ToLower(base::Trim(rest.substr(0, equals)));
    rest = base::Trim(rest.substr(equals + 1));
    std::string value;
    if (rest.starts_with('"')) {
      size_t i = 1;
      for (; i < rest.size() && rest[i] != '"'; ++i) {
        if (rest[i] == '\\' && i + 1 < rest.size()) ++i;
        value += rest[i];
      }
      if (i >= rest.size()) return std::nullopt;
      rest = base::Trim(rest.substr(i + 1));
    } else {
      const size_t comma = rest.find(',');
      value = base::Trim(rest.substr(0, comma));
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma);
    }
    out.parameters[name] = value;
    if (rest.empty()) break;
    if (!rest.starts_with(',')) return std::nullopt;
    rest = base::Trim(rest.substr(1));
  }
  return out;
}

std::string RegistryClient::Basic() const {
  return "Basic " + base::ToBase64(credentials_.username + ":" + credentials_.password);
}

Result<std::string> RegistryClient::FetchToken(const Challenge& challenge) const {
  const auto parameter = [&challenge](const char* name) {
    const auto it = challenge.parameters.find(name);
    return it == challenge.parameters.end() ? std::string() : it->second;
  };
  const std::string realm = parameter("realm");
  if (!realm.starts_with("https://") && !(realm.starts_with("http://") && endpoint_.url.starts_with("http://"))) {
    return Fail(Code::kPermissionDenied, "{}: token server {} is not a URL of https", endpoint_.url,
                base::Quote(realm));
  }
  const std::string scope = parameter("scope").empty() ? "repository:" + repository_ + ":pull" : parameter("scope");
  http::ClientRequest request{.url = realm, .headers = {"Accept: application/json"}, .max_body_bytes = kMaxTokenBytes};
  if (!credentials_.identity_token.empty()) {
    request.form = "grant_type=refresh_token&client_id=portcullis&service=" + http::Escape(parameter("service")) +
                   "&scope=" + http::Escape(scope) + "&refresh_token=" + http::Escape(credentials_.identity_token);
  } else {
    request.url += (realm.find('?') == std::string::npos ? "?" : "&") + std::string("scope=") + http::Escape(scope);
    if (!parameter("service").empty()) request.url += "&service=" + http::Escape(parameter("service"));
    if (!credentials_.username.empty()) {
      request.url += "&account=" + http::Escape(credentials_.username);
      request.authorization = Basic();
    }
  }
  ASSIGN_OR_RETURN(const http::ClientResponse answer, http::Send(request, endpoint_.tls));
  if (answer.status != 200) {
    return Fail(CodeOfStatus(answer.status), "token server {} answers {}{}", realm, answer.status,
                RegistryWords(answer.body));
  }
  ASSIGN_OR_RETURN(const nlohmann::json json, base::ParseJson(answer.body, "answer of the token server " + realm));
  for (const char* field : {"token", "access_token"}) {
    if (json.is_object() && json.contains(field) && json.at(field).is_string()) {
      return "Bearer " + json.at(field).get<std::string>();
    }
  }
  return Fail(Code::kUnauthenticated, "token server {} answers without a token", realm);
}

Result<std::string> RegistryClient::Authorize(const std::string& www_authenticate) const {
  const auto challenge = ParseChallenge(www_authenticate);
  if (challenge && challenge->scheme == "bearer") {
    if (!credentials_.registry_token.empty()) return "Bearer " + credentials_.registry_token;
    return FetchToken(*challenge);
  }
  if (challenge && challenge->scheme == "basic") {
    if (!credentials_.username.empty()) return Basic();
    return Fail(Code::kUnauthenticated, "{} asks for a user and a password, and none are configured", endpoint_.url);
  }
  return Fail(Code::kUnauthenticated, "{} refuses, and asks for authentication that is not known here: {}",
              endpoint_.url, base::Quote(www_authenticate));
}

Result<http::ClientResponse> RegistryClient::Get(const std::string& path, const std::vector<std::string>& headers,
                                                 size_t max_body_bytes, const http::BodySink& sink) {
  http::ClientRequest request{
      .url = endpoint_.url + "/v2/" + repository_ + "/" + path, .headers = headers, .max_body_bytes = max_body_bytes};
  if (!endpoint_.mirrored.empty()) request.url += "?ns=" + http::Escape(endpoint_.mirrored);
  {
    const std::lock_guard lock(mutex_);
    request.authorization = authorization_;
  }
  ASSIGN_OR_RETURN(http::ClientResponse answer, http::Send(request, endpoint_.tls, sink));
  // Not yet, or no longer (a token lives for a minute): once more with what the registry asks for.
  if (answer.status == 401) {
    ASSIGN_OR_RETURN(request.authorization, Authorize(answer.headers["www-authenticate"]));
    {
      const std::lock_guard lock(mutex_);
      authorization_ = request.authorization;
    }
    ASSIGN_OR_RETURN(answer, http::Send(request, endpoint_.tls, sink));
  }
  if (answer.status == 200 || answer.status == 206) return answer;
  return Fail(CodeOfStatus(answer.status), "{} answers {} to {}/{}{}", endpoint_.url, answer.status, repository_, path,
              RegistryWords(answer.body));
}

}  // namespace portcullis::runtime
