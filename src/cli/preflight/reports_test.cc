#include "cli/preflight/reports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/preflight/inputs.h"
#include "cli/preflight/words.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis::cli {
namespace {

using nlohmann::json;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr int64_t kSecond = 1'000'000'000;

// A program that means to get out of every form.
constexpr const char* kHostile = "/bin/</script><b>\"'&\x1b[2J\n\xff";

insight::Report Example() {
  Manifests manifests;
  AddManifestText(R"(kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - {name: breaks, image: i, securityContext: {capabilities: {add: [NET_ADMIN]}}}
      - {name: noise, image: i}
      - {name: silent, image: i}
      - {name: own, image: i, securityContext: {seccompProfile: {type: Unconfined}}}
)",
                  "app.yaml", manifests);
  EXPECT_TRUE(manifests.diagnostics.empty());
  insight::Evidence evidence;
  const auto add = [&](const std::string& container, std::string_view name, std::vector<insight::CallArgument> args,
                       const std::string& executable) {
    for (const insight::Phase phase : {insight::Phase::kInit, insight::Phase::kServing, insight::Phase::kShutdown}) {
      insight::Call call{.executable = executable,
                         .phase = phase,
                         .audit_arch = 0xc000003e,
                         .arguments = args,
                         .result = insight::CallResult::kAllowed};
      call.workload =
          evidence.AddWorkload({.pod_namespace = "default", .pod = "web-7d9f8b5c6d-x2x4z", .container = container});
      call.number = syscalls::NumberOf(syscalls::Arch::kX86_64, name).value();
      evidence.Add(call, {.count = 2, .first = kSecond, .last = 3600 * kSecond, .address = 0x1234, .location = ""});
    }
  };
  add("breaks", "keyctl", {}, kHostile);
  add("breaks", "socket", {{0, 40}}, "/usr/bin/socat");
  add("noise", "mbind", {}, "/usr/sbin/mysqld");
  insight::Question question{.subjects = manifests.subjects};
  auto target = ReadTarget("containerd@2.2.4", {.kernel = "6.1", .arch = "amd64", .oci_runtime = ""});
  EXPECT_TRUE(target) << target.error().message;
  question.scenarios.push_back({.after = *target, .before = std::nullopt});
  question.traces.push_back({"node 1.jsonl", evidence, std::nullopt});
  auto report = insight::Preflight(std::move(question));
  EXPECT_TRUE(report) << report.error().message;
  return *std::move(report);
}

TEST(ReportText, IsShortAndColouredOnlyWhenAsked) {
  const std::string text = ReportText(Example(), {});
  EXPECT_THAT(text,
              HasSubstr("containerd@2.2.4, kernel 6.1, amd64\n4 containers: 1 BREAKS, 1 UNKNOWN (evidence incomplete), "
                        "1 SAFE (denied but tolerated), 1 NOT AFFECTED\n"));
  EXPECT_THAT(text, HasSubstr("BREAKS  Deployment default/web/breaks  app.yaml:7\n"));
  EXPECT_THAT(text, HasSubstr("socket(AF_VSOCK): EPERM by the default action"));
  EXPECT_THAT(text, HasSubstr("NOT AFFECTED  Deployment default/web/own  app.yaml:10  its manifest names Unconfined"));
  EXPECT_THAT(
      text,
      HasSubstr("profile: portcullis profile from-evidence --base containerd@2.2.4 --container default/web/breaks "
                "--caps default,CAP_NET_ADMIN --kernel 6.1 'node 1.jsonl'\n"));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_LT(text.find("BREAKS  "), text.find("SAFE (denied but tolerated)  "));
  const std::string coloured = ReportText(Example(), {.colour = true});
  EXPECT_THAT(coloured, HasSubstr("\033[1;31mBREAKS\033[0m"));
  EXPECT_THAT(coloured, Not(HasSubstr("\x1b[2J")));
}

TEST(ReportJson, SaysAll) {
  const json report = json::parse(ReportJson(Example()).dump(-1, ' ', false, json::error_handler_t::replace));
  EXPECT_EQ(report["portcullisPreflight"], 1);
  EXPECT_EQ(report["worst"], "breaks");
  EXPECT_EQ(report["exitCode"], 1);
  EXPECT_EQ(report["scenarios"][0]["verdicts"],
            json::parse(R"({"breaks":1,"tolerated":1,"incomplete":1,"notAffected":1})"));
  ASSERT_EQ(report["containers"].size(), 4u);
  const json& first = report["containers"][0];
  EXPECT_EQ(first["name"], "default/web/breaks");
  EXPECT_EQ(first["line"], 7);
  EXPECT_EQ(first["before"], "Unconfined");
  EXPECT_EQ(first["after"], "RuntimeDefault (containerd@2.2.4)");
  std::set<std::string> calls;
  for (const json& finding : first["findings"]) {
    calls.insert(finding["syscall"].get<std::string>());
    EXPECT_EQ(finding["errno"], "EPERM");
    EXPECT_EQ(finding["effect"], "breaks");
    EXPECT_EQ(finding["count"], 6);
    EXPECT_EQ(finding["callers"].size(), 3u);
    EXPECT_EQ(finding["remedy"]["kind"], "delta");
  }
  EXPECT_EQ(calls, (std::set<std::string>{"keyctl", "socket"}));
  EXPECT_EQ(report["containers"][2]["missing"][0]["kind"], "noEvidence");
}

