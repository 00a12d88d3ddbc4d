#include "insight/preflight/attribution.h"

#include <algorithm>
#include <map>

namespace portcullis::insight {
namespace {

// One, or the same container in several manifests. None where two others fit alike: nobody can tell whose it is.
std::vector<size_t> BestSubjects(const std::vector<Subject>& subjects, const Workload& workload) {
  int best = 0;
  std::vector<size_t> found;
  for (size_t s = 0; s < subjects.size(); ++s) {
    const int match = MatchOf(subjects[s], workload);
    if (match == 0 || match < best) continue;
    if (match > best) found.clear();
    best = match;
    found.push_back(s);
  }
  const bool one_container =
      std::ranges::all_of(found, [&](size_t s) { return TitleOf(subjects[s]) == TitleOf(subjects[found.front()]); });
  return one_container ? found : std::vector<size_t>{};
}

// The calls of each workload.
std::vector<std::vector<SeenCall>> ByWorkload(const Evidence& evidence, size_t trace) {
  std::vector<std::vector<SeenCall>> calls(evidence.workloads().size());
  for (const auto& [call, facts] : evidence.calls()) calls.at(call.workload).push_back({trace, &call, &facts});
  return calls;
}

}  // namespace

Attribution Attribute(const std::vector<Trace>& traces, bool judge_unclaimed, std::vector<Subject>& subjects) {
  Attribution out;
  out.calls.resize(subjects.size());
  out.traces.resize(subjects.size());
  std::map<std::string, size_t> own;  // titles of what fits no subject
  for (size_t t = 0; t < traces.size(); ++t) {
    const std::vector<std::vector<SeenCall>> calls = ByWorkload(traces[t].evidence, t);
    const auto give = [&](size_t subject, size_t workload) {
      out.traces[subject].insert(t);
      out.calls[subject].insert(out.calls[subject].end(), calls[workload].begin(), calls[workload].end());
    };
    for (size_t w = 0; w < calls.size(); ++w) {
      Workload workload = traces[t].evidence.workloads()[w];
      if (traces[t].as && workload.pod.empty()) workload = *traces[t].as;
      const std::vector<size_t> best = BestSubjects(subjects, workload);
      for (const size_t subject : best) give(subject, w);
      if (!best.empty()) continue;
      const Subject subject = SubjectOf(workload);
      const std::string title = TitleOf(subject);
      const auto [known, is_new] = own.emplace(title, subjects.size());
      if (!judge_unclaimed) {
        if (is_new) out.unclaimed.push_back(title);
        continue;
      }
      if (is_new) {
        subjects.push_back(subject);
        out.calls.emplace_back();
        out.traces.emplace_back();
      }
      give(known->second, w);
    }
  }
  return out;
}

}  // namespace portcullis::insight
