#include "cli/output/go_print.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/strings.h"

namespace portcullis::cli::go_template {
namespace {

constexpr int kMaxWidth = 1000;

// One %-directive: flags, width, precision and verb.
struct Directive {
  bool minus = false;
  bool plus = false;
  bool zero = false;
  bool sharp = false;
  bool space = false;
  int width = 0;
  int precision = -1;
  char verb = 'v';
};

std::string_view GoTypeName(const nlohmann::json& value) {
  if (value.is_string()) return "string";
  if (value.is_boolean()) return "bool";
  if (value.is_number_float()) return "float64";
  if (value.is_number()) return "int";
  if (value.is_array()) return "[]interface {}";
  return value.is_object() ? "map[string]interface {}" : "<nil>";
}

std::string Wrong(const Directive& directive, const nlohmann::json& value) {
  if (value.is_null()) return fmt::format("%!{}(<nil>)", directive.verb);
  return fmt::format("%!{}({}={})", directive.verb, GoTypeName(value), GoPrint(value));
}

std::string Pad(const Directive& directive, std::string text, bool number) {
  const auto length = static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
  if (length >= directive.width) return text;
  const auto missing = static_cast<size_t>(directive.width - length);
  if (directive.minus) return text + std::string(missing, ' ');
  if (directive.zero && number) {
    const size_t sign = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    return text.insert(sign, missing, '0');
  }
  return std::string(missing, ' ') + text;
}

std::string Sign(const Directive& directive, bool negative) {
  if (negative) return "-";
  if (directive.plus) return "+";
  return directive.space ? " " : "";
}

std::string Integer(const Directive& directive, const nlohmann::json& value) {
  const bool negative = !value.is_number_unsigned() && value.get<int64_t>() < 0;
  const uint64_t magnitude = negative ? ~static_cast<uint64_t>(value.get<int64_t>()) + 1 : value.get<uint64_t>();
  const std::string sign = Sign(directive, negative);
  switch (directive.verb) {
    case 'x':
      return sign + (directive.sharp ? "0x" : "") + fmt::format("{:x}", magnitude);
    case 'X':
      return sign + (directive.sharp ? "0X" : "") + fmt::format("{:X}", magnitude);
    case 'o':
      return sign + fmt::format("{:o}", magnitude);
    case 'b':
      return sign + fmt::format("{:b}", magnitude);
    default:
      return sign + fmt::format("{}", magnitude);
  }
}

std::string Real(const Directive& directive, const nlohmann::json& value) {
  const auto number = value.get<double>();
  const std::string sign = number < 0 ? "" : Sign(directive, false);
  if (directive.verb == 'g' && directive.precision < 0) return sign + fmt::format("{}", number);
  const int precision = directive.precision < 0 ? 6 : directive.precision;
  if (directive.verb == 'e') return sign + fmt::format("{:.{}e}", number, precision);
  if (directive.verb == 'g') return sign + fmt::format("{:.{}g}", number, precision);
  return sign + fmt::format("{:.{}f}", number, precision);
}

std::string Hex(const Directive& directive, const std::string& text) {
  std::string out;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += directive.verb == 'x' ? fmt::format("{:02x}", byte) : fmt::format("{:02X}", byte);
  }
  return out;
}

std::string FormatOne(const Directive& directive, const nlohmann::json& value) {
  const bool integer = value.is_number_integer();
  switch (directive.verb) {
    case 'v':
      return Pad(directive, integer ? Integer(directive, value) : GoPrint(value), value.is_number());
    case 's':
      if (!value.is_string() && !value.is_structured()) return Wrong(directive, value);
      return Pad(directive,
                 GoPrint(value).substr(
                     0, directive.precision < 0 ? std::string::npos : static_cast<size_t>(directive.precision)),
                 false);
    case 'q':
      if (!value.is_string()) return Wrong(directive, value);
      return Pad(directive, base::Quote(value.get_ref<const std::string&>()), false);
    case 'x':
    case 'X':
      if (value.is_string()) return Pad(directive, Hex(directive, value.get_ref<const std::string&>()), false);
      [[fallthrough]];
    case 'd':
    case 'o':
    case 'b':
      return integer ? Pad(directive, Integer(directive, value), true) : Wrong(directive, value);
    case 't':
      return value.is_boolean() ? Pad(directive, GoPrint(value), false) : Wrong(directive, value);
    case 'f':
    case 'e':
    case 'g':
      return value.is_number_float() ? Pad(directive, Real(directive, value), true) : Wrong(directive, value);
    default:
      return Wrong(directive, value);
  }
}

int ReadNumber(const std::string& format, size_t& i) {
  int number = 0;
  while (i < format.size() && format[i] >= '0' && format[i] <= '9') {
    number = std::min(number * 10 + (format[i++] - '0'), kMaxWidth);
  }
  return number;
}

// Reads the directive behind a %; `i` ends behind its verb. False: the format ends within it.
bool ReadDirective(const std::string& format, size_t& i, Directive& out) {
  for (; i < format.size(); ++i) {
    if (format[i] == '-') {
      out.minus = true;
    } else if (format[i] == '+') {
      out.plus = true;
    } else if (format[i] == '0') {
      out.zero = true;
    } else if (format[i] == '#') {
      out.sharp = true;
    } else if (format[i] == ' ') {
      out.space = true;
    } else {
      break;
    }
  }
  out.width = ReadNumber(format, i);
  if (i < format.size() && format[i] == '.') {
    ++i;
    out.precision = ReadNumber(format, i);
  }
  if (i >= format.size()) return false;
  out.verb = format[i++];
  return true;
}

}  // namespace

std::string GoPrint(const nlohmann::json& value) {
  if (value.is_null()) return "<nil>";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{}", value.get<double>());
  std::string out;
  if (value.is_object()) {
    for (const auto& [key, item] : value.items()) {
      if (!out.empty()) out += ' ';
      out += key + ":" + GoPrint(item);
    }
    return "map[" + out + "]";
  }
  if (value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i) out += (i > 0 ? " " : "") + GoPrint(value[i]);
    return "[" + out + "]";
  }
  return value.dump();
}

std::string GoPrintf(const std::string& format, std::span<const nlohmann::json> arguments) {
  std::string out;
  size_t used = 0;
  for (size_t i = 0; i < format.size();) {
    if (format[i] != '%') {
      out += format[i++];
      continue;
    }
    Directive directive;
    if (!ReadDirective(format, ++i, directive)) {
      out += "%!(NOVERB)";
    } else if (directive.verb == '%') {
      out += '%';
    } else if (used >= arguments.size()) {
      out += fmt::format("%!{}(MISSING)", directive.verb);
    } else {
      out += FormatOne(directive, arguments[used++]);
    }
  }
  if (used == arguments.size()) return out;
  out += "%!(EXTRA ";
  for (size_t first = used; used < arguments.size(); ++used) {
    if (used > first) out += ", ";
    out += fmt::format("{}={}", GoTypeName(arguments[used]), GoPrint(arguments[used]));
  }
  return out + ")";
}

}  // namespace portcullis::cli::go_template
