#include "cli/output/template_functions.h"

#include <cctype>
#include <compare>
#include <map>
#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "base/try.h"
#include "cli/output/go_print.h"

namespace portcullis::cli::go_template {
namespace {

using Json = nlohmann::json;
using Arguments = std::span<const Json>;
using Function = Result<Json> (*)(const std::string& name, Arguments arguments);

constexpr size_t kAny = static_cast<size_t>(-1);

struct Entry {
  Function call;
  size_t least;
  size_t most;
};

// Go's comparable kinds: numbers with numbers, texts with texts, booleans with booleans.
Result<std::partial_ordering> Compare(const Json& a, const Json& b) {
  if (a.is_string() && b.is_string()) {
    return std::partial_ordering(a.get_ref<const std::string&>() <=> b.get_ref<const std::string&>());
  }
  if (a.is_number_integer() && b.is_number_integer()) {
    if (a == b) return std::partial_ordering::equivalent;
    return a < b ? std::partial_ordering::less : std::partial_ordering::greater;
  }
  if (a.is_number() && b.is_number()) return std::partial_ordering(a.get<double>() <=> b.get<double>());
  if (a.is_boolean() && b.is_boolean()) {
    return a == b ? std::partial_ordering::equivalent : std::partial_ordering::unordered;
  }
  if (a.is_null() || b.is_null()) {
    return a == b ? std::partial_ordering::equivalent : std::partial_ordering::unordered;
  }
  if (a.is_structured() || b.is_structured()) return Fail(Code::kInvalidArgument, "non-comparable type");
  return Fail(Code::kInvalidArgument, "incompatible types for comparison");
}

Result<Json> Equal(const std::string&, Arguments arguments) {
  for (const Json& other : arguments.subspan(1)) {
    ASSIGN_OR_RETURN(const auto order, Compare(arguments[0], other));
    if (order == std::partial_ordering::equivalent) return Json(true);
  }
  return Json(false);
}

Result<Json> Ordered(const std::string& name, Arguments arguments) {
  ASSIGN_OR_RETURN(const auto order, Compare(arguments[0], arguments[1]));
  if (name == "ne") return Json(order != std::partial_ordering::equivalent);
  const bool equal = order == std::partial_ordering::equivalent;
  if (order == std::partial_ordering::unordered || (equal && arguments[0].is_boolean())) {
    return Fail(Code::kInvalidArgument, "invalid type for comparison");
  }
  const bool less = order == std::partial_ordering::less;
  if (name == "lt") return Json(less);
  if (name == "le") return Json(less || equal);
  if (name == "gt") return Json(!less && !equal);
  return Json(!less);
}

Result<Json> Not(const std::string&, Arguments arguments) { return Json(!Truth(arguments[0])); }

Result<Json> Length(const std::string&, Arguments arguments) {
  const Json& value = arguments[0];
  if (value.is_string()) return Json(value.get_ref<const std::string&>().size());
  if (value.is_structured()) return Json(value.size());
  if (value.is_null()) return Fail(Code::kInvalidArgument, "len of nil pointer");
  return Fail(Code::kInvalidArgument, "len of type {}", value.type_name());
}

Result<size_t> Position(const Json& index, size_t size, size_t most) {
  if (!index.is_number_integer()) {
    return Fail(Code::kInvalidArgument, "cannot index slice/array with type {}", index.type_name());
  }
  const bool negative = !index.is_number_unsigned() && index.get<int64_t>() < 0;
  if (negative || index.get<uint64_t>() > most) {
    return Fail(Code::kInvalidArgument, "index out of range: {} (length {})", index.dump(), size);
  }
  return index.get<size_t>();
}

Result<Json> Index(const std::string&, Arguments arguments) {
  Json value = arguments[0];
  for (const Json& index : arguments.subspan(1)) {
    if (value.is_object()) {
      if (!index.is_string())
        return Fail(Code::kInvalidArgument, "value has type {}; should be string", index.type_name());
      const auto found = value.find(index.get_ref<const std::string&>());
      Json next = found == value.end() ? Json() : *found;
      value = std::move(next);
    } else if (value.is_array()) {
      if (value.empty()) return Fail(Code::kInvalidArgument, "index out of range: {} (length 0)", index.dump());
      ASSIGN_OR_RETURN(const size_t at, Position(index, value.size(), value.size() - 1));
      Json next = value[at];
      value = std::move(next);
    } else if (value.is_null()) {
      return Fail(Code::kInvalidArgument, "index of untyped nil");
    } else {
      return Fail(Code::kInvalidArgument, "can't index item of type {}", value.type_name());
    }
  }
  return value;
}

Result<Json> Slice(const std::string&, Arguments arguments) {
  const Json& value = arguments[0];
  if (!value.is_array() && !value.is_string()) {
    return Fail(Code::kInvalidArgument, "can't slice item of type {}", value.type_name());
  }
  const size_t size = value.is_string() ? value.get_ref<const std::string&>().size() : value.size();
  size_t begin = 0;
  size_t end = size;
  if (arguments.size() > 1) {
    ASSIGN_OR_RETURN(begin, Position(arguments[1], size, size));
  }
  if (arguments.size() > 2) {
    ASSIGN_OR_RETURN(end, Position(arguments[2], size, size));
  }
  if (begin > end) return Fail(Code::kInvalidArgument, "invalid slice index: {} > {}", begin, end);
  if (value.is_string()) return Json(value.get_ref<const std::string&>().substr(begin, end - begin));
  Json out = Json::array();
  for (size_t i = begin; i < end; ++i) out.push_back(value[i]);
  return out;
}

// fmt.Sprint puts a blank between two values when neither is a text, fmt.Sprintln always.
Result<Json> Print(const std::string& name, Arguments arguments) {
  std::string out;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const bool line = name == "println";
    if (i > 0 && (line || (!arguments[i].is_string() && !arguments[i - 1].is_string()))) out += ' ';
    out += GoPrint(arguments[i]);
  }
  if (name == "println") out += '\n';
  return Json(out);
}

Result<Json> Printf(const std::string&, Arguments arguments) {
  if (!arguments[0].is_string()) return Fail(Code::kInvalidArgument, "wrong type for the format: expected string");
  return Json(GoPrintf(arguments[0].get_ref<const std::string&>(), arguments.subspan(1)));
}

// Go's encoder ends its output with a newline.
Result<Json> ToJsonText(const std::string&, Arguments arguments) {
  return Json(arguments[0].dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::string Joined(Arguments arguments) {
  std::string text;
  for (const Json& argument : arguments) text += GoPrint(argument);
  return text;
}

Result<Json> Html(const std::string&, Arguments arguments) {
  static const std::map<char, std::string_view> kEscapes = {
      {'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&#34;"}, {'\'', "&#39;"}};
  std::string out;
  for (char c : Joined(arguments)) {
    const auto escape = kEscapes.find(c);
    out += escape == kEscapes.end() ? std::string_view(&c, 1) : escape->second;
  }
  return Json(out);
}

Result<Json> UrlQuery(const std::string&, Arguments arguments) {
  std::string out;
  for (char c : Joined(arguments)) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '~') {
      out += c;
    } else {
      out += c == ' ' ? "+" : fmt::format("%{:02X}", byte);
    }
  }
  return Json(out);
}

Result<Json> ChangeCase(const std::string& name, Arguments arguments) {
  if (!arguments[0].is_string()) return Fail(Code::kInvalidArgument, "wrong type: expected string");
  std::string text = arguments[0].get<std::string>();
  bool word_begins = true;
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (name == "lower") c = static_cast<char>(std::tolower(byte));
    if (name == "upper" || (name == "title" && word_begins)) c = static_cast<char>(std::toupper(byte));
    word_begins = byte < 0x80 && std::isalnum(byte) == 0 && c != '_' && c != '\'';
  }
  return Json(text);
}

