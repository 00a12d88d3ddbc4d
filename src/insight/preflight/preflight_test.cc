#include "insight/preflight/preflight.h"

#include <gmock/gmock.h>

#include <cerrno>

#include "insight/preflight/test_targets.h"

namespace portcullis::insight {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000'000;

std::vector<Subject> FromManifest(const std::string& text) {
  const k8s::WorkloadsLoad load = k8s::LoadWorkloads(text, "app.yaml");
  Diagnostics diagnostics = load.diagnostics;
  std::vector<Subject> subjects;
  for (const auto& object : load.templates) {
    for (Subject& subject : SubjectsOf(object, diagnostics)) subjects.push_back(std::move(subject));
  }
  EXPECT_TRUE(diagnostics.empty()) << FormatDiagnostic(diagnostics[0]);
  return subjects;
}

constexpr const char* kWeb = R"(
kind: Deployment
metadata: {name: web}
spec: {template: {spec: {containers: [{name: nginx, image: i}]}}}
)";

// A whole life of one container: everything but what a case is about.
Evidence Life(const Workload& workload, std::vector<Call> calls = {}) {
  Evidence evidence;
  evidence.source = "ebpf";
  const size_t index = evidence.AddWorkload(workload);
  for (const Phase phase : {Phase::kInit, Phase::kServing, Phase::kShutdown}) {
    Call call = CallOf("read");
    call.workload = index;
    call.phase = phase;
    evidence.Add(call, {.count = 10, .first = kSecond, .last = 3600 * kSecond});
  }
  for (Call& call : calls) {
    call.workload = index;
    evidence.Add(call, {.count = 1, .first = 2 * kSecond, .last = 2 * kSecond});
  }
  return evidence;
}

const Workload kWebPod{.pod_namespace = "default", .pod = "web-7d9f8b5c6d-x2x4z", .container = "nginx"};

Report Ask(std::vector<Subject> subjects, std::vector<Evidence> traces,
           const std::string& target = "containerd@2.2.4") {
  Question question{.subjects = std::move(subjects),
                    .scenarios = {{.after = TargetOf(target), .before = std::nullopt}}};
  for (Evidence& evidence : traces) question.traces.push_back({"t.jsonl", std::move(evidence), std::nullopt});
  auto report = Preflight(std::move(question));
  EXPECT_TRUE(report) << report.error().message;
  return report.value_or(Report{});
}

std::vector<std::string> GapsOf(const ContainerVerdict& verdict) {
  std::vector<std::string> names;
  for (const Gap& gap : verdict.gaps) names.emplace_back(NameOf(gap.kind));
  return names;
}

TEST(Preflight, VerdictsOfOneContainer) {
  const struct {
    std::vector<Call> calls;
    Verdict want;
  } kCases[] = {
      {{}, Verdict::kSafe},
      {{CallOf("mount", {}, CallResult::kErrno, EPERM)}, Verdict::kSafe},
      {{CallOf("mbind", {}, CallResult::kAllowed, 0, "/usr/sbin/mysqld")}, Verdict::kTolerated},
      {{CallOf("socket")}, Verdict::kIncomplete},
      {{CallOf("socket"), CallOf("keyctl")}, Verdict::kBreaks},
  };
  for (const auto& c : kCases) {
    const Report report = Ask(FromManifest(kWeb), {Life(kWebPod, c.calls)});
    ASSERT_EQ(report.verdicts.size(), 1u);
    EXPECT_EQ(report.Worst(), c.want) << NameOf(report.Worst());
  }
}

