#include "spec/k8s/schema.h"

#include <fmt/core.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/clock.h"
#include "base/json_pointer.h"
#include "base/strings.h"
#include "spec/k8s/quantity.h"

namespace portcullis::k8s {
namespace {

using nlohmann::json;

std::string KindName(FieldKind kind, bool plural) {
  switch (kind) {
    case FieldKind::kString:
      return plural ? "strings" : "a string";
    case FieldKind::kBool:
      return plural ? "booleans" : "true or false";
    case FieldKind::kInt32:
    case FieldKind::kInt64:
      return plural ? "integers" : "an integer";
    case FieldKind::kFloat64:
      return plural ? "numbers" : "a number";
    case FieldKind::kDuration:
      return plural ? "durations" : "a duration such as \"1m30s\"";
    case FieldKind::kQuantity:
      return plural ? "quantities" : "a quantity such as \"100m\" or \"1Gi\"";
    case FieldKind::kIntOrString:
      return plural ? "integers or strings" : "an integer or a string";
    case FieldKind::kAny:
      return plural ? "values" : "a value";
    case FieldKind::kObject:
      return plural ? "objects" : "an object";
  }
  return "a value";
}

class ShapeWalker {
 public:
  ShapeWalker(const base::Document& document, SchemaTable table) : document_(document), table_(table) {}

  void Object(const json& value, const ObjectSchema& schema, const FieldPath& path) {
    if (!value.is_object()) return WrongType(value, path, "an object");
    for (const auto& [name, member] : value.items()) {
      const FieldPath here = path.Child(name);
      const FieldSchema* field = FindField(schema, name);
      if (field == nullptr) {
        UnknownField(schema, name, here);
        continue;
      }
      if (member.is_null()) continue;
      Support(*field, member, here);
      if (field->support != FieldSupport::kError) Shape(*field, member, here);
    }
  }

  ShapeReport Take() { return std::move(report_); }

 private:
  void Report(Severity severity, const FieldPath& path, std::string message, std::string hint = "") {
    if (report_.diagnostics.size() >= kMaxDiagnostics) {
      report_.wrong_types = report_.wrong_types || severity == Severity::kError;
      return;
    }
    const base::Position position = document_.Where(path.pointer);
    report_.diagnostics.push_back({.severity = severity,
                                   .file = document_.file(),
                                   .line = position.line,
                                   .column = position.column,
                                   .field = path.text,
                                   .message = std::move(message),
                                   .hint = std::move(hint)});
  }

  void WrongType(const json& value, const FieldPath& path, const std::string& expected, std::string hint = "") {
    report_.wrong_types = true;
    Report(Severity::kError, path, fmt::format("expected {}, found {}", expected, DescribeValue(value)),
           std::move(hint));
  }

  void UnknownField(const ObjectSchema& schema, const std::string& name, const FieldPath& path) {
    // Looking for near names in a flood of unknown ones would take long for nothing.
    if (report_.diagnostics.size() >= kMaxDiagnostics) return Report(Severity::kError, path, "");
    std::vector<std::string_view> names;
    for (const FieldSchema& field : schema.fields) names.push_back(field.name);
    std::string hint;
    if (auto nearest = base::Nearest(name, names)) hint = fmt::format("did you mean {}?", base::Quote(*nearest));
    Report(Severity::kError, path, "unknown field", std::move(hint));
  }

  void Support(const FieldSchema& field, const json& value, const FieldPath& path) {
    if (field.support == FieldSupport::kYes) return;
    const bool harmless = field.support == FieldSupport::kWarn;
    // An empty list or string, or a refused switch in its off position, asks for nothing.
    if (value.is_array() && value.empty()) return;
    if (value.is_string() && value.get_ref<const std::string&>().empty()) return;
    if (!harmless && value.is_boolean() && !value.get<bool>()) return;
    std::string text(field.note);
    if (text.empty()) text = harmless ? "has no effect here" : "is not supported here";
    Report(harmless ? Severity::kWarning : Severity::kError, path, std::move(text));
  }

  void Shape(const FieldSchema& field, const json& value, const FieldPath& path) {
    switch (field.shape) {
      case FieldShape::kOne:
        return One(field, value, path);
      case FieldShape::kList:
        return List(field, value, path);
      case FieldShape::kMap:
      case FieldShape::kMapOfLists:
        if (!value.is_object()) return WrongType(value, path, DescribeField(field));
        for (const auto& [key, member] : value.items()) {
          FieldPath here = path.Key(key);
          // A null member of a map is a deletion in a merge patch; elsewhere it is dropped with the other nulls.
          if (member.is_null()) continue;
          if (field.shape == FieldShape::kMap) {
            One(field, member, here);
          } else {
            List(field, member, here);
          }
        }
        return;
    }
  }

  void List(const FieldSchema& field, const json& value, const FieldPath& path) {
    if (!value.is_array()) return WrongType(value, path, "a list of " + KindName(field.kind, true));
    for (size_t i = 0; i < value.size(); ++i) One(field, value[i], path.Index(i));
  }

