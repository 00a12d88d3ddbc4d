#include <map>
#include <nlohmann/json.hpp>

#include "cli/output/sarif.h"
#include "cli/preflight/reports.h"
#include "cli/preflight/words.h"

namespace portcullis::cli {
namespace {

using insight::Effect;
using nlohmann::json;

constexpr const char* kUnknownCall = "denied-call";
constexpr const char* kIncomplete = "evidence-incomplete";

std::string_view LevelOf(Effect effect) {
  switch (effect) {
    case Effect::kBreaks:
      return "error";
    case Effect::kUnknown:
      return "warning";
    case Effect::kTolerated:
      return "note";
    case Effect::kNone:
      return "none";
  }
  return "none";
}

std::string Sentence(const std::string& text) { return text.ends_with('.') ? text : text + "."; }

class Log {
 public:
  explicit Log(const insight::Report& report) : report_(report) {}

  json Make(const std::string& version) {
    for (const insight::ContainerVerdict& verdict : report_.verdicts) {
      for (const insight::Finding& finding : verdict.findings) {
        if (finding.judgement.effect != Effect::kNone) AddFinding(verdict, finding);
      }
      for (const insight::Gap& gap : verdict.gaps) AddGap(verdict, gap);
    }
    json rules = json::array();
    for (auto& [id, rule] : rules_) rules.push_back(std::move(rule));
    return SarifLog(version, std::move(rules), std::move(results_));
  }

 private:
  void AddRule(const std::string& id, std::string_view about, std::string_view help) {
    if (rules_.contains(id)) return;
    json rule{{"id", id}, {"shortDescription", {{"text", about}}}};
    if (!help.empty() && help != "Nothing.") rule["help"] = {{"text", help}};
    rules_.emplace(id, std::move(rule));
  }

  void Add(const insight::ContainerVerdict& verdict, const std::string& rule, std::string_view level,
           const std::string& text, const std::string& fingerprint) {
    const insight::Subject& subject = report_.subjects[verdict.subject];
    const std::string label = LabelOf(report_.scenarios[verdict.scenario]);
    std::string file = subject.file;
    if (file.empty() && !verdict.traces.empty()) file = verdict.traces[0];
    json result{{"ruleId", rule},
                {"level", level},
                {"message", {{"text", TitleOf(subject) + " under " + label + ": " + text}}},
                {"partialFingerprints", {{"portcullis/v1", NameOf(subject) + "|" + label + "|" + fingerprint}}},
                {"properties", {{"verdict", IdOf(verdict.verdict)}, {"scenario", label}}}};
    if (!file.empty()) result["locations"] = json::array({SarifLocation(file, subject.line, NameOf(subject))});
    results_.push_back(std::move(result));
  }

  void AddFinding(const insight::ContainerVerdict& verdict, const insight::Finding& finding) {
    const insight::KnownCall* known = finding.judgement.known;
    const std::string rule(known == nullptr ? kUnknownCall : known->name);
    if (known == nullptr) {
      AddRule(rule, "A call that succeeded when it was recorded will be denied.", "");
    } else {
      AddRule(rule, known->about, known->remedy);
    }
    std::string text = Sentence(FindingTitle(finding)) + " " + Sentence(finding.judgement.why);
    for (const insight::Caller& caller : finding.callers) text += " Called " + CallerText(caller) + ".";
    if (const std::string remedy = RemedyText(finding); !remedy.empty()) text += " " + remedy;
    Add(verdict, rule, LevelOf(finding.judgement.effect), text, finding.arch + " " + finding.calls.front());
  }

  void AddGap(const insight::ContainerVerdict& verdict, const insight::Gap& gap) {
    AddRule(kIncomplete, "The evidence does not tell whether the container would keep working.", "");
    Add(verdict, kIncomplete, "warning", gap.what + ". To close it: " + Sentence(gap.remedy),
        std::string(NameOf(gap.kind)));
  }

  const insight::Report& report_;
  std::map<std::string, json> rules_;
  json results_ = json::array();
};

}  // namespace

json ReportSarif(const insight::Report& report, const std::string& version) { return Log(report).Make(version); }

}  // namespace portcullis::cli
