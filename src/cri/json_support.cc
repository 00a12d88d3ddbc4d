#include "cri/json_support.h"

#include <limits>

#include "base/strings.h"

namespace portcullis::cri::json_support {
namespace {

Result<void> WrongType(const nlohmann::json& json, const Path& path, std::string_view expected) {
  return Fail(Code::kInvalidArgument, "{}: expected {}, got {}", path.text(), expected, json.type_name());
}

// Numbers come as JSON numbers or, in protojson, as decimal strings.
template <class T>
Result<void> ReadInteger(const nlohmann::json& json, const Path& path, T& out) {
  const auto out_of_range = [&] {
    return Fail(Code::kInvalidArgument, "{}: {} is out of range", path.text(), json.dump());
  };
  if (json.is_string()) {
    const auto parsed = nlohmann::json::parse(json.get_ref<const std::string&>(), nullptr, false);
    if (!parsed.is_number_integer()) return WrongType(json, path, "a whole number");
    return ReadInteger(parsed, path, out);
  }
  if (json.is_number_unsigned()) {
    const auto value = json.get<uint64_t>();
    if (value > static_cast<uint64_t>(std::numeric_limits<T>::max())) return out_of_range();
    out = static_cast<T>(value);
    return {};
  }
  if (!json.is_number_integer()) return WrongType(json, path, "a whole number");
  const auto value = json.get<int64_t>();
  if constexpr (std::is_unsigned_v<T>) {
    return out_of_range();  // negative: nlohmann keeps the others as unsigned
  } else {
    if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max()) return out_of_range();
    out = static_cast<T>(value);
    return {};
  }
}

constexpr std::string_view kBase64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

Result<void> UnknownKey(const Path& path) { return Fail(Code::kInvalidArgument, "{}: unknown field", path.text()); }

Result<void> ReadEnum(const nlohmann::json& json, const Path& path, std::span<const EnumName> names, int32_t& out) {
  if (json.is_string()) {
    for (const EnumName& entry : names) {
      if (entry.name == json.get_ref<const std::string&>()) {
        out = entry.number;
        return {};
      }
    }
    return Fail(Code::kInvalidArgument, "{}: unknown value {}", path.text(), json.dump());
  }
  return ReadInteger(json, path, out);  // numbers outside the list are kept, as proto3 does
}

Result<void> Read(const nlohmann::json& json, const Path& path, bool& out) {
  if (!json.is_boolean()) return WrongType(json, path, "true or false");
  out = json.get<bool>();
  return {};
}
Result<void> Read(const nlohmann::json& json, const Path& path, std::string& out) {
  if (!json.is_string()) return WrongType(json, path, "a string");
  out = json.get<std::string>();
  return {};
}
Result<void> Read(const nlohmann::json& json, const Path& path, int32_t& out) { return ReadInteger(json, path, out); }
Result<void> Read(const nlohmann::json& json, const Path& path, int64_t& out) { return ReadInteger(json, path, out); }
Result<void> Read(const nlohmann::json& json, const Path& path, uint32_t& out) { return ReadInteger(json, path, out); }
Result<void> Read(const nlohmann::json& json, const Path& path, uint64_t& out) { return ReadInteger(json, path, out); }
Result<void> Read(const nlohmann::json& json, const Path& path, double& out) {
  if (!json.is_number()) return WrongType(json, path, "a number");
  out = json.get<double>();
  return {};
}
Result<void> Read(const nlohmann::json& json, const Path& path, std::map<std::string, std::string>& out) {
  return ReadObject(json, path, [&](const std::string& key, const nlohmann::json& value, const Path& at) {
    return Read(value, at, out[key]);
  });
}

Result<void> ReadBytes(const nlohmann::json& json, const Path& path, std::string& out) {
  if (!json.is_string()) return WrongType(json, path, "base64 text");
  out.clear();
  uint32_t bits = 0;
  int count = 0;
  std::string_view text = json.get_ref<const std::string&>();
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  for (char c : text) {
    const size_t digit = kBase64Digits.find(c);
    if (digit == std::string_view::npos) return WrongType(json, path, "base64 text");
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>(bits >> count & 0xff));
    }
  }
  return {};
}

std::string Base64(std::string_view bytes) { return base::ToBase64(bytes); }

}  // namespace portcullis::cri::json_support
