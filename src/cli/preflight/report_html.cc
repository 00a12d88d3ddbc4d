#include <algorithm>
#include <cstddef>

#include "cli/output/markup.h"
#include "cli/preflight/reports.h"
#include "cli/preflight/words.h"

namespace portcullis::cli {
namespace {

using insight::Verdict;

constexpr std::string_view kHead = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Preflight: seccomp</title>
<style>
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --dim: #666; --bad: #b71c1c; --open: #8a5000; --good: #1b6e20; }
@media (prefers-color-scheme: dark) { :root { --dim: #a0a0a0; --bad: #ff8a80; --open: #ffb74d; --good: #81c784; } }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
code, pre { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { background: var(--soft); padding: .5rem; overflow-x: auto; white-space: pre-wrap; }
p, li { overflow-wrap: anywhere; }
.controls { display: flex; gap: .5rem; flex-wrap: wrap; align-items: center; margin: 1rem 0; }
.controls button[aria-pressed=false] { opacity: .45; text-decoration: line-through; }
button, input { font: inherit; padding: .2rem .6rem; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .4rem 0; padding: .4rem .7rem; }
summary { cursor: pointer; overflow-wrap: anywhere; } summary .place, .soft { color: var(--dim); font-size: .85em; }
.tag { display: inline-block; font-weight: 600; margin-right: .5em; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .15rem .9rem .15rem 0; }
thead th { border-bottom: 1px solid var(--line); } tbody th { font-weight: normal; overflow-wrap: anywhere; }
.breaks > summary .tag, .tag.breaks { color: var(--bad); } .incomplete > summary .tag, .tag.unknown, .tag.incomplete { color: var(--open); }
.safe > summary .tag, .tolerated > summary .tag, .tag.tolerated, .tag.safe { color: var(--good); }
.notAffected > summary .tag, .tag.none, .tag.notAffected { color: var(--dim); }
.finding { border-left: 3px solid var(--line); margin: .6rem 0; padding-left: .7rem; }
.finding ul { margin: .2rem 0; padding-left: 1.2rem; }
[hidden] { display: none; }
</style>
</head>
<body>
)html";

// Works without: all rows are in the page. With it, verdicts can be chosen and names searched.
constexpr std::string_view kScript = R"html(<script>
(() => {
  const rows = [...document.querySelectorAll('details.container')];
  const buttons = [...document.querySelectorAll('button[data-verdict]')];
  const search = document.querySelector('#search');
  const shown = document.querySelector('#shown');
  const apply = () => {
    const on = new Set(buttons.filter(b => b.getAttribute('aria-pressed') === 'true').map(b => b.dataset.verdict));
    const text = search.value.toLowerCase();
    let count = 0;
    for (const row of rows) {
      row.hidden = !on.has(row.dataset.verdict) || !row.textContent.toLowerCase().includes(text);
      if (!row.hidden) ++count;
    }
    shown.textContent = count + ' of ' + rows.length + ' shown';
  };
  for (const button of buttons) {
    button.addEventListener('click', () => {
      button.setAttribute('aria-pressed', button.getAttribute('aria-pressed') === 'true' ? 'false' : 'true');
      apply();
    });
  }
  search.addEventListener('input', apply);
  const wanted = new URLSearchParams(location.search + location.hash.replace('#', '&'));
  if (wanted.has('q')) search.value = wanted.get('q');
  apply();
})();
</script>
</body>
</html>
)html";

std::string Tag(std::string_view kind, std::string_view text) {
  return fmt::format("<span class=\"tag {}\">{}</span>", kind, EscapeMarkup(text));
}

std::string FindingHtml(const insight::Finding& finding) {
  const insight::Judgement& judgement = finding.judgement;
  std::string out = "<div class=\"finding\">" + Tag(NameOf(judgement.effect), NameOf(judgement.effect)) + " <code>" +
                    EscapeMarkup(FindingTitle(finding)) + "</code>\n<ul>";
  for (const insight::Caller& caller : finding.callers) out += "<li>" + EscapeMarkup(CallerText(caller)) + "</li>";
  out += "</ul>\n<p>" + EscapeMarkup(judgement.why);
  if (judgement.known != nullptr) {
    out += " <span class=\"soft\">" + EscapeMarkup(judgement.known->name);
    if (!judgement.known->see.empty()) out += ": " + EscapeMarkup(judgement.known->see);
    out += "</span>";
  }
  out += "</p>\n";
  if (const std::string remedy = RemedyText(finding); !remedy.empty())
    out += "<p>What to do: " + EscapeMarkup(remedy) + "</p>\n";
  return out + "</div>\n";
}

// With more than these the page would be too long to see what else there is.
constexpr size_t kMostOpen = 12;

std::string ContainerHtml(const insight::Report& report, const insight::ContainerVerdict& verdict) {
  const insight::Subject& subject = report.subjects[verdict.subject];
  const std::string id(IdOf(verdict.verdict));
  const bool is_open = verdict.verdict == Verdict::kBreaks && report.Count(Verdict::kBreaks) <= kMostOpen;
  std::string out =
      fmt::format("<details class=\"container {0}\" data-verdict=\"{0}\"{1}><summary>{2} {3}", id,
                  is_open ? " open" : "", Tag("", NameOf(verdict.verdict)), EscapeMarkup(TitleOf(subject)));
  if (const std::string place = PlaceText(subject); !place.empty()) {
    out += " <span class=\"place\">" + EscapeMarkup(place) + "</span>";
  }
  out += "</summary>\n<p>Profile: " + EscapeMarkup(verdict.before) + " &#8594; " + EscapeMarkup(verdict.after) + ".";
  if (!verdict.reason.empty()) {
    return out + " " + EscapeMarkup(verdict.reason) + ".</p>\n</details>\n";
  }
  out += " Seen: " + EscapeMarkup(CoverageText(verdict)) + ".</p>\n";
  for (const insight::Finding& finding : verdict.findings) out += FindingHtml(finding);
  for (const insight::Gap& gap : verdict.gaps) {
    out += "<p class=\"gap\">Missing: " + EscapeMarkup(gap.what) + ". To close it: " + EscapeMarkup(gap.remedy) +
           ".</p>\n";
  }
  if (const std::string command = RemedyCommand(report, verdict); !command.empty()) {
    out += "<p>The command that makes the profile:</p><pre>" + EscapeMarkup(command) + "</pre>\n";
  }
  return out + "</details>\n";
}

std::string Controls() {
  std::string out = "<div class=\"controls\">";
  for (const Verdict verdict :
       {Verdict::kBreaks, Verdict::kIncomplete, Verdict::kTolerated, Verdict::kSafe, Verdict::kNotAffected}) {
    out += fmt::format("<button type=\"button\" data-verdict=\"{}\" aria-pressed=\"true\">{}</button>", IdOf(verdict),
                       EscapeMarkup(NameOf(verdict)));
  }
  return out +
         "<input id=\"search\" type=\"search\" placeholder=\"find\" aria-label=\"find\"> <span "
         "id=\"shown\"></span></div>\n";
}

// "SAFE (denied but tolerated)" and NOT AFFECTED as well: it works.
bool Works(Verdict verdict) { return verdict != Verdict::kBreaks && verdict != Verdict::kIncomplete; }

std::string ShortName(Verdict verdict) {
  const std::string name(NameOf(verdict));
  return name.substr(0, name.find(" ("));
}

// Containers that work under some of the runtimes that were asked about and not under others, a column for each.
std::string OverviewHtml(const insight::Report& report) {
  const size_t columns = report.scenarios.size();
  if (columns < 2) return "";
  std::string rows;
  size_t count = 0;
  for (size_t first = 0; first + columns <= report.verdicts.size(); first += columns) {
    const auto begin = report.verdicts.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = begin + static_cast<std::ptrdiff_t>(columns);
    const auto alike = [&](const insight::ContainerVerdict& one) {
      return one.verdict == begin->verdict || (Works(one.verdict) && Works(begin->verdict));
    };
    if (std::all_of(begin, end, alike)) continue;
    ++count;
    rows += "<tr><th scope=\"row\">" + EscapeMarkup(TitleOf(report.subjects[begin->subject])) + "</th>";
    for (auto one = begin; one != end; ++one) {
      rows += "<td>" + Tag(IdOf(one->verdict), ShortName(one->verdict)) + "</td>";
    }
    rows += "</tr>\n";
  }
  if (count == 0) return "<p>No container works under one of these runtimes and not under another.</p>\n";
  std::string out =
      fmt::format("<details id=\"differs\"{}><summary>Different by runtime: {}</summary>\n<table><thead><tr>",
                  count <= kMostOpen ? " open" : "", count);
  out += "<th>container</th>";
  for (const insight::Scenario& scenario : report.scenarios) {
    out += "<th>" + EscapeMarkup(scenario.after.name) + "</th>";
  }
  return out + "</tr></thead><tbody>\n" + rows + "</tbody></table></details>\n";
}

}  // namespace

std::string ReportHtml(const insight::Report& report, const std::string& version) {
  std::string out(kHead);
  out += "<h1>Preflight: " + EscapeMarkup(NameOf(report.Worst())) + "</h1>\n" + OverviewHtml(report) + Controls();
  for (size_t k = 0; k < report.scenarios.size(); ++k) {
    out += "<h2>" + EscapeMarkup(LabelOf(report.scenarios[k])) + "</h2>\n<p>" + EscapeMarkup(SummaryText(report, k)) +
           "</p>\n";
    std::vector<const insight::ContainerVerdict*> verdicts;
    for (const insight::ContainerVerdict& one : report.verdicts) {
      if (one.scenario == k) verdicts.push_back(&one);
    }
    std::ranges::stable_sort(verdicts, [](const auto* a, const auto* b) { return a->verdict > b->verdict; });
    for (const insight::ContainerVerdict* one : verdicts) out += ContainerHtml(report, *one);
  }
  for (const std::string& name : report.unclaimed) {
    out += "<p>Not judged, since no manifest names it: " + EscapeMarkup(name) + "</p>\n";
  }
  out += "<p class=\"soft\">portcullis " + EscapeMarkup(version) + "</p>\n";
  return out.append(kScript);
}

}  // namespace portcullis::cli