TEST(Preflight, SourcesThatLostEventsAreNeverSafe) {
  for (const int what : {0, 1, 2, 3, 4}) {
    Evidence evidence = Life(kWebPod);
    if (what == 0) evidence.completeness.losses.push_back({"recorder", 5, "full"});
    if (what == 1) evidence.completeness.cut_off = true;
    if (what == 2) evidence.completeness.unseen.insert(std::string(unseen::kDenials));
    if (what == 3) evidence.completeness.unseen.insert("something new");
    if (what == 4) evidence.completeness.unseen.insert(std::string(unseen::kKills) + ": no records can be had");
    const Report report = Ask(FromManifest(kWeb), {evidence});
    EXPECT_EQ(report.Worst(), Verdict::kIncomplete) << what;
    EXPECT_THAT(GapsOf(report.verdicts[0]), ElementsAre(what < 2 ? "losses" : what == 3 ? "unseen" : "denials"));
  }
  // What says nothing about an answer does not matter; the rest can be accepted, if it is no loss.
  Evidence strace = Life(kWebPod);
  strace.completeness.unseen = {"whether EPERM and ENOSYS are a filter's answer or the kernel's own", "executables",
                                std::string(unseen::kOnlyLogged) + ": no records can be had"};
  EXPECT_EQ(Ask(FromManifest(kWeb), {strace}).Worst(), Verdict::kSafe);
  strace.completeness.unseen.insert(std::string(unseen::kBeforeTheStart));
  EXPECT_THAT(GapsOf(Ask(FromManifest(kWeb), {strace}).verdicts[0]), ElementsAre("phases"));
  // Two traces: what one of them can see is seen; what one of them lost is lost.
  Evidence blind = Life(kWebPod);
  blind.completeness.unseen.insert(std::string(unseen::kDenials));
  EXPECT_EQ(Ask(FromManifest(kWeb), {blind, Life(kWebPod)}).Worst(), Verdict::kSafe);
  blind.completeness.losses.push_back({"recorder", 5, "full"});
  EXPECT_EQ(Ask(FromManifest(kWeb), {blind, Life(kWebPod)}).Worst(), Verdict::kIncomplete);
}

TEST(Preflight, TellsWhatIsMissing) {
  Evidence none;
  EXPECT_THAT(GapsOf(Ask(FromManifest(kWeb), {none}).verdicts[0]), ElementsAre("noEvidence"));

  Evidence brief;
  const size_t index = brief.AddWorkload(kWebPod);
  Call call = CallOf("read");
  call.workload = index;
  call.phase = Phase::kInit;
  brief.Add(call, {.count = 1, .first = kSecond, .last = 61 * kSecond});
  const Report report = Ask(FromManifest(kWeb), {brief});
  EXPECT_THAT(GapsOf(report.verdicts[0]), ElementsAre("phases", "duration"));
  EXPECT_EQ(report.verdicts[0].gaps[0].what, "not seen: serving, shutdown");
  EXPECT_EQ(report.verdicts[0].gaps[1].what, "only 60 s were seen");

  Evidence from_arm = Life(kWebPod, {CallOf("read", {}, CallResult::kAllowed, 0, "", syscalls::Arch::kAarch64)});
  EXPECT_THAT(GapsOf(Ask(FromManifest(kWeb), {from_arm}).verdicts[0]), ElementsAre("architecture"));

  Question accepting{.subjects = FromManifest(kWeb),
                     .scenarios = {{.after = TargetOf("containerd"), .before = std::nullopt}}};
  accepting.traces.push_back({"t", brief, std::nullopt});
  accepting.gaps.accepted = {GapKind::kPhases, GapKind::kDuration, GapKind::kLosses};
  EXPECT_EQ(Preflight(accepting)->Worst(), Verdict::kSafe);
  accepting.traces[0].evidence.completeness.losses.push_back({"recorder", 0, "full"});
  EXPECT_EQ(Preflight(accepting)->Worst(), Verdict::kIncomplete);
}

TEST(Preflight, AnExecProbeMustHaveBeenSeen) {
  const std::string manifest = R"(
kind: Pod
metadata: {name: web}
spec: {containers: [{name: nginx, image: i, livenessProbe: {exec: {command: [x]}}}], initContainers: [{name: first, image: i}]}
)";
  const Report report =
      Ask(FromManifest(manifest), {Life({.pod_namespace = "default", .pod = "web", .container = "nginx"}),
                                   Life({.pod_namespace = "default", .pod = "web", .container = "first"})});
  ASSERT_EQ(report.verdicts.size(), 2u);
  EXPECT_EQ(report.verdicts[0].verdict, Verdict::kSafe);  // the init container
  EXPECT_EQ(report.verdicts[1].gaps[0].what, "not seen: exec");
}

