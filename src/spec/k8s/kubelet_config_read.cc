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

// The problems of one file, each with what Kubernetes says around it (kubernetes-seccomp.md 1.5, 1.6).
class FileProblems {
 public:
  FileProblems(const std::string& path, bool drop_in, std::vector<std::string>& out)
      : before_(drop_in ? "failed to merge kubelet configs: failed to load kubelet dropin file, path: " + path
                        : "failed to load kubelet config file, path: " + path),
        out_(out) {}

  // `separator` is ", error: " but for what a drop-in's kind and apiVersion are told.
  void Add(std::string_view problem, std::string_view separator = ", error: ") {
    out_.push_back(fmt::format("{}{}{}", before_, separator, problem));
  }

 private:
  std::string before_;
  std::vector<std::string>& out_;
};

bool CheckKind(const json& root, bool drop_in, FileProblems& problems) {
  const std::string kind = StringOr(root, "kind");
  const std::string version = StringOr(root, "apiVersion");
  if (kind == kKind && version == kGroupVersion) return true;
  if (drop_in && (kind.empty() || version.empty())) {
    problems.Add("no apiVersion/kind", ", ");
  } else if (drop_in) {
    problems.Add(fmt::format("unknown apiVersion/kind: {}, Kind={}", version, kind), ", ");
  } else if (kind.empty()) {
    problems.Add("failed to decode: Object 'Kind' is missing");
  } else if (version.empty()) {
    problems.Add("failed to decode: Object 'apiVersion' is missing");
  } else if (version == kGroupVersion) {
    problems.Add(fmt::format("failed to cast object to KubeletConfiguration, unexpected type: {}", kind));
  } else {
    problems.Add(fmt::format("failed to decode: no kind {} is registered for version {}", base::Quote(kind),
                             base::Quote(version)));
  }
  return false;
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

// "a:hello,b:again,b:world", as Kubernetes' ColonSeparatedMultimapStringString; blanks before a name are dropped.
Result<json> ParseMultimap(const std::string& text) {
  json map = json::object();
  for (const std::string& pair : base::Split(text, ',')) {
    if (pair.empty()) continue;
    const size_t colon = pair.find(':');
    if (colon == std::string::npos) {
      return Fail(Code::kInvalidArgument, "malformed pair, expect string:string");
    }
    map[std::string(base::Trim(pair.substr(0, colon)))].push_back(pair.substr(colon + 1));
  }
  return map;
}

// "cpu=200m,memory=500Mi", as Kubernetes' MapStringString.
Result<json> ParseMap(FieldKind kind, const std::string& text) {
  json map = json::object();
  for (const std::string& pair : base::Split(text, ',')) {
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    if (equals == std::string::npos) return Fail(Code::kInvalidArgument, "malformed pair, expect string=string");
    auto value = ParseScalar(kind, std::string(base::Trim(pair.substr(equals + 1))));
    if (!value) return Failure(std::move(value).error());
    map[std::string(base::Trim(pair.substr(0, equals)))] = std::move(*value);
  }
  return map;
}

}  // namespace

std::optional<base::Document> ReadConfigDocument(const ConfigText& text, bool drop_in,
                                                 std::vector<std::string>& errors) {
  FileProblems problems(text.path, drop_in, errors);
  const size_t errors_before = errors.size();
  if (text.text.size() > kMaxConfigBytes) {
    problems.Add(fmt::format("the file has more than {} bytes", kMaxConfigBytes));
    return std::nullopt;
  }
  const std::string empty = fmt::format("kubelet config file {} was empty", base::Quote(text.path));
  if (base::Trim(text.text).empty()) {
    problems.Add(empty);
    return std::nullopt;
  }
  bool extra_documents = false;
  auto document = base::ParseYaml(text.text, text.path, &extra_documents);
  if (!document) {
    problems.Add("failed to decode: " + document.error().message);
    return std::nullopt;
  }
  if (document->root().is_null()) {
    problems.Add(empty);
    return std::nullopt;
  }
  if (extra_documents) problems.Add("the file holds more than one document: only the first would be read");
  if (!CheckKind(document->root(), drop_in, problems)) return std::nullopt;
  for (const Diagnostic& diagnostic :
       CheckShape(*document, document->root(), KubeletConfigSchema(), kKind).diagnostics) {
    if (diagnostic.severity == Severity::kError) problems.Add("failed to decode: " + FormatDiagnostic(diagnostic));
  }
  if (errors.size() > errors_before) return std::nullopt;
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
  if (schema->shape == FieldShape::kMapOfLists) return ParseMultimap(text);
  if (schema->shape == FieldShape::kMap) return ParseMap(schema->kind, text);
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
