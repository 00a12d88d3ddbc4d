#include "base/yaml_scalar.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace portcullis::base {
namespace {

std::optional<nlohmann::json> PlainNumber(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const bool minus = text[0] == '-';
  std::string_view digits = text;
  if (minus || text[0] == '+') digits.remove_prefix(1);
  if (digits.empty() || !((digits[0] >= '0' && digits[0] <= '9') || digits[0] == '.')) return std::nullopt;
  int base = 10;
  std::string_view whole = digits;
  if (digits.size() > 2 && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'o' || digits[1] == 'b')) {
    base = digits[1] == 'x' ? 16 : digits[1] == 'o' ? 8 : 2;
    whole.remove_prefix(2);
  } else if (digits.size() > 1 && digits[0] == '0' && digits.find_first_not_of("01234567") == std::string_view::npos) {
    base = 8;  // YAML 1.1, as Kubernetes' file modes (0644) are read
  }
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), value, base);
  if (error == std::errc() && end == whole.data() + whole.size()) {
    if (!minus) return nlohmann::json(value);
    if (value <= uint64_t{1} << 63) return nlohmann::json(static_cast<int64_t>(0 - value));
  }
  if (base != 10) return std::nullopt;
  double real = 0;
  const auto [real_end, real_error] = std::from_chars(digits.data(), digits.data() + digits.size(), real);
  if (real_error != std::errc() || real_end != digits.data() + digits.size()) return std::nullopt;
  return nlohmann::json(minus ? -real : real);
}

}  // namespace

nlohmann::json PlainScalar(std::string_view text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  for (std::string_view yes : {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y"}) {
    if (text == yes) return true;
  }
  for (std::string_view no : {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N"}) {
    if (text == no) return false;
  }
  if (auto number = PlainNumber(text)) return *number;
  return std::string(text);
}

}  // namespace portcullis::base
