#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "spec/k8s/json_access.h"
#include "spec/k8s/pod_decode.h"
#include "spec/k8s/schema.h"

namespace portcullis::k8s {
namespace {

using nlohmann::json;

constexpr std::string_view kSeccompPodAnnotation = "seccomp.security.alpha.kubernetes.io/pod";
constexpr std::string_view kSeccompContainerAnnotation = "container.seccomp.security.alpha.kubernetes.io/";

// True when what the seccomp annotation is about has its own field, which then decides.
bool HasSeccompField(const json& spec, std::string_view annotation) {
  const auto has = [](const json& object) {
    return Member(Member(object, "securityContext"), "seccompProfile").is_object();
  };
  if (annotation == kSeccompPodAnnotation) return has(spec);
  annotation.remove_prefix(kSeccompContainerAnnotation.size());
  for (const char* list : {"initContainers", "containers"}) {
    const json& containers = Member(spec, list);
    if (!containers.is_array()) continue;
    for (const json& container : containers) {
      if (StringOr(container, "name") == annotation) return has(container);
    }
  }
  return false;
}

class SupportChecker {
 public:
  explicit SupportChecker(const base::Document& document) : document_(document) {}

  void Pod(const json& pod) {
    const FieldPath metadata = FieldPath{}.Child("metadata");
    for (const auto& [key, value] : StringMapOf(Member(pod, "metadata"), "annotations")) {
      const FieldPath here = metadata.Child("annotations").Key(key);
      const bool seccomp = key == kSeccompPodAnnotation || key.starts_with(kSeccompContainerAnnotation);
      if (seccomp && !HasSeccompField(Member(pod, "spec"), key)) {
        Report(Severity::kWarning, here, "non-functional in v1.27+; use the \"seccompProfile\" field instead");
      }
    }
    Spec(Member(pod, "spec"), FieldPath{}.Child("spec"));
  }

  Diagnostics Take() { return std::move(diagnostics_); }

 private:
  void Report(Severity severity, const FieldPath& path, std::string message) {
    if (diagnostics_.size() >= kMaxDiagnostics) return;
    const base::Position position = document_.Where(path.pointer);
    diagnostics_.push_back({.severity = severity,
                            .file = document_.file(),
                            .line = position.line,
                            .column = position.column,
                            .field = path.text,
                            .message = std::move(message),
                            .hint = ""});
  }

  void Spec(const json& spec, const FieldPath& path) {
    if (!BoolOr(spec, "hostUsers", true)) {
      Report(Severity::kError, path.Child("hostUsers"), "user namespaces are not supported yet");
    }
    const json& os = Member(spec, "os");
    if (const std::string name = StringOr(os, "name"); os.is_object() && name != "linux") {
      Report(Severity::kError, path.Child("os").Child("name"),
             fmt::format("this node runs linux pods only, not {}", base::Quote(name)));
    }
    if (StringOr(spec, "schedulerName", "default-scheduler") != "default-scheduler") {
      Report(Severity::kWarning, path.Child("schedulerName"), "has no effect: static pods are not scheduled");
    }
    const json& context = Member(spec, "securityContext");
    const FieldPath context_path = path.Child("securityContext");
    if (StringOr(context, "supplementalGroupsPolicy", "Merge") != "Merge") {
      Report(Severity::kError, context_path.Child("supplementalGroupsPolicy"),
             "only Merge is supported: groups of the image's /etc/group are added");
    }
    for (const char* list : {"initContainers", "containers"}) {
      const json& containers = Member(spec, list);
      if (!containers.is_array()) continue;
      for (size_t i = 0; i < containers.size(); ++i) Container(containers[i], path.Child(list).Index(i));
    }
    const json& volumes = Member(spec, "volumes");
    if (!volumes.is_array()) return;
    for (size_t i = 0; i < volumes.size(); ++i) Volume(volumes[i], path.Child("volumes").Index(i));
  }

  void Container(const json& container, const FieldPath& path) {
    for (const char* list : {"limits", "requests"}) {
      const json& resources = Member(Member(container, "resources"), list);
      if (!resources.is_object()) continue;
      for (const auto& [name, amount] : resources.items()) {
        if (name == "cpu" || name == "memory") continue;
        const FieldPath here = path.Child("resources").Child(list).Key(name);
        if (name == "ephemeral-storage") {
          Report(Severity::kWarning, here, "is not enforced: disk use of containers is not limited");
        } else {
          Report(Severity::kError, here, "this resource is not supported here (cpu and memory are)");
        }
      }
    }
    const json& variables = Member(container, "env");
    for (size_t i = 0; variables.is_array() && i < variables.size(); ++i) {
      Variable(variables[i], path.Child("env").Index(i));
    }
    const json& sources = Member(container, "envFrom");
    for (size_t i = 0; sources.is_array() && i < sources.size(); ++i) {
      EnvFrom(sources[i], path.Child("envFrom").Index(i));
    }
    const json& mounts = Member(container, "volumeMounts");
    if (!mounts.is_array()) return;
    for (size_t i = 0; i < mounts.size(); ++i) {
      const std::string value = StringOr(mounts[i], "recursiveReadOnly", "Disabled");
      if (value == "Disabled") continue;
      const bool if_possible = value == "IfPossible";
      Report(if_possible ? Severity::kWarning : Severity::kError,
             path.Child("volumeMounts").Index(i).Child("recursiveReadOnly"),
             if_possible ? "is not possible here: mounts below the volume stay writable" : "is not supported here");
    }
  }

  void Variable(const json& variable, const FieldPath& path) {
    const json& source = Member(variable, "valueFrom");
    if (!source.is_object()) return;
    const FieldPath here = path.Child("valueFrom");
    if (!StringOr(variable, "value").empty()) {
      Report(Severity::kError, here, "Invalid value: \"\": may not be specified when `value` is not empty");
    }
    if (source.empty()) {
      Report(Severity::kError, here,
             "Invalid value: \"\": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or "
             "`secretKeyRef`");
    } else if (source.size() > 1) {
      Report(Severity::kError, here, "Invalid value: \"\": may not have more than one field specified at a time");
    }
  }

  void EnvFrom(const json& source, const FieldPath& path) {
    const bool config_map = Member(source, "configMapRef").is_object();
    const bool secret = Member(source, "secretRef").is_object();
    if (!config_map && !secret) {
      Report(Severity::kError, path, "Invalid value: \"\": must specify one of: `configMapRef` or `secretRef`");
    } else if (config_map && secret) {
      Report(Severity::kError, path, "Invalid value: \"\": may not have more than one field specified at a time");
    }
  }

  void Volume(const json& volume, const FieldPath& path) {
    const size_t sources = volume.size() - (volume.contains("name") ? 1 : 0);
    if (sources > 1) Report(Severity::kError, path, "Forbidden: may not specify more than 1 volume type");
    const json& empty_dir = Member(volume, "emptyDir");
    const FieldPath here = path.Child("emptyDir");
    const std::string medium = StringOr(empty_dir, "medium");
    if (medium.starts_with("HugePages")) {
      Report(Severity::kError, here.Child("medium"), "huge pages are not supported here");
    }
    if (medium.empty() && !Member(empty_dir, "sizeLimit").is_null()) {
      Report(Severity::kWarning, here.Child("sizeLimit"), "is enforced for medium Memory only");
    }
  }

  const base::Document& document_;
  Diagnostics diagnostics_;
};

}  // namespace

Diagnostics CheckSupportedValues(const base::Document& document, const json& pod) {
  SupportChecker checker(document);
  checker.Pod(pod);
  return checker.Take();
}

}  // namespace portcullis::k8s