// The parts of OASIS' sarif-schema-2.1.0 that readers insist on.
TEST(ReportSarif, HasTheStructureOfTheStandard) {
  const json log = json::parse(ReportSarif(Example(), "1.2.3").dump(-1, ' ', false, json::error_handler_t::replace));
  EXPECT_EQ(log["version"], "2.1.0");
  EXPECT_THAT(log["$schema"].get<std::string>(), HasSubstr("sarif-2.1.0"));
  ASSERT_EQ(log["runs"].size(), 1u);
  const json& run = log["runs"][0];
  EXPECT_EQ(run["tool"]["driver"]["name"], "portcullis");
  EXPECT_EQ(run["tool"]["driver"]["version"], "1.2.3");
  std::set<std::string> rules;
  for (const json& rule : run["tool"]["driver"]["rules"]) {
    EXPECT_TRUE(rules.insert(rule["id"].get<std::string>()).second);
    EXPECT_TRUE(rule["shortDescription"]["text"].is_string());
  }
  std::map<std::string, int> levels;
  ASSERT_FALSE(run["results"].empty());
  for (const json& result : run["results"]) {
    EXPECT_TRUE(rules.contains(result["ruleId"].get<std::string>()));
    EXPECT_FALSE(result["message"]["text"].get<std::string>().empty());
    ++levels[result["level"].get<std::string>()];
    const json& place = result["locations"][0]["physicalLocation"];
    EXPECT_EQ(place["artifactLocation"]["uri"], "app.yaml");
    EXPECT_GE(place["region"]["startLine"], 1);
    EXPECT_THAT(result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"].get<std::string>(),
                HasSubstr("default/web/"));
    EXPECT_TRUE(result["partialFingerprints"]["portcullis/v1"].is_string());
  }
  EXPECT_EQ(levels, (std::map<std::string, int>{{"error", 2}, {"note", 1}, {"warning", 1}}));
}

TEST(ReportJunit, CountsAndEscapes) {
  const std::string text = ReportJunit(Example());
  EXPECT_THAT(
      text, HasSubstr("<testsuite name=\"containerd@2.2.4, kernel 6.1, amd64\" tests=\"4\" failures=\"1\" errors=\"1\" "
                      "skipped=\"1\">"));
  EXPECT_THAT(
      text,
      HasSubstr(
          "<testcase classname=\"default.web\" name=\"breaks\" file=\"app.yaml\" line=\"7\"><failure type=\"breaks\""));
  EXPECT_THAT(text,
              HasSubstr("name=\"own\" file=\"app.yaml\" line=\"10\"><skipped message=\"its manifest names Unconfined"));
  EXPECT_THAT(text, HasSubstr("&lt;/script&gt;&lt;b&gt;&quot;&#39;&amp;"));
  EXPECT_THAT(text, Not(HasSubstr("</script>")));
}

TEST(ReportHtml, NeedsNothingElseAndLetsNothingOut) {
  const std::string text = ReportHtml(Example(), "1.2.3");
  EXPECT_THAT(text, HasSubstr("<h1>Preflight: BREAKS</h1>"));
  EXPECT_THAT(text, HasSubstr("default-src 'none'"));
  EXPECT_THAT(text, Not(ContainsRegex("(src|href)=")));
  EXPECT_THAT(text, Not(HasSubstr("http:")));
  EXPECT_THAT(text, HasSubstr("&lt;/script&gt;&lt;b&gt;"));
  // The one script of the page itself.
  size_t ends = 0;
  for (size_t at = text.find("</script>"); at != std::string::npos; at = text.find("</script>", at + 1)) ++ends;
  EXPECT_EQ(ends, 1u);
}