const std::map<std::string, Entry, std::less<>>& Functions() {
  static const std::map<std::string, Entry, std::less<>> kFunctions = {
      {"not", {Not, 1, 1}},          {"eq", {Equal, 2, kAny}},
      {"ne", {Ordered, 2, 2}},       {"lt", {Ordered, 2, 2}},
      {"le", {Ordered, 2, 2}},       {"gt", {Ordered, 2, 2}},
      {"ge", {Ordered, 2, 2}},       {"len", {Length, 1, 1}},
      {"index", {Index, 1, kAny}},   {"slice", {Slice, 1, 3}},
      {"print", {Print, 0, kAny}},   {"println", {Print, 0, kAny}},
      {"printf", {Printf, 1, kAny}}, {"json", {ToJsonText, 1, 1}},
      {"html", {Html, 0, kAny}},     {"urlquery", {UrlQuery, 0, kAny}},
      {"lower", {ChangeCase, 1, 1}}, {"upper", {ChangeCase, 1, 1}},
      {"title", {ChangeCase, 1, 1}},
  };
  return kFunctions;
}

}  // namespace

bool IsShortCircuit(std::string_view name) { return name == "and" || name == "or"; }

bool IsFunction(std::string_view name) { return IsShortCircuit(name) || Functions().contains(name); }

bool Truth(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_string()) return !value.get_ref<const std::string&>().empty();
  if (value.is_number_float()) return value.get<double>() != 0;
  if (value.is_number()) return value != 0;
  return !value.empty();
}

Result<Json> CallFunction(const std::string& name, Arguments arguments) {
  const auto found = Functions().find(name);
  if (found == Functions().end()) return Fail(Code::kInvalidArgument, "function {} not defined", base::Quote(name));
  const Entry& entry = found->second;
  if (arguments.size() < entry.least || arguments.size() > entry.most) {
    const bool open = entry.most == kAny;
    return Fail(Code::kInvalidArgument, "wrong number of args for {}: want {}{} got {}", name, open ? "at least " : "",
                arguments.size() < entry.least ? entry.least : entry.most, arguments.size());
  }
  auto result = entry.call(name, arguments);
  if (!result) return Wrap(std::move(result).error(), "error calling {}", name);
  return result;
}

}  // namespace portcullis::cli::go_template
