#include <limits>

#include "base/clock.h"
#include "base/strings.h"
#include "spec/k8s/json_access.h"
#include "spec/k8s/kubelet_config_internal.h"

namespace portcullis::k8s {
namespace {

using nlohmann::json;

constexpr std::string_view kGroupVersion = "kubelet.config.k8s.io/v1beta1";
constexpr std::string_view kKind = "KubeletConfiguration";

void AddError(Diagnostics& diagnostics, const std::string& file, std::string field, std::string message,
              base::Position position = {}) {
  diagnostics.push_back({.severity = Severity::kError,
                         .file = file,
                         .line = position.line,
                         .column = position.column,
                         .field = std::move(field),
                         .message = std::move(message),
                         .hint = ""});
}

// "" when the document is a KubeletConfiguration, else why not.
std::string CheckKind(const json& root, const std::string& path, bool drop_in) {
  const std::string kind = StringOr(root, "kind");
  const std::string version = StringOr(root, "apiVersion");
  if (kind == kKind && version == kGroupVersion) return "";
  if (drop_in) {
    if (kind.empty() || version.empty()) {
      return fmt::format("failed to load kubelet dropin file, path: {}, no apiVersion/kind", path);
    }
    return fmt::format("failed to load kubelet dropin file, path: {}, unknown apiVersion/kind: {}, Kind={}", path,
                       version, kind);
  }
  if (kind.empty()) return "failed to decode: Object 'Kind' is missing";
  if (version.empty()) return "failed to decode: Object 'apiVersion' is missing";
  if (version == kGroupVersion) {
    return fmt::format("failed to cast object to KubeletConfiguration, unexpected type: {}", kind);
  }
  return fmt::format("failed to decode: no kind {} is registered for version {}", base::Quote(kind),
                     base::Quote(version));
}

Result<json> ParseScalar(FieldKind kind, const std::string& text) {
  const auto invalid = [&text](std::string_view expected) {
    return Fail(Code::kInvalidArgument, "expected {}, found {}", expected, base::Quote(text));
  };
  switch (kind) {
    case FieldKind::kBool: {
      const auto value = base::ParseGoBool(text);
      if (!value) {
        return Fail(Code::kInvalidArgument, "strconv.ParseBool: parsing {}: invalid syntax", base::Quote(text));
      }
      return json(*value);
    }
    case FieldKind::kInt32:
    case FieldKind::kInt64: {
      const bool negative = text.starts_with('-');
      const auto value = base::ParseUint(negative ? std::string_view(text).substr(1) : std::string_view(text));
      const auto max = kind == FieldKind::kInt32 ? static_cast<uint64_t>(std::numeric_limits<int32_t>::max())
                                                 : static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
      if (!value || *value > max) return invalid("an integer");
      const auto number = static_cast<int64_t>(*value);
      return json(negative ? -number : number);
    }
    case FieldKind::kDuration:
      if (!base::ParseGoDuration(text)) return invalid("a duration such as \"1m30s\"");
      return json(text);
    default:
      return json(text);
  }
}

}  // namespace

std::optional<base::Document> ReadConfigDocument(const ConfigText& text, bool drop_in, Diagnostics& diagnostics) {
  const auto empty = [&text] { return fmt::format("kubelet config file {} was empty", base::Quote(text.path)); };
  if (text.text.size() > kMaxConfigBytes) {
    AddError(diagnostics, text.path, "", fmt::format("the file has more than {} bytes", kMaxConfigBytes));
    return std::nullopt;
  }
  if (base::Trim(text.text).empty()) {
    AddError(diagnostics, "", "", empty());
    return std::nullopt;
  }
  bool extra_documents = false;
  auto document = base::ParseYaml(text.text, text.path, &extra_documents);
  if (!document) {
    AddError(diagnostics, "", "", document.error().message);
    return std::nullopt;
  }
  if (document->root().is_null()) {
    AddError(diagnostics, "", "", empty());
    return std::nullopt;
  }
  if (extra_documents) {
    AddError(diagnostics, text.path, "", "the file holds more than one document: only the first would be read");
  }
  if (std::string problem = CheckKind(document->root(), text.path, drop_in); !problem.empty()) {
    AddError(diagnostics, text.path, "", std::move(problem));
    return std::nullopt;
  }
  for (Diagnostic& diagnostic : CheckShape(*document, document->root(), KubeletConfigSchema(), kKind).diagnostics) {
    if (diagnostic.severity == Severity::kError) diagnostics.push_back(std::move(diagnostic));
  }
  if (HasErrors(diagnostics)) return std::nullopt;
  return std::move(*document);
}

const FieldSchema* FieldAt(const std::string& dotted_path) {
  std::string_view object_name = kKind;
  const FieldSchema* field = nullptr;
  for (const std::string& name : base::Split(dotted_path, '.')) {
    const ObjectSchema* object = FindObject(KubeletConfigSchema(), object_name);
    if (object == nullptr) return nullptr;
    field = FindField(*object, name);
    if (field == nullptr) return nullptr;
    object_name = field->object;
  }
  return field;
}

Result<json> ParseFlagValue(const std::string& field, const std::string& text) {
  const FieldSchema* schema = FieldAt(field);
  if (schema == nullptr || schema->kind == FieldKind::kObject || schema->kind == FieldKind::kAny) {
    return Fail(Code::kInvalidArgument, "field {} can not be set by a flag", field);
  }
  if (schema->shape == FieldShape::kOne) return ParseScalar(schema->kind, text);
  if (schema->shape != FieldShape::kList) {
    return Fail(Code::kInvalidArgument, "field {} can not be set by a flag", field);
  }
  json list = json::array();
  for (const std::string& part : base::Split(text, ',')) {
    if (part.empty()) continue;
    auto value = ParseScalar(schema->kind, part);
    if (!value) return Failure(std::move(value).error());
    list.push_back(std::move(*value));
  }
  return list;
}

}  // namespace portcullis::k8s
