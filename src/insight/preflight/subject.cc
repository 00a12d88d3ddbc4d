#include "insight/preflight/subject.h"

#include "spec/k8s/seccomp_profile.h"

namespace portcullis::insight {
namespace {

// Better than any match by names, which weigh their length.
constexpr int kById = 1 << 20;
constexpr int kByExactName = 1 << 16;

bool Differ(const std::string& a, const std::string& b) { return !a.empty() && !b.empty() && a != b; }

}  // namespace

std::string NameOf(const Subject& subject) {
  if (subject.pod.empty()) return subject.container;
  std::string name = subject.pod_namespace.empty() ? "" : subject.pod_namespace + "/";
  name += subject.pod;
  return subject.container.empty() ? name : name + "/" + subject.container;
}

std::string TitleOf(const Subject& subject) {
  if (subject.kind.empty() && subject.pod.empty()) return "command " + NameOf(subject);
  return (subject.kind.empty() ? "" : subject.kind + " ") + NameOf(subject);
}

std::vector<Subject> SubjectsOf(const k8s::PodTemplate& object, Diagnostics& diagnostics) {
  std::vector<Subject> subjects;
  for (const k8s::TemplateContainer& one : object.containers) {
    Subject subject{.kind = object.kind,
                    .pod_namespace = object.name_space,
                    .pod = object.name,
                    .container = one.container.name,
                    .pod_uid = object.uid,
                    .container_id = one.id,
                    .role = one.role,
                    .runs_exec = one.runs_exec,
                    .file = object.file,
                    .line = one.line,
                    .capabilities = {},
                    .bounding = std::nullopt,
                    .privileged = one.container.privileged(),
                    .windows = object.spec.os_name == "windows",
                    .declared = k8s::DeclaredProfile(object.spec, one.container),
                    .decided_by = "",
                    .node_decides = false,
                    .asks_default = false};
    if (one.container.security_context && one.container.security_context->capabilities) {
      const k8s::Capabilities& capabilities = *one.container.security_context->capabilities;
      subject.capabilities = {.add = capabilities.add, .drop = capabilities.drop};
    }
    const auto profile = k8s::ResolveSeccompProfile(object.spec, one.container, {.seccomp_default = true});
    if (!profile) {
      diagnostics.push_back({.severity = Severity::kError,
                             .file = object.file,
                             .line = one.line,
                             .column = 0,
                             .field = TitleOf(subject),
                             .message = profile.error().message,
                             .hint = ""});
      continue;
    }
    subject.decided_by = k8s::DecidedByName(profile->decided_by);
    subject.node_decides = profile->decided_by == k8s::DecidedBy::kNodeDefault;
    subject.asks_default = !subject.node_decides && profile->type == k8s::SeccompType::kRuntimeDefault;
    subjects.push_back(std::move(subject));
  }
  return subjects;
}

Subject SubjectOf(const Workload& workload) {
  Subject subject{.pod_namespace = workload.pod_namespace,
                  .pod = workload.pod,
                  .container = workload.container,
                  .pod_uid = workload.pod_uid,
                  .container_id = workload.container_id,
                  .decided_by = "node default"};
  if (!subject.container.empty() || !subject.pod.empty()) return subject;
  if (!workload.container_id.empty()) {
    constexpr size_t kShortId = 13;
    subject.container = workload.container_id.substr(0, kShortId);
  } else {
    subject.container = workload.command.empty() ? "(processes of unknown containers)" : workload.command;
  }
  return subject;
}

int MatchOf(const Subject& subject, const Workload& workload) {
  if (!workload.container_id.empty() && workload.container_id == subject.container_id) return kById;
  if (workload.pod.empty() || Differ(subject.pod_namespace, workload.pod_namespace)) return 0;
  if (workload.container.empty() || workload.container != subject.container) return 0;
  if (!workload.pod_uid.empty() && workload.pod_uid == subject.pod_uid) return kById - 1;
  if (workload.pod == subject.pod) return kByExactName;  // also `--as`, which names the object
  if (subject.kind.empty()) return 0;
  k8s::PodTemplate object;
  object.kind = subject.kind;
  object.name = subject.pod;
  if (!k8s::MayBePodOf(object, workload.pod)) return 0;
  // A static pod may be called anything that goes on; a pattern of another kind says more.
  return 2 * static_cast<int>(subject.pod.size()) + (subject.kind == "Pod" ? 0 : 1);
}

}  // namespace portcullis::insight
