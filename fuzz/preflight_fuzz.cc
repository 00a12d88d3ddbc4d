// Manifests and traces from anyone, judged: nothing may crash or hang, every container gets one verdict a scenario, and
// a trace that lost something makes nobody safe. The input is a manifest, a line of only `%%%`, and a trace.
#include <cstdint>
#include <string_view>

#include "engine/seccomp/library.h"
#include "insight/evidence/trace_file.h"
#include "insight/preflight/preflight.h"
#include "require.h"

namespace {

const portcullis::insight::Target& Containerd() {
  using namespace portcullis;
  static const insight::Target target = [] {
    auto found = seccomp::FindDefaultProfile("containerd").value();
    return insight::Target{.name = "containerd", .profile = found.profile, .flavour = found.flavour, .kernel = {6, 1}};
  }();
  return target;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace portcullis;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t middle = text.find("\n%%%\n");
  const k8s::WorkloadsLoad load = k8s::LoadWorkloads(text.substr(0, middle), "fuzz.yaml");
  Diagnostics diagnostics;
  insight::Question question{.scenarios = {{.after = Containerd(), .before = std::nullopt}}};
  for (const k8s::PodTemplate& object : load.templates) {
    for (insight::Subject& one : insight::SubjectsOf(object, diagnostics)) question.subjects.push_back(std::move(one));
  }
  bool complete = true;
  if (middle != std::string_view::npos) {
    auto evidence = insight::ParseTrace(text.substr(middle + 5), "fuzz.jsonl");
    if (!evidence) return 0;
    complete = evidence->IsComplete();
    question.traces.push_back({"fuzz.jsonl", *std::move(evidence), std::nullopt});
  }
  const auto report = insight::Preflight(std::move(question));
  if (!report) return 0;
  Require(report->verdicts.size() == report->subjects.size());
  for (const insight::ContainerVerdict& one : report->verdicts) {
    const bool safe = one.verdict == insight::Verdict::kSafe || one.verdict == insight::Verdict::kTolerated;
    Require(!safe || (complete && one.coverage.traces > 0));
  }
  return 0;
}
