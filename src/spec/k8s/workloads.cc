#include "spec/k8s/workloads.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/strings.h"
#include "spec/k8s/json_access.h"
#include "spec/k8s/pod_decode.h"
#include "spec/k8s/schema.h"
#include "spec/k8s/static_pod.h"

namespace portcullis::k8s {
namespace {

using nlohmann::json;

constexpr size_t kMaxTemplates = 100'000;
constexpr std::string_view kCronJobTemplate = "/spec/jobTemplate/spec/template";

// The place of the pod template inside an object of a kind; nullopt: objects of this kind make no pods.
std::optional<std::string> TemplatePointer(const json& object) {
  const std::string kind = StringOr(object, "kind");
  if (kind == "Pod") return "";
  if (kind == "PodTemplate") return "/template";
  const json& spec = Member(object, "spec");
  if (kind == "CronJob") return std::string(kCronJobTemplate);
  const json& pod_spec = Member(Member(spec, "template"), "spec");
  if (Member(pod_spec, "containers").is_array()) return "/spec/template";
  return std::nullopt;
}

bool HasExec(const json& container) {
  for (const char* probe : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    if (Member(Member(container, probe), "exec").is_object()) return true;
  }
  const json& lifecycle = Member(container, "lifecycle");
  return Member(Member(lifecycle, "postStart"), "exec").is_object() ||
         Member(Member(lifecycle, "preStop"), "exec").is_object();
}

std::string IdOf(const json& status, const char* list, const std::string& name) {
  const json& statuses = Member(status, list);
  if (!statuses.is_array()) return "";
  for (const json& one : statuses) {
    if (StringOr(one, "name") != name) continue;
    const std::string id = StringOr(one, "containerID");
    const size_t scheme = id.find("://");
    return scheme == std::string::npos ? id : id.substr(scheme + 3);
  }
  return "";
}

class Loader {
 public:
  explicit Loader(const std::string& file) : file_(file) {}

  WorkloadsLoad Load(std::string_view text) {
    if (text.size() > kMaxManifestBytes) {
      Refuse(0, fmt::format("the file has {} bytes, at most {} are read", text.size(), kMaxManifestBytes));
      return std::move(load_);
    }
    auto documents = base::ParseYamlDocuments(text, file_);
    if (!documents) {
      // The text begins with the file's name, which a diagnostic says anyway.
      std::string message = documents.error().message;
      if (message.starts_with(file_ + ":")) message.erase(0, file_.size() + 1);
      Refuse(0, std::string(base::Trim(message)));
      return std::move(load_);
    }
    for (const base::Document& document : *documents) {
      document_ = &document;
      if (!document.root().is_null()) TakeObject(document.root(), "");
    }
    return std::move(load_);
  }

 private:
  void Refuse(int line, std::string message) {
    load_.diagnostics.push_back({.severity = Severity::kError,
                                 .file = file_,
                                 .line = line,
                                 .column = 0,
                                 .field = "",
                                 .message = std::move(message),
                                 .hint = ""});
  }

  int LineOf(const std::string& pointer) const { return document_->Where(pointer).line; }

  void TakeObject(const json& object, const std::string& pointer, const std::string& list_kind = "") {
    if (!object.is_object()) return Refuse(LineOf(pointer), "not an object of Kubernetes");
    const json& items = Member(object, "items");
    if (items.is_array()) {
      // The items of a PodList need not say what they are.
      const std::string kind = StringOr(object, "kind");
      const bool of_one_kind = kind.ends_with("List") && kind != "List";
      for (size_t i = 0; i < items.size(); ++i) {
        TakeObject(items[i], fmt::format("{}/items/{}", pointer, i),
                   of_one_kind ? kind.substr(0, kind.size() - std::string_view("List").size()) : "");
      }
      return;
    }
    json named = object;
    if (StringOr(named, "kind").empty() && !list_kind.empty()) named["kind"] = list_kind;
    if (StringOr(named, "kind").empty()) return Refuse(LineOf(pointer), "kind: Required value");
    const auto in_object = TemplatePointer(named);
    if (!in_object) {
      ++load_.others;
      return;
    }
    const json::json_pointer place(*in_object);
    if (!named.contains(place) || !Member(named.at(place), "spec").is_object()) {
      return Refuse(LineOf(pointer), fmt::format("{} {}: has no pod spec", StringOr(named, "kind"),
                                                 base::Quote(StringOr(Member(named, "metadata"), "name"))));
    }
    if (load_.templates.size() >= kMaxTemplates) {
      return Refuse(LineOf(pointer), fmt::format("more than {} objects", kMaxTemplates));
    }
    TakeTemplate(named, named.at(place), pointer + *in_object);
  }