TEST(ReportHtml, ShowsWhatDiffersBetweenRuntimes) {
  insight::Report report = Example();
  ASSERT_EQ(report.scenarios.size(), 1u);
  EXPECT_THAT(ReportHtml(report, "1"), Not(HasSubstr("by runtime")));
  // The same containers under a second runtime, where nothing breaks.
  report.scenarios.push_back(report.scenarios[0]);
  report.scenarios[1].after.name = "other@1";
  std::vector<insight::ContainerVerdict> both;
  for (const insight::ContainerVerdict& one : report.verdicts) {
    both.push_back(one);
    both.push_back(one);
    both.back().scenario = 1;
    if (one.verdict == insight::Verdict::kBreaks) both.back().verdict = insight::Verdict::kSafe;
  }
  report.verdicts = std::move(both);
  const std::string text = ReportHtml(report, "1");
  EXPECT_THAT(text, HasSubstr("<summary>Different by runtime: 1</summary>"));
  EXPECT_THAT(text, HasSubstr("<th>other@1</th></tr></thead>"));
  EXPECT_THAT(
      text,
      HasSubstr("<tr><th scope=\"row\">Deployment default/web/breaks</th><td><span class=\"tag breaks\">BREAKS</span>"
                "</td><td><span class=\"tag safe\">SAFE</span></td></tr>"));
  EXPECT_THAT(text, Not(HasSubstr("<th scope=\"row\">Deployment default/web/own")));
}

TEST(ExitCode, FollowsTheWorst) {
  EXPECT_EQ(ExitCodeOf(insight::Verdict::kNotAffected), 0);
  EXPECT_EQ(ExitCodeOf(insight::Verdict::kTolerated), 0);
  EXPECT_EQ(ExitCodeOf(insight::Verdict::kBreaks), 1);
  EXPECT_EQ(ExitCodeOf(insight::Verdict::kIncomplete), 3);
}

TEST(AddContainersOfRuntime, TellsWhatTheSwitchIsAbout) {
  Manifests manifests;
  AddContainersOfRuntime({{.pod = "default/web",
                           .container = "ours",
                           .id = "1",
                           .declared = "-",
                           .effective = "Unconfined",
                           .decided_by = "node default",
                           .bounding = std::vector<std::string>{"CAP_CHOWN"}},
                          {.pod = "default/web",
                           .container = "explicit",
                           .id = "2",
                           .declared = "Unconfined",
                           .effective = "Unconfined",
                           .decided_by = "pod"},
                          {.pod = "default/web",
                           .container = "asks",
                           .id = "3",
                           .declared = "RuntimeDefault",
                           .effective = "RuntimeDefault (containerd@2.2.4)",
                           .decided_by = "container"},
                          {.pod = "default/web",
                           .container = "foreign",
                           .id = "4",
                           .declared = kUnknown,
                           .effective = "Unconfined",
                           .decided_by = kUnknown},
                          {.pod = "default/web",
                           .container = "localhost",
                           .id = "5",
                           .declared = kUnknown,
                           .effective = "Localhost /p/a.json",
                           .decided_by = kUnknown,
                           .privileged = true}},
                         manifests);
  std::vector<std::string> told;
  for (const insight::Subject& one : manifests.subjects) {
    told.push_back(fmt::format("{} {}{}{}", TitleOf(one), one.node_decides ? "node" : one.declared,
                               one.asks_default ? " default" : "", one.privileged ? " privileged" : ""));
  }
  EXPECT_THAT(told, ElementsAre("Pod default/web/ours node", "Pod default/web/explicit Unconfined",
                                "Pod default/web/asks RuntimeDefault default", "Pod default/web/foreign node",
                                "Pod default/web/localhost Localhost /p/a.json privileged"));
  EXPECT_EQ(manifests.subjects[0].bounding, std::vector<std::string>{"CAP_CHOWN"});
  EXPECT_EQ(manifests.subjects[0].container_id, "1");
}

TEST(ReadTarget, NamesAndTheirErrors) {
  const TargetWords words{.kernel = "6.1", .arch = "amd64", .oci_runtime = ""};
  EXPECT_EQ(ReadTarget("crio@1.30", words)->name, "cri-o@1.30.14");
  EXPECT_EQ(ReadTarget("crio@1.30", words)->newer, filter::NewerSyscalls::kAsWritten);
  EXPECT_EQ(ReadTarget("containerd@2.2", words)->newer, filter::NewerSyscalls::kEnosys);
  TargetWords crun = words;
  crun.oci_runtime = "crun";
  EXPECT_EQ(ReadTarget("containerd@2.2", crun)->newer, filter::NewerSyscalls::kAsWritten);
  crun.oci_runtime = "kata";
  EXPECT_THAT(ReadTarget("containerd@2.2", crun).error().message, HasSubstr("--oci-runtime"));
  EXPECT_FALSE(ReadTarget("containerd@99", words));
  EXPECT_THAT(ParseContainerName("a/b", "--as").error().message, HasSubstr("--as: want NAMESPACE/POD/CONTAINER"));
}

}  // namespace
}  // namespace portcullis::cli
