#include "spec/k8s/static_pod.h"

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/document.h"
#include "base/strings.h"
#include "spec/k8s/json_access.h"
#include "spec/k8s/pod_decode.h"
#include "spec/k8s/schema.h"
#include "spec/k8s/validation.h"

namespace portcullis::k8s {
namespace {

using nlohmann::json;

constexpr size_t kUidDigits = 32;

std::string Canonical(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

// "spec.containers[0].image" -> "/spec/containers/0/image"
std::string PointerOfField(std::string_view field) {
  FieldPath path;
  std::string token;
  bool in_brackets = false;
  const auto flush = [&path, &token] {
    if (!token.empty()) path = path.Child(token);
    token.clear();
  };
  for (char c : field) {
    if (c == ']' && in_brackets) {
      flush();
      in_brackets = false;
    } else if (in_brackets || (c != '.' && c != '[')) {
      token += c;
    } else {
      flush();
      in_brackets = c == '[';
    }
  }
  flush();
  return path.pointer;
}

void SetIdentity(json& pod, const StaticPodSource& source) {
  json& metadata = pod["metadata"];
  json& spec = pod["spec"];
  // Kubernetes hashes a dump of the defaulted Go object here. Only determinism matters: same content, host and path,
  // same UID.
  const std::string identity = fmt::format("{}\nhost:{}\n{}:{}", Canonical(pod), source.node_name,
                                           source.source == "http" ? "url" : "file", source.file);
  std::string uid = StringOr(metadata, "uid");
  if (uid.empty()) uid = base::Sha256Hex(identity).substr(0, kUidDigits);
  metadata["uid"] = uid;
  if (const std::string name = StringOr(metadata, "name"); !name.empty()) {
    metadata["name"] = fmt::format("{}-{}", name, source.node_name);
  }
  if (!Member(metadata, "annotations").is_object()) metadata["annotations"] = json::object();
  json& annotations = metadata["annotations"];
  annotations[std::string(kConfigSourceAnnotation)] = source.source;
  annotations[std::string(kConfigSeenAnnotation)] = base::FormatRfc3339Nano(source.seen);
  annotations[std::string(kConfigHashAnnotation)] = uid;
  spec["nodeName"] = source.node_name;
  if (!Member(spec, "tolerations").is_array()) spec["tolerations"] = json::array();
  spec["tolerations"].push_back({{"operator", "Exists"}, {"effect", "NoExecute"}});
}

bool IsOfKind(const json& object, std::string_view kind) {
  return StringOr(object, "apiVersion") == "v1" && StringOr(object, "kind") == kind;
}

std::string WrongKind(const json& object, std::string_view expected) {
  return fmt::format("expected apiVersion v1, kind {}, found apiVersion {}, kind {}", expected,
                     base::Quote(StringOr(object, "apiVersion")), base::Quote(StringOr(object, "kind")));
}

std::string ParseError(const StaticPodSource& source, const std::string& problem) {
  return source.source == "http"
             ? fmt::format("{}: couldn't parse as single or multiple pods ({})", source.file, problem)
             : fmt::format("{}: couldn't parse as pod({}), please check config file", source.file, problem);
}

class Loader {
 public:
  explicit Loader(const StaticPodSource& source) : source_(source) {}

  PodLoad Load(std::string_view text) {
    if (text.size() > kMaxManifestBytes) {
      return Unparsable(fmt::format("the file has {} bytes, at most {} are allowed", text.size(), kMaxManifestBytes));
    }
    bool extra_documents = false;
    auto document = base::ParseYaml(text, source_.file, &extra_documents);
    if (!document) return Unparsable(document.error().message);
    if (auto problem = CheckKind(document->root()); !problem.empty()) return Unparsable(problem);
    if (extra_documents) {
      Add(Severity::kWarning, "", "only the first document of the file is read: one pod a file");
    }
    return LoadPod(*document, document->root());
  }

  // `pod` is the document's root, perhaps with what a list may leave out.
  PodLoad LoadPod(const base::Document& document, json pod) {
    document_ = &document;
    StripNulls(pod);
    ShapeReport shape = CheckShape(document, pod, PodSchema(), "Pod");
    Append(std::move(shape.diagnostics));
    if (shape.wrong_types) return Finish(std::nullopt);
    if (!Member(pod, "spec").is_object()) {
      Add(Severity::kError, "spec", "Required value");
      return Finish(std::nullopt);
    }
    if (const auto node = OptionalString(pod["spec"], "nodeName"); node && *node != source_.node_name) {
      Add(Severity::kWarning, "spec.nodeName", fmt::format("is replaced by this node's name {}", source_.node_name));
    }
    Append(CheckSupportedValues(document, pod));
    pod.erase("status");
    ApplyPodDefaults(pod);
    SetIdentity(pod, source_);
    Pod typed = ReadPod(pod);
    for (const Diagnostic& error : ValidatePod(typed)) Add(Severity::kError, error.field, error.message);
    return Finish(std::move(typed));
  }

 private:
  void Add(Severity severity, const std::string& field, std::string message) {
    base::Position position;
    if (document_ != nullptr && !field.empty()) position = document_->Where(PointerOfField(field));
    load_.diagnostics.push_back({.severity = severity,
                                 .file = source_.file,
                                 .line = position.line,
                                 .column = position.column,
                                 .field = field,
                                 .message = std::move(message),
                                 .hint = ""});
  }

  void Append(Diagnostics diagnostics) {
    for (Diagnostic& diagnostic : diagnostics) load_.diagnostics.push_back(std::move(diagnostic));
  }

  PodLoad Unparsable(const std::string& problem) {
    Add(Severity::kError, "", problem);
    // Errors of the parser name file and position themselves.
    if (problem.starts_with(source_.file)) load_.diagnostics.back().file.clear();
    load_.error = ParseError(source_, problem);
    return std::move(load_);
  }

  PodLoad Finish(std::optional<Pod> pod) {
    load_.error = AggregateErrors(load_.diagnostics);
    if (!HasErrors(load_.diagnostics)) load_.pod = std::move(pod);
    return std::move(load_);
  }

  static std::string CheckKind(const json& root) {
    if (root.is_null()) return "the file is empty";
    if (!root.is_object()) return fmt::format("expected a Pod, found {}", DescribeValue(root));
    if (StringOr(root, "kind").empty()) return "Object 'Kind' is missing";
    if (StringOr(root, "apiVersion").empty()) return "Object 'apiVersion' is missing";
    return IsOfKind(root, "Pod") ? "" : WrongKind(root, "Pod");
  }

  const StaticPodSource& source_;
  const base::Document* document_ = nullptr;  // while Load reads it
  PodLoad load_;
};

}  // namespace

PodLoad LoadStaticPod(std::string_view text, const StaticPodSource& source) { return Loader(source).Load(text); }

PodListLoad LoadStaticPods(std::string_view text, const StaticPodSource& source) {
  PodListLoad out;
  const auto fail = [&](const std::string& problem) {
    out.error = ParseError(source, problem);
    out.pods.clear();
    out.digests.clear();
    return std::move(out);
  };
  if (text.size() > kMaxManifestBytes) {
    return fail(fmt::format("{} bytes, at most {} are allowed", text.size(), kMaxManifestBytes));
  }
  bool extra_documents = false;
  auto document = base::ParseYaml(text, source.file, &extra_documents);
  if (!document) return fail(document.error().message);
  if (extra_documents) return fail("more than one document: several pods are items of a PodList");
  const json& root = document->root();
  const bool pod_list = IsOfKind(root, "PodList");
  if (!pod_list && !IsOfKind(root, "List")) {
    PodLoad load = Loader(source).Load(text);
    out.diagnostics = std::move(load.diagnostics);
    out.error = std::move(load.error);
    if (load.pod) {
      out.pods.push_back(std::move(*load.pod));
      out.digests.push_back(base::Sha256Hex(Canonical(root)));
    }
    return out;
  }
  for (const auto& [name, value] : root.items()) {
    if (name != "apiVersion" && name != "kind" && name != "metadata" && name != "items")
      return fail(fmt::format("unknown field {} of the list", base::Quote(name)));
  }
  const json& items = Member(root, "items");
  if (items.is_null()) return out;
  if (!items.is_array()) return fail(fmt::format("items: expected a list, found {}", DescribeValue(items)));
  if (items.size() > kMaxPodsPerList) {
    return fail(fmt::format("{} pods, at most {} are allowed", items.size(), kMaxPodsPerList));
  }
  for (size_t i = 0; i < items.size(); ++i) {
    const std::string where = fmt::format("items[{}]", i);
    json pod = items[i];
    if (!pod.is_object()) return fail(fmt::format("{}: expected a Pod, found {}", where, DescribeValue(pod)));
    // A PodList's items have their kind from the list.
    if (pod_list) {
      pod.emplace("apiVersion", "v1");
      pod.emplace("kind", "Pod");
    }
    if (!IsOfKind(pod, "Pod")) return fail(where + ": " + WrongKind(pod, "Pod"));
    out.digests.push_back(base::Sha256Hex(Canonical(pod)));
    PodLoad load = Loader(source).LoadPod(document->Part(fmt::format("/items/{}", i)), std::move(pod));
    for (Diagnostic& diagnostic : load.diagnostics) {
      diagnostic.field = diagnostic.field.empty() ? where : where + "." + diagnostic.field;
      out.diagnostics.push_back(std::move(diagnostic));
    }
    if (load.pod) {
      out.pods.push_back(std::move(*load.pod));
    } else if (out.error.empty()) {
      out.error = where + ": " + load.error;
    }
  }
  if (!out.error.empty()) {
    out.pods.clear();
    out.digests.clear();
  }
  return out;
}

}  // namespace portcullis::k8s
