// The shape that a document of Kubernetes must have: which fields each object knows, of which type, and what this node
// does about them. The tables are made from data/pod-fields.tsv and data/kubelet-config-fields.tsv by
// scripts/generate-k8s-tables.py.
//
// CheckShape walks a document along a table and reports, each with its position: unknown fields (with the nearest valid
// name), wrong types, numbers out of range, malformed quantities and durations, and fields that are known but not
// supported here.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "base/document.h"

namespace portcullis::k8s {

enum class FieldKind {
  kString,
  kBool,
  kInt32,
  kInt64,
  kFloat64,
  kDuration,  // Go's "1m30s"
  kQuantity,  // "100m", "1Gi" or a number
  kIntOrString,
  kAny,  // not looked into
  kObject,
};
enum class FieldShape { kOne, kList, kMap, kMapOfLists };
enum class FieldSupport {
  kYes,
  kWarn,   // has no effect here
  kError,  // would change behaviour or security: refused
};

struct FieldSchema {
  std::string_view name;
  FieldShape shape;
  FieldKind kind;
  std::string_view object;  // for kObject: the object's name in the table
  FieldSupport support;
  std::string_view note;          // said instead of the general text for kWarn and kError
  std::string_view default_json;  // "" = none
};

struct ObjectSchema {
  std::string_view name;
  std::span<const FieldSchema> fields;
};

using SchemaTable = std::span<const ObjectSchema>;

// Generated.
SchemaTable PodSchema();            // root object "Pod"
SchemaTable KubeletConfigSchema();  // root object "KubeletConfiguration"

const ObjectSchema* FindObject(SchemaTable table, std::string_view name);
const FieldSchema* FindField(const ObjectSchema& object, std::string_view name);

// "an integer", "a list of strings": for messages.
std::string DescribeField(const FieldSchema& field);

// A field's place, as Kubernetes prints it and as a JSON pointer into the document.
struct FieldPath {
  std::string text;
  std::string pointer;
  FieldPath Child(std::string_view name) const;
  FieldPath Index(size_t i) const;
  FieldPath Key(std::string_view key) const;  // text: path[key]
};

struct ShapeReport {
  Diagnostics diagnostics;   // at most kMaxDiagnostics
  bool wrong_types = false;  // some value has a type that makes further reading pointless
};
inline constexpr size_t kMaxDiagnostics = 100;

ShapeReport CheckShape(const base::Document& document, const nlohmann::json& value, SchemaTable table,
                       std::string_view root_object);

// "null", "a string", "an integer", "a list", ...: what a JSON value is, for messages.
std::string DescribeValue(const nlohmann::json& value);

// Removes every object member whose value is null: Kubernetes reads null as absent.
void StripNulls(nlohmann::json& value);

}  // namespace portcullis::k8s
