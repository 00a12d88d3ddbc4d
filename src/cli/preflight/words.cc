#include "cli/preflight/words.h"

#include <algorithm>
#include <array>

#include "base/clock.h"
#include "base/strings.h"
#include "cli/preflight/reports.h"
#include "engine/seccomp/capabilities.h"

namespace portcullis::cli {
namespace {

using insight::Effect;
using insight::Verdict;

std::string ShellWord(const std::string& word) {
  const bool plain = !word.empty() && std::ranges::all_of(word, [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("-_./:@,+=").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// As --caps takes it.
std::string CapsText(const std::vector<std::string>& bounding) {
  if (bounding.empty()) return "none";
  std::vector<std::string> words;
  const auto all = seccomp::DockerDefaultCapabilities();
  const auto has = [&](const std::string& name) { return std::ranges::find(bounding, name) != bounding.end(); };
  const bool has_default = std::ranges::all_of(all, has);
  if (has_default) words.emplace_back("default");
  for (const std::string& name : bounding) {
    if (!has_default || std::ranges::find(all, name) == all.end()) words.push_back(name);
  }
  return base::Join(words, ",");
}

std::string Plural(uint64_t count, const char* word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

std::string ProfileCommand(const insight::Report& report, const insight::ContainerVerdict& verdict,
                           const std::string& flag) {
  const insight::Subject& subject = report.subjects[verdict.subject];
  const insight::Target& target = report.scenarios[verdict.scenario].after;
  std::string command = "portcullis profile from-evidence" + flag + " --base " + ShellWord(target.name);
  if (!subject.pod.empty()) command += " --container " + ShellWord(NameOf(subject));
  if (const std::string caps = CapsText(verdict.bounding); caps != "default") command += " --caps " + caps;
  command += " --kernel " + seccomp::ToString(target.kernel);
  for (const std::string& trace : verdict.traces) command += " " + ShellWord(trace);
  return command;
}

}  // namespace

int ExitCodeOf(Verdict worst) {
  if (worst == Verdict::kBreaks) return kExitBreaks;
  return worst == Verdict::kIncomplete ? kExitIncomplete : 0;
}

std::string SummaryText(const insight::Report& report, size_t scenario) {
  constexpr std::array<Verdict, 5> kOrder = {Verdict::kBreaks, Verdict::kIncomplete, Verdict::kTolerated,
                                             Verdict::kSafe, Verdict::kNotAffected};
  std::vector<std::string> parts;
  size_t all = 0;
  for (const Verdict verdict : kOrder) {
    const auto count = std::ranges::count_if(report.verdicts, [&](const insight::ContainerVerdict& one) {
      return one.scenario == scenario && one.verdict == verdict;
    });
    all += static_cast<size_t>(count);
    if (count > 0) parts.push_back(fmt::format("{} {}", count, NameOf(verdict)));
  }
  return Plural(all, "container") + (parts.empty() ? "" : ": " + base::Join(parts, ", "));
}

std::string FindingTitle(const insight::Finding& finding) {
  std::string calls = base::Join(finding.calls, ", ");
  if (finding.arch != "x86_64" && finding.arch != "aarch64") calls += " (" + finding.arch + ")";
  return calls + (finding.judgement.certain ? ": " : ": may be ") + finding.decided;
}

std::string CallerText(const insight::Caller& caller) {
  std::string text = "by " + (caller.executable.empty() ? caller.comm : caller.executable);
  if (text == "by ") text = "by an unknown program";
  if (!caller.facts.location.empty()) {
    text += " (" + caller.facts.location;
    text += (caller.facts.symbol.empty() ? "" : ": " + caller.facts.symbol) + ")";
  } else if (caller.facts.address != 0) {
    text += fmt::format(" (at 0x{:x})", caller.facts.address);
  }
  if (caller.phase != insight::Phase::kUnknown) text += ", " + std::string(NameOf(caller.phase));
  if (caller.facts.count > 0) text += ", " + Plural(caller.facts.count, "time");
  if (caller.error != 0) text += ", gave " + seccomp::ErrnoName(static_cast<uint32_t>(caller.error));
  if (caller.facts.last != 0) text += ", last " + base::FormatRfc3339(caller.facts.last);
  return text;
}

std::string RemedyText(const insight::Finding& finding) {
  const insight::Remedy& remedy = finding.remedy;
  std::vector<std::string> parts;
  if (!remedy.text.empty() && remedy.text != "Nothing.") parts.push_back(remedy.text);
  if (!remedy.delta_entry.empty())
    parts.push_back("Smallest profile that lets it through: the default and " + remedy.delta_entry + ".");
  if (!remedy.capabilities.empty()) {
    parts.push_back("The default profile itself allows it with " + base::Join(remedy.capabilities, " or ") + ".");
  }
  return base::Join(parts, " ");
}

std::string RemedyCommand(const insight::Report& report, const insight::ContainerVerdict& verdict) {
  const bool needs = std::ranges::any_of(verdict.findings, [](const insight::Finding& finding) {
    return finding.remedy.kind == insight::RemedyKind::kDelta && finding.judgement.effect == Effect::kBreaks;
  });
  return needs ? ProfileCommand(report, verdict, "") : "";
}

std::string DeniedCommand(const insight::Report& report, const insight::ContainerVerdict& verdict) {
  const bool needs = std::ranges::any_of(verdict.findings, [](const insight::Finding& finding) {
    return finding.remedy.kind == insight::RemedyKind::kDelta;
  });
  return needs ? ProfileCommand(report, verdict, " --denied") : "";
}

std::string PlaceText(const insight::Subject& subject) {
  if (subject.file.empty()) return "";
  return subject.line == 0 ? subject.file : fmt::format("{}:{}", subject.file, subject.line);
}

std::string CoverageText(const insight::ContainerVerdict& verdict) {
  const insight::Coverage& coverage = verdict.coverage;
  if (coverage.traces == 0) return "no evidence";
  std::string text = fmt::format("{} ({} different) in {}", Plural(coverage.calls, "call"), coverage.distinct,
                                 Plural(coverage.traces, "trace"));
  if (coverage.first != 0 && coverage.last > coverage.first) {
    const auto seconds = std::chrono::seconds((coverage.last - coverage.first) / 1'000'000'000);
    text += ", " + base::FormatGoDuration(seconds);
  }
  std::vector<std::string> phases;
  phases.reserve(coverage.phases.size());
  for (const insight::Phase phase : coverage.phases) phases.emplace_back(NameOf(phase));
  return text + (phases.empty() ? "" : ", phases " + base::Join(phases, ", "));
}

}  // namespace portcullis::cli
