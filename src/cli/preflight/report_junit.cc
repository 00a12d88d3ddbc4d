#include "cli/output/markup.h"
#include "cli/preflight/reports.h"
#include "cli/preflight/words.h"

namespace portcullis::cli {
namespace {

using insight::Effect;
using insight::Verdict;

std::string Attribute(const char* name, const std::string& value) {
  return fmt::format(" {}=\"{}\"", name, EscapeMarkup(value));
}

std::string Details(const insight::Report& report, const insight::ContainerVerdict& verdict) {
  std::string text;
  for (const insight::Finding& finding : verdict.findings) {
    if (finding.judgement.effect == Effect::kNone) continue;
    text += std::string(NameOf(finding.judgement.effect)) + ": " + FindingTitle(finding) + "\n";
    for (const insight::Caller& caller : finding.callers) text += "  " + CallerText(caller) + "\n";
    text += "  " + finding.judgement.why + "\n";
    if (const std::string remedy = RemedyText(finding); !remedy.empty()) text += "  -> " + remedy + "\n";
  }
  for (const insight::Gap& gap : verdict.gaps) text += "missing: " + gap.what + ". To close it: " + gap.remedy + "\n";
  if (const std::string command = RemedyCommand(report, verdict); !command.empty())
    text += "profile: " + command + "\n";
  return EscapeMarkup(text);
}

std::string CaseOf(const insight::Report& report, const insight::ContainerVerdict& verdict) {
  const insight::Subject& subject = report.subjects[verdict.subject];
  const std::string group = subject.pod.empty() ? "commands" : subject.pod_namespace + "." + subject.pod;
  std::string out = "    <testcase" + Attribute("classname", group) + Attribute("name", subject.container);
  if (!subject.file.empty()) out += Attribute("file", subject.file) + Attribute("line", std::to_string(subject.line));
  const std::string name(NameOf(verdict.verdict));
  switch (verdict.verdict) {
    case Verdict::kSafe:
      return out + "/>\n";
    case Verdict::kNotAffected:
      return out + "><skipped" + Attribute("message", verdict.reason) + "/></testcase>\n";
    case Verdict::kTolerated:
      return out + "><system-out>" + Details(report, verdict) + "</system-out></testcase>\n";
    case Verdict::kIncomplete:
      return out + "><error" + Attribute("type", "incomplete") + Attribute("message", name) + ">" +
             Details(report, verdict) + "</error></testcase>\n";
    case Verdict::kBreaks:
      return out + "><failure" + Attribute("type", "breaks") + Attribute("message", name) + ">" +
             Details(report, verdict) + "</failure></testcase>\n";
  }
  return "";
}

struct Counts {
  size_t tests = 0;
  size_t failures = 0;
  size_t errors = 0;
  size_t skipped = 0;
};

std::string CountAttributes(const Counts& counts) {
  return Attribute("tests", std::to_string(counts.tests)) + Attribute("failures", std::to_string(counts.failures)) +
         Attribute("errors", std::to_string(counts.errors)) + Attribute("skipped", std::to_string(counts.skipped));
}

void Count(Verdict verdict, Counts& counts) {
  ++counts.tests;
  if (verdict == Verdict::kBreaks) ++counts.failures;
  if (verdict == Verdict::kIncomplete) ++counts.errors;
  if (verdict == Verdict::kNotAffected) ++counts.skipped;
}

}  // namespace

std::string ReportJunit(const insight::Report& report) {
  Counts all;
  std::string suites;
  for (size_t k = 0; k < report.scenarios.size(); ++k) {
    Counts counts;
    std::string cases;
    for (const insight::ContainerVerdict& one : report.verdicts) {
      if (one.scenario != k) continue;
      Count(one.verdict, counts);
      Count(one.verdict, all);
      cases += CaseOf(report, one);
    }
    suites += "  <testsuite" + Attribute("name", LabelOf(report.scenarios[k])) + CountAttributes(counts) + ">\n" +
              cases + "  </testsuite>\n";
  }
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" + Attribute("name", "portcullis preflight") +
         CountAttributes(all) + ">\n" + suites + "</testsuites>\n";
}

}  // namespace portcullis::cli
