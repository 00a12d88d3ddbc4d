#include "runtime/registry/endpoints.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/strings.h"
#include "base/try.h"

namespace portcullis::runtime {
namespace {

using Json = nlohmann::json;

constexpr char kDockerHub[] = "docker.io";
constexpr char kDockerHubHost[] = "registry-1.docker.io";

class Reader {
 public:
  explicit Reader(const base::Document& document) : document_(document) {}

  Failure Wrong(const std::string& pointer, std::string_view what) const {
    const base::Position at = document_.Where(pointer);
    return Fail(Code::kInvalidArgument, "{}:{}:{}: {}: {}", document_.file(), at.line, at.column, pointer, what);
  }

  Result<void> Object(const Json& value, const std::string& pointer,
                      std::initializer_list<std::string_view> known) const {
    if (!value.is_object()) return Wrong(pointer, "must be an object");
    for (const auto& [key, unused] : value.items()) {
      if (known.size() != 0 && std::ranges::find(known, key) == known.end()) {
        return Wrong(fmt::format("{}/{}", pointer, key), "unknown field");
      }
    }
    return {};
  }

  Result<void> Text(const Json& object, const std::string& pointer, const char* field, std::string& out) const {
    const auto it = object.find(field);
    if (it == object.end()) return {};
    if (!it->is_string()) return Wrong(pointer + "/" + field, "must be a string");
    out = it->get<std::string>();
    return {};
  }

 private:
  const base::Document& document_;
};

std::string HostOf(std::string_view url) {
  if (const size_t scheme = url.find("://"); scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  return std::string(url.substr(0, url.find('/')));
}

}  // namespace

Result<Registries> Registries::Parse(std::string_view yaml, const std::string& name_for_errors) {
  ASSIGN_OR_RETURN(const base::Document document, base::ParseYaml(yaml, name_for_errors));
  const Reader reader(document);
  Registries out;
  if (document.root().is_null()) return out;
  TRY(reader.Object(document.root(), "", {"mirrors", "configs"}));
  const Json none = Json::object();
  const Json& mirrors = document.root().contains("mirrors") ? document.root().at("mirrors") : none;
  TRY(reader.Object(mirrors, "/mirrors", {}));
  for (const auto& [registry, entry] : mirrors.items()) {
    const std::string pointer = "/mirrors/" + registry;
    TRY(reader.Object(entry, pointer, {"endpoint"}));
    const auto list = entry.find("endpoint");
    if (list == entry.end() || !list->is_array()) return reader.Wrong(pointer + "/endpoint", "must be a list of URLs");
    for (const Json& url : *list) {
      const std::string text = url.is_string() ? url.get<std::string>() : "";
      if (!text.starts_with("http://") && !text.starts_with("https://")) {
        return reader.Wrong(pointer + "/endpoint", "must be URLs that begin with http:// or https://");
      }
      out.mirrors_[registry].push_back(text);
    }
  }
  const Json& configs = document.root().contains("configs") ? document.root().at("configs") : none;
  TRY(reader.Object(configs, "/configs", {}));
  for (const auto& [name, entry] : configs.items()) {
    const std::string pointer = "/configs/" + name;
    TRY(reader.Object(entry, pointer, {"auth", "tls"}));
    Host& host = out.hosts_[name];
    if (const auto auth = entry.find("auth"); auth != entry.end()) {
      const std::string at = pointer + "/auth";
      TRY(reader.Object(*auth, at, {"username", "password", "auth", "identity_token", "token"}));
      TRY(reader.Text(*auth, at, "username", host.credentials.username));
      TRY(reader.Text(*auth, at, "password", host.credentials.password));
      TRY(reader.Text(*auth, at, "identity_token", host.credentials.identity_token));
      TRY(reader.Text(*auth, at, "token", host.credentials.registry_token));
      std::string both;
      TRY(reader.Text(*auth, at, "auth", both));
      if (!both.empty() && !DecodeAuth(both, host.credentials)) {
        return reader.Wrong(at + "/auth", "is not the base64 of user:password");
      }
    }
    if (const auto tls = entry.find("tls"); tls != entry.end()) {
      const std::string at = pointer + "/tls";
      TRY(reader.Object(*tls, at, {"ca_file", "cert_file", "key_file", "insecure_skip_verify"}));
      host.has_tls = true;
      TRY(reader.Text(*tls, at, "ca_file", host.tls.ca_file));
      TRY(reader.Text(*tls, at, "cert_file", host.tls.cert_file));
      TRY(reader.Text(*tls, at, "key_file", host.tls.key_file));
      if (const auto skip = tls->find("insecure_skip_verify"); skip != tls->end()) {
        if (!skip->is_boolean()) return reader.Wrong(at + "/insecure_skip_verify", "must be true or false");
        host.tls.insecure_skip_verify = skip->get<bool>();
      }
    }
  }
  return out;
}

Endpoint Registries::Make(const std::string& url_or_host, const std::string& mirrored) const {
  const std::string host = HostOf(url_or_host);
  Endpoint out{.url = url_or_host, .mirrored = mirrored};
  bool has_tls = false;
  auto it = hosts_.find(host);
  if (it == hosts_.end() && host == kDockerHub) it = hosts_.find(kDockerHubHost);
  if (it != hosts_.end()) {
    has_tls = it->second.has_tls;
    out.tls = it->second.tls;
    out.credentials = it->second.credentials;
  }
  if (url_or_host.find("://") == std::string::npos) {
    const std::string where = host == kDockerHub ? kDockerHubHost : host;
    out.url = (http::IsLoopback(host) && !has_tls ? "http://" : "https://") + where;
  }
  while (out.url.ends_with('/')) out.url.pop_back();
  if (out.url.ends_with("/v2")) out.url = out.url.substr(0, out.url.size() - 3);
  return out;
}

std::vector<Endpoint> Registries::For(const std::string& registry) const {
  std::vector<Endpoint> out;
  auto it = mirrors_.find(registry);
  if (it == mirrors_.end()) it = mirrors_.find("*");
  if (it != mirrors_.end()) {
    for (const std::string& url : it->second) out.push_back(Make(url, registry));
  }
  out.push_back(Make(registry, ""));
  return out;
}

}  // namespace portcullis::runtime