  void TakeTemplate(const json& object, json pod, const std::string& pointer) {
    StripNulls(pod);
    CheckSecurity(pod, pointer);
    const Pod typed = ReadPod(pod);
    const json& metadata = Member(object, "metadata");
    PodTemplate out{.kind = StringOr(object, "kind"),
                    .name_space = StringOr(metadata, "namespace", "default"),
                    .name = StringOr(metadata, "name", StringOr(metadata, "generateName")),
                    .uid = StringOr(metadata, "uid"),
                    .file = file_,
                    .line = LineOf(pointer),
                    .spec = typed.spec,
                    .containers = {}};
    if (out.name_space.empty()) out.name_space = "default";
    const json& spec = Member(pod, "spec");
    const json& status = Member(pod, "status");
    AddContainers(out, typed.spec.init_containers, Member(spec, "initContainers"), pointer + "/spec/initContainers/",
                  ContainerRole::kInit, status, "initContainerStatuses");
    AddContainers(out, typed.spec.containers, Member(spec, "containers"), pointer + "/spec/containers/",
                  ContainerRole::kMain, status, "containerStatuses");
    if (const json& ephemeral = Member(spec, "ephemeralContainers"); ephemeral.is_array()) {
      // Of the same fields as any container.
      const Pod as_pod = ReadPod({{"spec", {{"containers", ephemeral}}}});
      AddContainers(out, as_pod.spec.containers, ephemeral, pointer + "/spec/ephemeralContainers/",
                    ContainerRole::kEphemeral, status, "ephemeralContainerStatuses");
    }
    if (out.containers.empty()) {
      return Refuse(out.line, fmt::format("{} {}: spec.containers: Required value", out.kind, base::Quote(out.name)));
    }
    load_.templates.push_back(std::move(out));
  }

  void AddContainers(PodTemplate& out, const std::vector<Container>& typed, const json& list,
                     const std::string& pointer, ContainerRole role, const json& status, const char* statuses) {
    for (size_t i = 0; i < typed.size(); ++i) {
      const bool is_sidecar = role == ContainerRole::kInit && StringOr(list.at(i), "restartPolicy") == "Always";
      out.containers.push_back({.role = is_sidecar ? ContainerRole::kSidecar : role,
                                .container = typed[i],
                                .runs_exec = HasExec(list.at(i)),
                                .id = IdOf(status, statuses, typed[i].name),
                                .line = LineOf(pointer + std::to_string(i))});
    }
  }

  // Misspelt fields are silently dropped by a kubelet: where they decide about the profile, that is worth a word.
  void CheckSecurity(const json& pod, const std::string& pointer) {
    const json object = {{"apiVersion", "v1"}, {"kind", "Pod"}, {"spec", Member(pod, "spec")}};
    const base::Document part = document_->Part(pointer);
    for (Diagnostic& diagnostic : CheckShape(part, object, PodSchema(), "Pod").diagnostics) {
      const bool unknown_or_wrong = diagnostic.severity == Severity::kError;
      if (!unknown_or_wrong || diagnostic.field.find("securityContext") == std::string::npos) continue;
      diagnostic.severity = Severity::kWarning;
      diagnostic.file = file_;
      load_.diagnostics.push_back(std::move(diagnostic));
    }
  }

  const std::string& file_;
  const base::Document* document_ = nullptr;
  WorkloadsLoad load_;
};

bool IsWord(std::string_view text, size_t least, size_t most) {
  return text.size() >= least && text.size() <= most &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

bool IsNumber(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string_view ContainerRoleName(ContainerRole role) {
  switch (role) {
    case ContainerRole::kInit:
      return "init container";
    case ContainerRole::kSidecar:
      return "sidecar";
    case ContainerRole::kMain:
      return "container";
    case ContainerRole::kEphemeral:
      return "ephemeral container";
  }
  return "";
}

WorkloadsLoad LoadWorkloads(std::string_view text, const std::string& file) { return Loader(file).Load(text); }

bool MayBePodOf(const PodTemplate& object, std::string_view pod_name) {
  // What a generated name ends in; a hash of a template has up to ten characters.
  constexpr size_t kSuffix = 5;
  constexpr size_t kHash = 10;
  if (!pod_name.starts_with(object.name)) return false;
  std::string_view rest = pod_name.substr(object.name.size());
  if (rest.empty()) return object.kind == "Pod";
  // generateName ends in a dash itself.
  if (!object.name.ends_with('-')) {
    if (!rest.starts_with('-')) return false;
    rest.remove_prefix(1);
  }
  if (object.kind == "Pod") return !rest.empty();
  const size_t dash = rest.find('-');
  const std::string_view first = rest.substr(0, dash);
  const std::string_view second = dash == std::string_view::npos ? "" : rest.substr(dash + 1);
  if (object.kind == "StatefulSet") return IsNumber(rest);
  if (object.kind == "Deployment") return IsWord(first, 1, kHash) && IsWord(second, kSuffix, kSuffix);
  if (object.kind == "CronJob") return IsNumber(first) && IsWord(second, kSuffix, kSuffix);
  if (object.kind == "Job" && IsNumber(first) && IsWord(second, kSuffix, kSuffix)) return true;  // indexed
  const bool known = object.kind == "DaemonSet" || object.kind == "ReplicaSet" || object.kind == "Job" ||
                     object.kind == "ReplicationController" || object.kind == "PodTemplate";
  if (known) return IsWord(rest, kSuffix, kSuffix);
  return true;  // a kind of its own: any name that begins so
}

}  // namespace portcullis::k8s