TEST(Preflight, WhatTheSwitchDoesNotTouch) {
  const std::string manifest = R"(
kind: Pod
metadata: {name: web}
spec:
  containers:
  - {name: own, image: i, securityContext: {seccompProfile: {type: Localhost, localhostProfile: a.json}}}
  - {name: default, image: i, securityContext: {seccompProfile: {type: RuntimeDefault}}}
  - {name: open, image: i, securityContext: {seccompProfile: {type: Unconfined}}}
  - {name: privileged, image: i, securityContext: {privileged: true}}
)";
  const Report report = Ask(FromManifest(manifest), {});
  ASSERT_EQ(report.verdicts.size(), 4u);
  EXPECT_EQ(report.Count(Verdict::kNotAffected), 4u);
  EXPECT_EQ(report.verdicts[0].reason, "its manifest names Localhost/a.json (container)");
  EXPECT_EQ(report.verdicts[0].after, "Localhost/a.json");
  EXPECT_THAT(report.verdicts[3].reason, HasSubstr("privileged"));
  EXPECT_EQ(
      Ask(FromManifest("kind: Pod\nspec: {os: {name: windows}, containers: [{name: c, image: i}]}\n"), {}).Worst(),
      Verdict::kNotAffected);
}

TEST(Preflight, EvidenceFindsItsContainer) {
  const std::string manifest = std::string(kWeb) + R"(---
kind: Deployment
metadata: {name: web-api}
spec: {template: {spec: {containers: [{name: nginx, image: i}]}}}
---
kind: Pod
metadata: {name: web}
spec: {containers: [{name: nginx, image: i}]}
---
kind: Pod
metadata: {name: static, namespace: kube-system}
spec: {containers: [{name: c, image: i}]}
)";
  Evidence command;
  Call call = CallOf("keyctl");
  call.workload = command.AddWorkload({.command = "make test"});
  command.Add(call, {.count = 1});
  const Report report =
      Ask(FromManifest(manifest),
          {Life(kWebPod), Life({.pod_namespace = "default", .pod = "web-api-7d9f8b5c6d-abcde", .container = "nginx"}),
           Life({.pod_namespace = "kube-system", .pod = "static-node1", .container = "c"}), command,
           Life({.pod_namespace = "other", .pod = "web-7d9f8b5c6d-x2x4z", .container = "nginx"})});
  std::vector<std::string> told;
  for (const ContainerVerdict& one : report.verdicts) {
    told.push_back(TitleOf(report.subjects[one.subject]) + " " + std::string(IdOf(one.verdict)));
  }
  EXPECT_THAT(told, ElementsAre("Deployment default/web/nginx safe", "Deployment default/web-api/nginx safe",
                                "Pod default/web/nginx incomplete", "Pod kube-system/static/c safe",
                                "command make test breaks", "other/web-7d9f8b5c6d-x2x4z/nginx safe"));
}

TEST(Preflight, OneContainerInTwoManifestsHasTheSameEvidence) {
  const Report report = Ask(FromManifest(std::string(kWeb) + "---" + kWeb), {Life(kWebPod)});
  ASSERT_EQ(report.verdicts.size(), 2u);
  EXPECT_EQ(report.Count(Verdict::kSafe), 2u);
}

TEST(Preflight, ACommandCountsAsTheContainerThatItIsMappedTo) {
  Evidence command = Life({.command = "nginx -g"}, {CallOf("keyctl")});
  Question question{.subjects = FromManifest(kWeb),
                    .scenarios = {{.after = TargetOf("containerd"), .before = std::nullopt}}};
  question.traces.push_back({"t", command, Workload{.pod_namespace = "default", .pod = "web", .container = "nginx"}});
  const auto report = Preflight(question);
  ASSERT_TRUE(report);
  ASSERT_EQ(report->verdicts.size(), 1u);
  EXPECT_EQ(report->verdicts[0].verdict, Verdict::kBreaks);
}

