#include "runtime/network/cni_result.h"

#include <arpa/inet.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/strings.h"
#include "base/try.h"
#include "runtime/network/cni_version.h"

namespace portcullis::runtime {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxEntries = 256;
constexpr std::string_view kFirstWithIps = "0.3.0";
constexpr std::string_view kFirstWithoutFamily = "1.0.0";

std::string TextOf(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

std::string_view AddressOnly(std::string_view with_prefix) { return with_prefix.substr(0, with_prefix.find('/')); }

bool IsV6(std::string_view address) { return address.find(':') != std::string_view::npos; }

bool IsAddressWithPrefix(const std::string& text) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos) return false;
  const std::string address = text.substr(0, slash);
  const auto prefix = base::ParseUint(std::string_view(text).substr(slash + 1));
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  if (!prefix) return false;
  if (::inet_pton(AF_INET, address.c_str(), ignored.data()) == 1) return *prefix <= 32;
  return ::inet_pton(AF_INET6, address.c_str(), ignored.data()) == 1 && *prefix <= 128;
}

// An absent or null list is an empty one; Go writes null for it.
Result<Json> ObjectsOf(const Json& root, const char* key, const std::string& where) {
  const auto it = root.find(key);
  if (it == root.end() || it->is_null()) return Json::array();
  if (!it->is_array() || it->size() > kMaxEntries) return Fail(Code::kInternal, "{}: {} must be a list", where, key);
  for (const Json& element : *it) {
    if (!element.is_object()) return Fail(Code::kInternal, "{}: {} must be a list of objects", where, key);
  }
  return *it;
}

// 0.1.0 and 0.2.0 have one object a family instead of lists: {"ip4": {"ip": "10.1.2.3/24", "gateway": .., "routes":
// ..}}.
Result<Json> FromFamilies(const Json& old, const std::string& where) {
  Json out = old;
  out["ips"] = Json::array();
  out["routes"] = Json::array();
  for (const char* key : {"ip4", "ip6"}) {
    out.erase(key);
    const auto it = old.find(key);
    if (it == old.end() || it->is_null()) continue;
    if (!it->is_object()) return Fail(Code::kInternal, "{}: {} must be an object", where, key);
    Json ip{{"address", TextOf(*it, "ip")}};
    if (const std::string gateway = TextOf(*it, "gateway"); !gateway.empty()) ip["gateway"] = gateway;
    out["ips"].push_back(std::move(ip));
    ASSIGN_OR_RETURN(const Json routes, ObjectsOf(*it, "routes", where));
    for (const Json& route : routes) out["routes"].push_back(route);
  }
  return out;
}

Json ToFamilies(const Json& result) {
  Json out{{"cniVersion", result["cniVersion"]}};
  if (result.contains("dns")) out["dns"] = result["dns"];
  for (const Json& ip : result["ips"]) {
    const std::string address = TextOf(ip, "address");
    const char* family = IsV6(address) ? "ip6" : "ip4";
    if (out.contains(family)) continue;  // these versions know one of each
    Json& entry = out[family] = {{"ip", address}};
    if (const std::string gateway = TextOf(ip, "gateway"); !gateway.empty()) entry["gateway"] = gateway;
  }
  for (const Json& route : result.value("routes", Json::array())) {
    const char* family = IsV6(TextOf(route, "dst")) ? "ip6" : "ip4";
    if (out.contains(family)) out[family]["routes"].push_back(route);
  }
  return out;
}

// From lists of any version to what `version` writes.
Json InVersion(Json result, std::string_view version) {
  result["cniVersion"] = version;
  if (!CniAtLeast(version, kFirstWithIps)) return ToFamilies(result);
  for (Json& ip : result["ips"]) {
    if (CniAtLeast(version, kFirstWithoutFamily)) {
      ip.erase("version");
    } else {
      ip["version"] = IsV6(TextOf(ip, "address")) ? "6" : "4";
    }
  }
  return result;
}

Result<CniAddress> AddressFrom(const Json& ip, size_t interfaces, const std::string& where) {
  CniAddress address{.address = TextOf(ip, "address"), .gateway = TextOf(ip, "gateway")};
  if (!IsAddressWithPrefix(address.address)) {
    return Fail(Code::kInternal, "{}: {} is no address with prefix length", where, base::Quote(address.address));
  }
  const auto index = ip.find("interface");
  if (index == ip.end() || index->is_null()) return address;
  if (!index->is_number_integer() || *index < 0 || *index >= interfaces) {
    return Fail(Code::kInternal, "{}: address {} is on interface {}, and there are {}", where, address.address,
                index->dump(), interfaces);
  }
  address.interface = index->get<int>();
  return address;
}

std::vector<std::string> Words(const Json& object, const char* key) {
  std::vector<std::string> out;
  const auto it = object.find(key);
  if (it == object.end() || !it->is_array()) return out;
  for (const Json& word : *it) {
    if (word.is_string()) out.push_back(word.get<std::string>());
  }
  return out;
}

CniDns DnsFrom(const Json& result) {
  const auto it = result.find("dns");
  if (it == result.end() || !it->is_object()) return {};
  return {.nameservers = Words(*it, "nameservers"),
          .domain = TextOf(*it, "domain"),
          .search = Words(*it, "search"),
          .options = Words(*it, "options")};
}

}  // namespace

std::vector<std::string> CniResult::PodIps() const {
  std::vector<std::string> out;
  for (const CniAddress& ip : ips) {
    if (ip.interface >= 0 && interfaces[static_cast<size_t>(ip.interface)].sandbox.empty()) continue;
    out.emplace_back(AddressOnly(ip.address));
  }
  return out;
}

Result<CniResult> ParseCniResult(std::string_view text, const std::string& plugin, std::string_view version) {
  const std::string where = "result of network plugin " + plugin;
  ASSIGN_OR_RETURN(Json json, base::ParseJson(text, where));
  if (!json.is_object()) return Fail(Code::kInternal, "{}: must be an object", where);
  const auto named = json.find("cniVersion");
  if (named != json.end() && !named->is_string())
    return Fail(Code::kInternal, "{}: cniVersion must be a string", where);
  std::string written = TextOf(json, "cniVersion");
  if (written.empty()) written = version;
  if (!IsCniVersion(written)) {
    return Fail(Code::kInternal, "{}: is of cniVersion {}, not {}", where, base::Quote(written), CniVersionList());
  }
  if (!CniAtLeast(written, kFirstWithIps)) {
    ASSIGN_OR_RETURN(json, FromFamilies(json, where));
  }
  ASSIGN_OR_RETURN(json["ips"], ObjectsOf(json, "ips", where));
  ASSIGN_OR_RETURN(const Json interfaces, ObjectsOf(json, "interfaces", where));
  CniResult result;
  for (const Json& interface : interfaces)
    result.interfaces.push_back({.name = TextOf(interface, "name"), .sandbox = TextOf(interface, "sandbox")});
  for (const Json& ip : json["ips"]) {
    ASSIGN_OR_RETURN(CniAddress address, AddressFrom(ip, interfaces.size(), where));
    result.ips.push_back(std::move(address));
  }
  if (!CniAtLeast(version, kFirstWithIps)) {
    ASSIGN_OR_RETURN(json["routes"], ObjectsOf(json, "routes", where));
  }
  result.dns = DnsFrom(json);
  result.json = InVersion(std::move(json), version).dump(-1, ' ', false, Json::error_handler_t::replace);
  return result;
}

}  // namespace portcullis::runtime