  void One(const FieldSchema& field, const json& value, const FieldPath& path) {
    const std::string expected = KindName(field.kind, false);
    switch (field.kind) {
      case FieldKind::kString:
        if (!value.is_string()) {
          std::string hint;
          if (value.is_primitive() && !value.is_null()) hint = "write it in quotes";
          WrongType(value, path, expected, hint);
        }
        return;
      case FieldKind::kBool:
        if (!value.is_boolean()) WrongType(value, path, expected, value.is_string() ? "write it without quotes" : "");
        return;
      case FieldKind::kInt32:
        return Integer(value, path, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max());
      case FieldKind::kInt64:
        return Integer(value, path, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max());
      case FieldKind::kFloat64:
        if (!value.is_number()) WrongType(value, path, expected);
        return;
      case FieldKind::kDuration:
        if (!value.is_string()) return WrongType(value, path, expected);
        if (!base::ParseGoDuration(value.get_ref<const std::string&>())) WrongType(value, path, expected);
        return;
      case FieldKind::kQuantity:
        return CheckQuantity(value, path);
      case FieldKind::kIntOrString:
        if (!value.is_string() && !value.is_number_integer()) WrongType(value, path, expected);
        return;
      case FieldKind::kAny:
        return;
      case FieldKind::kObject:
        if (const ObjectSchema* schema = FindObject(table_, field.object)) Object(value, *schema, path);
        return;
    }
  }

  void Integer(const json& value, const FieldPath& path, int64_t min, int64_t max) {
    if (!value.is_number_integer()) {
      return WrongType(value, path, "an integer", value.is_string() ? "write it without quotes" : "");
    }
    const bool over = value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(max);
    if (over || (!value.is_number_unsigned() && (value.get<int64_t>() < min || value.get<int64_t>() > max))) {
      WrongType(value, path, fmt::format("an integer from {} to {}", min, max));
    }
  }

  void CheckQuantity(const json& value, const FieldPath& path) {
    if (!value.is_string() && !value.is_number()) return WrongType(value, path, KindName(FieldKind::kQuantity, false));
    auto quantity = Quantity::Parse(value.is_string() ? value.get<std::string>() : value.dump());
    if (!quantity) {
      report_.wrong_types = true;
      Report(Severity::kError, path, quantity.error().message);
    }
  }

  const base::Document& document_;
  SchemaTable table_;
  ShapeReport report_;
};

}  // namespace

const ObjectSchema* FindObject(SchemaTable table, std::string_view name) {
  for (const ObjectSchema& object : table) {
    if (object.name == name) return &object;
  }
  return nullptr;
}

const FieldSchema* FindField(const ObjectSchema& object, std::string_view name) {
  for (const FieldSchema& field : object.fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::string DescribeField(const FieldSchema& field) {
  switch (field.shape) {
    case FieldShape::kOne:
      return KindName(field.kind, false);
    case FieldShape::kList:
      return "a list of " + KindName(field.kind, true);
    case FieldShape::kMap:
      return "a map to " + KindName(field.kind, true);
    case FieldShape::kMapOfLists:
      return "a map to lists of " + KindName(field.kind, true);
  }
  return "a value";
}

FieldPath FieldPath::Child(std::string_view name) const {
  return {text.empty() ? std::string(name) : fmt::format("{}.{}", text, name), base::ChildPointer(pointer, name)};
}

FieldPath FieldPath::Index(size_t i) const {
  return {fmt::format("{}[{}]", text, i), fmt::format("{}/{}", pointer, i)};
}

FieldPath FieldPath::Key(std::string_view key) const {
  return {fmt::format("{}[{}]", text, key), base::ChildPointer(pointer, key)};
}

ShapeReport CheckShape(const base::Document& document, const json& value, SchemaTable table,
                       std::string_view root_object) {
  ShapeWalker walker(document, table);
  if (const ObjectSchema* schema = FindObject(table, root_object)) walker.Object(value, *schema, {});
  return walker.Take();
}

std::string DescribeValue(const json& value) {
  constexpr size_t kMaxShown = 60;
  const auto shown = [&value](const char* what) {
    std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
    if (text.size() > kMaxShown) text = text.substr(0, kMaxShown) + "...";
    return fmt::format("{} {}", what, text);
  };
  switch (value.type()) {
    case json::value_t::null:
      return "null";
    case json::value_t::object:
      return "an object";
    case json::value_t::array:
      return "a list";
    case json::value_t::string:
      return shown("the string");
    case json::value_t::boolean:
      return value.get<bool>() ? "true" : "false";
    case json::value_t::number_integer:
    case json::value_t::number_unsigned:
    case json::value_t::number_float:
      return shown("the number");
    case json::value_t::binary:
    case json::value_t::discarded:
      break;
  }
  return "something else";
}

void StripNulls(json& value) {
  if (value.is_object()) {
    for (auto it = value.begin(); it != value.end();) {
      if (it->is_null()) {
        it = value.erase(it);
      } else {
        StripNulls(*it);
        ++it;
      }
    }
  } else if (value.is_array()) {
    for (json& element : value) StripNulls(element);
  }
}

}  // namespace portcullis::k8s