TEST(Preflight, RemediesAreTheSmallest) {
  const Report report =
      Ask(FromManifest(kWeb), {Life(kWebPod, {CallOf("perf_event_open"), CallOf("socket", {{0, 40}}),
                                              CallOf("mbind", {}, CallResult::kAllowed, 0, "/bin/java")})});
  ASSERT_EQ(report.verdicts[0].findings.size(), 3u);
  std::map<std::string, Finding> by_name;
  for (const Finding& finding : report.verdicts[0].findings) by_name[finding.syscall] = finding;
  EXPECT_EQ(by_name["perf_event_open"].remedy.kind, RemedyKind::kDelta);
  EXPECT_EQ(by_name["perf_event_open"].remedy.delta_entry, "perf_event_open");
  EXPECT_THAT(by_name["perf_event_open"].remedy.capabilities, ElementsAre("CAP_PERFMON", "CAP_SYS_ADMIN"));
  EXPECT_EQ(by_name["socket"].remedy.delta_entry,
            "{names: [socket], args: [{index: 0, value: 0x28, op: SCMP_CMP_EQ}]}");
  EXPECT_EQ(by_name["mbind"].remedy.kind, RemedyKind::kNone);
  EXPECT_EQ(report.verdicts[0].findings.back().syscall, "mbind");  // the gravest first
}

TEST(Preflight, UpgradesAreJudgedByTheirDifference) {
  const std::string manifest = std::string(kWeb) + R"(---
kind: Pod
metadata: {name: asks}
spec: {containers: [{name: c, image: i, securityContext: {seccompProfile: {type: RuntimeDefault}}}]}
)";
  const auto ask = [&](const std::string& from, const std::string& to) {
    Question question{.subjects = FromManifest(manifest),
                      .scenarios = {{.after = TargetOf(to), .before = TargetOf(from)}}};
    question.traces.push_back(
        {"t", Life(kWebPod, {CallOf("io_uring_setup", {}, CallResult::kAllowed, 0, "/bin/postgres"), CallOf("keyctl")}),
         std::nullopt});
    question.traces.push_back({"u", Life({.pod_namespace = "default", .pod = "asks", .container = "c"}), std::nullopt});
    return Preflight(question).value();
  };
  const Report report = ask("containerd@1.7.29", "containerd@2.2.4");
  ASSERT_EQ(report.verdicts.size(), 2u);
  EXPECT_EQ(report.verdicts[0].verdict, Verdict::kBreaks);
  ASSERT_EQ(report.verdicts[0].findings.size(), 1u);
  EXPECT_EQ(report.verdicts[0].findings[0].syscall, "io_uring_setup");
  EXPECT_EQ(report.verdicts[1].verdict, Verdict::kSafe);  // an explicit RuntimeDefault has the new profile, too
  // Releases with one profile: no evidence is asked for.
  EXPECT_EQ(ask("containerd@2.2.4", "containerd@2.3.1").Count(Verdict::kNotAffected), 2u);
}

TEST(Preflight, ALogOfTheTwinIsWholeEvidence) {
  Evidence log = Life(kWebPod);
  log.completeness.unseen = {std::string(unseen::kArguments), std::string(unseen::kAllowedCalls),
                             std::string(unseen::kErrno)};
  Question question{.subjects = FromManifest(kWeb),
                    .scenarios = {{.after = TargetOf("containerd@2.2.4"), .before = std::nullopt}}};
  question.traces.push_back({"t", log, std::nullopt});
  EXPECT_THAT(GapsOf(Preflight(question)->verdicts[0]), ElementsAre("allowed"));
  question.logged_under = TargetOf("containerd@2.2.4");
  EXPECT_EQ(Preflight(question)->Worst(), Verdict::kSafe);
  // An older default denies less: what it allowed was not written.
  question.logged_under = TargetOf("containerd@1.7.29");
  EXPECT_EQ(Preflight(question)->Worst(), Verdict::kIncomplete);
}

TEST(Preflight, NamesTheContainerWithAnUnknownCapability) {
  Question question{.subjects = FromManifest(kWeb),
                    .scenarios = {{.after = TargetOf("containerd"), .before = std::nullopt}}};
  question.subjects[0].capabilities.add = {"NET_ADMINN"};
  const auto report = Preflight(question);
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("Deployment default/web/nginx"));
}

}  // namespace
}  // namespace portcullis::insight
