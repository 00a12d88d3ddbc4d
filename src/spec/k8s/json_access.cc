#include "spec/k8s/json_access.h"

#include <limits>
#include <nlohmann/json.hpp>

namespace portcullis::k8s {

using nlohmann::json;

const json& Member(const json& object, const char* name) {
  static const json kNull;
  if (!object.is_object()) return kNull;
  const auto it = object.find(name);
  return it == object.end() ? kNull : *it;
}

std::string StringOr(const json& object, const char* name, std::string fallback) {
  return OptionalString(object, name).value_or(std::move(fallback));
}

std::optional<std::string> OptionalString(const json& object, const char* name) {
  const json& member = Member(object, name);
  if (!member.is_string()) return std::nullopt;
  return member.get<std::string>();
}

std::optional<bool> OptionalBool(const json& object, const char* name) {
  const json& member = Member(object, name);
  if (!member.is_boolean()) return std::nullopt;
  return member.get<bool>();
}

bool BoolOr(const json& object, const char* name, bool fallback) {
  return OptionalBool(object, name).value_or(fallback);
}

std::optional<int64_t> IntegerOf(const json& value) {
  if (!value.is_number_integer()) return std::nullopt;
  if (value.is_number_unsigned() &&
      value.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return std::nullopt;
  }
  return value.get<int64_t>();
}

std::optional<int64_t> OptionalInt(const json& object, const char* name) { return IntegerOf(Member(object, name)); }

std::vector<std::string> Strings(const json& object, const char* name) {
  std::vector<std::string> out;
  const json& list = Member(object, name);
  if (!list.is_array()) return out;
  for (const json& element : list) {
    if (element.is_string()) out.push_back(element.get<std::string>());
  }
  return out;
}

StringMap StringMapOf(const json& object, const char* name) {
  StringMap out;
  const json& map = Member(object, name);
  if (!map.is_object()) return out;
  for (const auto& [key, value] : map.items()) {
    if (value.is_string()) out.emplace(key, value.get<std::string>());
  }
  return out;
}

std::optional<Quantity> QuantityOf(const json& value) {
  if (!value.is_string() && !value.is_number()) return std::nullopt;
  auto quantity = Quantity::Parse(value.is_string() ? value.get<std::string>() : value.dump());
  if (!quantity) return std::nullopt;
  return *quantity;
}

}  // namespace portcullis::k8s
