#include <algorithm>

#include "cli/output/markup.h"
#include "cli/preflight/reports.h"
#include "cli/preflight/words.h"

namespace portcullis::cli {
namespace {

using insight::Effect;
using insight::Verdict;

constexpr std::string_view kIndent = "    ";
constexpr std::string_view kDeeper = "      ";

std::string_view ColourOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kBreaks:
      return "\033[1;31m";
    case Verdict::kIncomplete:
      return "\033[1;33m";
    case Verdict::kTolerated:
    case Verdict::kSafe:
      return "\033[32m";
    case Verdict::kNotAffected:
      return "\033[2m";
  }
  return "";
}

class Printer {
 public:
  Printer(const insight::Report& report, const TextOptions& options) : report_(report), options_(options) {}

  std::string Print() {
    for (size_t k = 0; k < report_.scenarios.size(); ++k) {
      if (k > 0) out_ += "\n";
      out_ += ForTerminal(LabelOf(report_.scenarios[k])) + "\n" + SummaryText(report_, k) + "\n\n";
      std::vector<const insight::ContainerVerdict*> verdicts;
      for (const insight::ContainerVerdict& one : report_.verdicts) {
        if (one.scenario == k) verdicts.push_back(&one);
      }
      std::ranges::stable_sort(verdicts, [](const auto* a, const auto* b) { return a->verdict > b->verdict; });
      for (const insight::ContainerVerdict* one : verdicts) PrintVerdict(*one);
    }
    return std::move(out_);
  }

 private:
  void PrintVerdict(const insight::ContainerVerdict& verdict) {
    const insight::Subject& subject = report_.subjects[verdict.subject];
    const std::string name(NameOf(verdict.verdict));
    out_ += options_.colour ? std::string(ColourOf(verdict.verdict)) + name + "\033[0m" : name;
    out_ += "  " + ForTerminal(TitleOf(subject));
    if (const std::string place = PlaceText(subject); !place.empty()) out_ += "  " + ForTerminal(place);
    if (verdict.verdict == Verdict::kNotAffected) {
      out_ += "  " + ForTerminal(verdict.reason) + "\n";
      return;
    }
    out_ += "\n";
    if (options_.verbose || verdict.verdict != Verdict::kSafe) Line(kIndent, "seen: " + CoverageText(verdict));
    for (const insight::Finding& finding : verdict.findings) {
      if (finding.judgement.effect == Effect::kNone && !options_.verbose) continue;
      PrintFinding(finding);
    }
    for (const insight::Gap& gap : verdict.gaps) Line(kIndent, "missing: " + gap.what + ". To close it: " + gap.remedy);
    if (const std::string command = RemedyCommand(report_, verdict); !command.empty()) {
      out_ += std::string(kIndent) + "profile: " + ForTerminal(command) + "\n";
    }
  }

  void PrintFinding(const insight::Finding& finding) {
    Line(kIndent, std::string(NameOf(finding.judgement.effect)) + ": " + FindingTitle(finding));
    const size_t shown = options_.verbose ? finding.callers.size() : std::min<size_t>(finding.callers.size(), 2);
    for (size_t i = 0; i < shown; ++i) Line(kDeeper, CallerText(finding.callers[i]));
    if (shown < finding.callers.size()) Line(kDeeper, fmt::format("and {} more", finding.callers.size() - shown));
    std::string why = finding.judgement.why;
    if (finding.judgement.known != nullptr) {
      why += " [" + std::string(finding.judgement.known->name);
      if (!finding.judgement.known->see.empty()) why += "; " + std::string(finding.judgement.known->see);
      why += "]";
    }
    Line(kDeeper, why);
    if (const std::string remedy = RemedyText(finding); !remedy.empty()) Line(kDeeper, "-> " + remedy);
  }

  void Line(std::string_view indent, const std::string& text) {
    out_ += Wrapped(ForTerminal(text), indent, options_.columns);
  }

  const insight::Report& report_;
  const TextOptions& options_;
  std::string out_;
};

}  // namespace

std::string ReportText(const insight::Report& report, const TextOptions& options) {
  std::string text = Printer(report, options).Print();
  for (const std::string& name : report.unclaimed)
    text += "not judged (no manifest names it): " + ForTerminal(name) + "\n";
  return text;
}

}  // namespace portcullis::cli
