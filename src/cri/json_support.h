// What the generated cri/json.cc is made of: one reader and two writers per kind of field. Not for other files.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "cri/types.h"

namespace portcullis::cri::json_support {

// Where in the document: ".config.linux.security_context".
class Path {
 public:
  Path() = default;
  Path Key(const std::string& key) const { return Path(text_ + "." + key); }
  Path Index(size_t index) const { return Path(text_ + "[" + std::to_string(index) + "]"); }
  std::string text() const { return text_.empty() ? "." : text_; }

 private:
  explicit Path(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

struct EnumName {
  std::string_view name;
  int32_t number;
};

Result<void> ReadEnum(const nlohmann::json& json, const Path& path, std::span<const EnumName> names, int32_t& out);
Result<void> UnknownKey(const Path& path);

Result<void> Read(const nlohmann::json& json, const Path& path, bool& out);
Result<void> Read(const nlohmann::json& json, const Path& path, std::string& out);
Result<void> Read(const nlohmann::json& json, const Path& path, int32_t& out);
Result<void> Read(const nlohmann::json& json, const Path& path, int64_t& out);
Result<void> Read(const nlohmann::json& json, const Path& path, uint32_t& out);
Result<void> Read(const nlohmann::json& json, const Path& path, uint64_t& out);
Result<void> Read(const nlohmann::json& json, const Path& path, double& out);
Result<void> Read(const nlohmann::json& json, const Path& path, std::map<std::string, std::string>& out);
Result<void> ReadBytes(const nlohmann::json& json, const Path& path, std::string& out);  // base64
#include "cri/json_enums.inc"

template <class Visit>
Result<void> ReadObject(const nlohmann::json& json, const Path& path, Visit visit) {
  if (!json.is_object())
    return Fail(Code::kInvalidArgument, "{}: expected an object, got {}", path.text(), json.type_name());
  for (const auto& [key, value] : json.items()) {
    if (value.is_null()) continue;  // protojson and Go both read null as absent
    if (auto r = visit(key, value, path.Key(key)); !r) return r;
  }
  return {};
}

// Messages are read by the overloads that the generated file adds; they are found by argument-dependent lookup of Path.
template <class T>
Result<void> ReadField(const nlohmann::json& json, const Path& path, T& out) {
  return Read(json, path, out);
}
template <class T>
Result<void> ReadField(const nlohmann::json& json, const Path& path, std::optional<T>& out) {
  return Read(json, path, out.emplace());
}
template <class T>
Result<void> ReadField(const nlohmann::json& json, const Path& path, std::vector<T>& out) {
  if (!json.is_array())
    return Fail(Code::kInvalidArgument, "{}: expected a list, got {}", path.text(), json.type_name());
  out.clear();
  for (size_t i = 0; i < json.size(); ++i) {
    if (auto r = Read(json[i], path.Index(i), out.emplace_back()); !r) return r;
  }
  return {};
}

std::string Base64(std::string_view bytes);

// protojson values: 64-bit numbers are strings, enums are names.
inline nlohmann::json ProtoValue(int64_t v) { return std::to_string(v); }
inline nlohmann::json ProtoValue(uint64_t v) { return std::to_string(v); }
inline nlohmann::json ProtoValue(int32_t v) { return v; }
inline nlohmann::json ProtoValue(uint32_t v) { return v; }
inline nlohmann::json ProtoValue(bool v) { return v; }
inline nlohmann::json ProtoValue(double v) { return v; }
inline nlohmann::json ProtoValue(const std::string& v) { return v; }
template <class T>
nlohmann::json ProtoValue(const T& v) {
  if constexpr (std::is_enum_v<T>) {
    const std::string_view name = ToString(v);
    return name.empty() ? nlohmann::json(static_cast<int32_t>(v)) : nlohmann::json(std::string(name));
  } else {
    return ToProtoJson(v);
  }
}
template <class T>
void PutProto(nlohmann::json& json, const char* key, const T& value) {
  json[key] = ProtoValue(value);
}
template <class T>
void PutProto(nlohmann::json& json, const char* key, const std::optional<T>& value) {
  if (value) json[key] = ProtoValue(*value);
}
template <class T>
void PutProto(nlohmann::json& json, const char* key, const std::vector<T>& values) {
  auto& list = json[key] = nlohmann::json::array();
  for (const auto& value : values) list.push_back(ProtoValue(value));
}
inline void PutProto(nlohmann::json& json, const char* key, const std::map<std::string, std::string>& value) {
  json[key] = value;
}
inline void PutProtoBytes(nlohmann::json& json, const char* key, const std::string& value) {
  json[key] = Base64(value);
}

// Go's encoding/json with omitempty: numbers, enum numbers, defaults left out.
template <class T>
nlohmann::json GoValue(const T& v) {
  if constexpr (std::is_enum_v<T>) {
    return static_cast<int32_t>(v);
  } else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
    return v;
  } else {
    return ToGoJson(v);
  }
}
template <class T>
void PutGo(nlohmann::json& json, const char* key, const T& value) {
  if (value != T{}) json[key] = GoValue(value);
}
template <class T>
void PutGo(nlohmann::json& json, const char* key, const std::optional<T>& value) {
  if (value) json[key] = GoValue(*value);
}
template <class T>
void PutGo(nlohmann::json& json, const char* key, const std::vector<T>& values) {
  if (values.empty()) return;
  auto& list = json[key] = nlohmann::json::array();
  for (const auto& value : values) list.push_back(GoValue(value));
}
inline void PutGo(nlohmann::json& json, const char* key, const std::map<std::string, std::string>& value) {
  if (!value.empty()) json[key] = value;
}
inline void PutGoBytes(nlohmann::json& json, const char* key, const std::string& value) {
  if (!value.empty()) json[key] = Base64(value);
}

}  // namespace portcullis::cri::json_support
