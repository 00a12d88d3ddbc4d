// Who is asked about: one container of a workload, with all that decides about its profile.
//
//   std::vector<Subject> subjects = SubjectsOf(pod_template, &diagnostics);        // spec/k8s/workloads.h
//   Subject command = SubjectOf(evidence.workloads()[3]);                          // that only a trace knows
//
// Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "insight/evidence/evidence.h"
#include "insight/preflight/target.h"
#include "spec/k8s/workloads.h"

namespace portcullis::insight {

struct Subject {
  std::string kind;  // "Deployment", "Pod"; "" where only the evidence knows it
  std::string pod_namespace;
  std::string pod;  // the object's name
  std::string container;
  std::string pod_uid;       // "" unless it runs
  std::string container_id;  // likewise
  k8s::ContainerRole role = k8s::ContainerRole::kMain;
  bool runs_exec = false;  // exec probes or hooks
  std::string file;        // of the manifest; "" where there is none
  int line = 0;

  Capabilities capabilities;
  std::optional<std::vector<std::string>> bounding;  // known exactly, of a running container; else from capabilities
  bool privileged = false;
  bool windows = false;
  std::string declared = "-";  // what the manifest says: "RuntimeDefault", "Localhost/x.json", "-"
  std::string decided_by;      // "container", "pod", "node default"
  bool node_decides = true;    // the manifest says nothing: the switch is about it
  bool asks_default = false;   // it says RuntimeDefault itself
};

// "Deployment default/web/nginx"; "command make test".
std::string TitleOf(const Subject& subject);
// "default/web/nginx"; the command.
std::string NameOf(const Subject& subject);

// Problems (an unknown profile type, no localhostProfile) are added to `diagnostics`; such a container is left out.
std::vector<Subject> SubjectsOf(const k8s::PodTemplate& object, Diagnostics& diagnostics);

// A command, or a container that no manifest names. It counts as one whose manifest says nothing about seccomp.
Subject SubjectOf(const Workload& workload);

// Is the workload's container the subject's? By container id or pod uid where both know them, else by names. A higher
// number is a better match; 0 is none.
int MatchOf(const Subject& subject, const Workload& workload);

}  // namespace portcullis::insight
