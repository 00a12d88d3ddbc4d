// portcullis preflight: what switching seccompDefault on, or a new runtime, would break.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "cli/command_line.h"
#include "cli/evidence/host_report.h"
#include "cli/preflight/inputs.h"
#include "cli/preflight/reports.h"
#include "cli/status/status.h"
#include "cli/verbs.h"
#include "cri/grpc/client.h"
#include "insight/hostcheck/findings.h"
#include "insight/hostcheck/gather.h"

namespace portcullis::cli {
namespace {

constexpr const char* kFooter =
    R"(Verdicts: NOT AFFECTED, SAFE, SAFE (denied but tolerated), UNKNOWN (evidence incomplete), BREAKS.
Exit codes: 0 nothing breaks, 1 something breaks, 2 an error, 3 the evidence does not tell.

  portcullis preflight --evidence node1.jsonl.gz manifests/ --runtime containerd@2.2 --runtime crio@1.30 --kernel 6.1
  portcullis preflight --evidence test.jsonl --as default/web/nginx web.yaml -o sarif=preflight.sarif -o html=preflight.html
  portcullis preflight --evidence node1.jsonl.gz --node-address 127.0.0.1:10248 --from containerd@1.7.29 --to containerd@2.2.4
)";

constexpr const char* kDefaultRuntime = "containerd";
constexpr std::string_view kFormats[] = {"text", "json", "sarif", "junit", "html"};

struct TraceWords {
  std::string path;
  std::optional<insight::Workload> as;
};

struct Output {
  std::string format;
  std::string path;  // "": standard output
};

struct Flags {
  std::vector<std::string> manifests;
  std::vector<TraceWords> traces;
  std::vector<std::string> runtimes;
  std::string from;
  std::string to;
  TargetWords target;
  std::string logged_under;
  std::string node_address;
  std::string endpoint;
  std::string least_duration = "10m";
  std::string accept;
  std::vector<Output> outputs;
  bool switch_on = true;
  bool host = false;
  bool only_manifests = false;
  bool verbose = false;
};

int Report(const Error& error) {
  std::fprintf(stderr, "portcullis preflight: %s\n", error.message.c_str());
  return kExitUsage;
}

Result<void> AddOutput(const std::string& word, std::vector<Output>& outputs) {
  const size_t equals = word.find('=');
  const std::string format = word.substr(0, equals);
  if (std::ranges::find(kFormats, format) == std::end(kFormats)) {
    return Fail(Code::kInvalidArgument, "want text, json, sarif, junit or html, each also as FORMAT=FILE, not {}",
                base::Quote(word));
  }
  outputs.push_back({format, equals == std::string::npos ? "" : word.substr(equals + 1)});
  return {};
}

Result<void> AddAs(const std::string& word, std::vector<TraceWords>& traces) {
  if (traces.empty())
    return Fail(Code::kInvalidArgument, "--as belongs to the --evidence before it, and there is none");
  if (traces.back().as) return Fail(Code::kInvalidArgument, "--as is given twice for {}", traces.back().path);
  ASSIGN_OR_RETURN(traces.back().as, ParseContainerName(word, "--as"));
  return {};
}

Result<insight::GapOptions> ReadGapOptions(const Flags& flags) {
  insight::GapOptions options;
  const auto duration = base::ParseGoDuration(flags.least_duration);
  if (!duration || duration->count() < 0) {
    return Fail(Code::kInvalidArgument, "--min-duration: want a duration such as 10m or 0, not {}",
                base::Quote(flags.least_duration));
  }
  options.least_duration = std::chrono::duration_cast<std::chrono::seconds>(*duration);
  if (flags.accept.empty()) return options;
  for (const std::string& word : base::Split(flags.accept, ',')) {
    bool known = false;
    for (const insight::GapKind kind : {insight::GapKind::kPhases, insight::GapKind::kDuration,
                                        insight::GapKind::kAllowed, insight::GapKind::kUnseen}) {
      if (word != NameOf(kind)) continue;
      options.accepted.insert(kind);
      known = true;
    }
    if (!known) {
      return Fail(Code::kInvalidArgument,
                  "--accept: want phases, duration, allowed or unseen, not {} (losses are never accepted)",
                  base::Quote(word));
    }
  }
  return options;
}

Result<std::vector<insight::Scenario>> ReadScenarios(const Flags& flags) {
  std::vector<insight::Scenario> scenarios;
  if (flags.from.empty() != flags.to.empty()) {
    return Fail(Code::kInvalidArgument, "--from and --to belong together: the release before, and the one after");
  }
  if (!flags.from.empty()) {
    if (!flags.runtimes.empty())
      return Fail(Code::kInvalidArgument,
                  "--runtime is about the switch, --from and --to about an upgrade: want one of them");
    ASSIGN_OR_RETURN(insight::Target before, ReadTarget(flags.from, flags.target));
    ASSIGN_OR_RETURN(insight::Target after, ReadTarget(flags.to, flags.target));
    scenarios.push_back({.after = std::move(after), .before = std::move(before)});
    return scenarios;
  }
  std::vector<std::string> runtimes = flags.runtimes;
  if (runtimes.empty()) runtimes.emplace_back(kDefaultRuntime);
  for (const std::string& runtime : runtimes) {
    ASSIGN_OR_RETURN(insight::Target target, ReadTarget(runtime, flags.target));
    scenarios.push_back({.after = std::move(target), .before = std::nullopt});
  }
  return scenarios;
}

Result<Manifests> ReadManifests(const Flags& flags, ProgressLine& progress) {
  Manifests manifests;
  for (const std::string& path : flags.manifests) {
    progress.Say("reading " + path);
    TRY(AddManifests(path, manifests));
  }
  if (!flags.node_address.empty()) TRY(AddPodsOfNode(flags.node_address, manifests));
  if (!flags.endpoint.empty()) {
    ASSIGN_OR_RETURN(const auto runtime, cri::Connect({.endpoint = flags.endpoint}));
    ASSIGN_OR_RETURN(const std::vector<StatusRow> rows, CollectStatus(*runtime, {}));
    AddContainersOfRuntime(rows, manifests);
  }
  return manifests;
}

Result<insight::Question> ReadQuestion(const Flags& flags, Diagnostics& diagnostics, ProgressLine& progress) {
  insight::Question question;
  ASSIGN_OR_RETURN(question.gaps, ReadGapOptions(flags));
  ASSIGN_OR_RETURN(question.scenarios, ReadScenarios(flags));
  if (!flags.logged_under.empty()) {
    ASSIGN_OR_RETURN(question.logged_under, ReadTarget(flags.logged_under, flags.target));
  }
  question.judge_unclaimed = !flags.only_manifests;
  question.switch_is_on = flags.switch_on;
  ASSIGN_OR_RETURN(Manifests manifests, ReadManifests(flags, progress));
  question.subjects = std::move(manifests.subjects);
  diagnostics = std::move(manifests.diagnostics);
  for (const TraceWords& words : flags.traces) {
    ASSIGN_OR_RETURN(insight::Evidence evidence, ReadTraceFile(words.path, progress));
    question.traces.push_back({words.path, std::move(evidence), words.as});
  }
  return question;
}

std::string Render(const insight::Report& report, const std::vector<insight::HostFinding>& host, const Output& output,
                   bool verbose) {
  constexpr auto kReplace = nlohmann::json::error_handler_t::replace;
  if (output.format == "json") {
    nlohmann::json json = ReportJson(report);
    if (!host.empty()) json["host"] = HostReportJson(host);
    if (HasProblem(host)) json["exitCode"] = kExitBreaks;
    return json.dump(2, ' ', false, kReplace) + "\n";
  }
  if (output.format == "sarif") return ReportSarif(report, PORTCULLIS_VERSION).dump(2, ' ', false, kReplace) + "\n";
  if (output.format == "junit") return ReportJunit(report);
  if (output.format == "html") return ReportHtml(report, PORTCULLIS_VERSION);
  const bool terminal = output.path.empty() && ::isatty(STDOUT_FILENO) == 1;
  const bool colour = terminal && std::getenv("NO_COLOR") == nullptr;
  const std::string about_host = host.empty() ? "" : "\nThis host:\n" + HostReportText(host);
  return ReportText(report, {.colour = colour, .verbose = verbose}) + about_host;
}

Result<int> Run(Flags flags) {
  const bool asks = !flags.manifests.empty() || !flags.node_address.empty() || !flags.endpoint.empty();
  if (!asks && flags.traces.empty()) {
    return Fail(Code::kInvalidArgument,
                "want manifests (files or folders), --node-address, --runtime-endpoint or --evidence");
  }
  if (flags.outputs.empty()) flags.outputs.push_back({"text", ""});
  Diagnostics diagnostics;
  insight::Report report;
  {
    ProgressLine progress;
    ASSIGN_OR_RETURN(insight::Question question, ReadQuestion(flags, diagnostics, progress));
    ASSIGN_OR_RETURN(report, insight::Preflight(std::move(question), [&](size_t done, size_t all) {
                       if (done % 64 == 0) progress.Say(fmt::format("judged {} of {}", done, all));
                     }));
  }
  // A gate must not be passed because there was nothing to look at.
  if (!asks && report.verdicts.empty()) {
    return Fail(Code::kFailedPrecondition, "the evidence is of no container and no command: there is nothing to judge");
  }
  for (const Diagnostic& diagnostic : diagnostics) {
    std::fprintf(stderr, "portcullis preflight: %s\n", FormatDiagnostic(diagnostic).c_str());
  }
  std::vector<insight::HostFinding> host;
  if (flags.host) host = insight::JudgeHost(insight::GatherHost({}));
  for (const Output& output : flags.outputs) {
    const std::string text = Render(report, host, output, flags.verbose);
    if (output.path.empty()) {
      std::fputs(text.c_str(), stdout);
    } else {
      TRY(base::WriteFileAtomic(output.path, text));
    }
  }
  if (HasErrors(diagnostics)) return kExitUsage;
  return HasProblem(host) ? kExitBreaks : ExitCodeOf(report.Worst());
}

}  // namespace

int PreflightMain(const std::vector<std::string>& args) {
  Flags flags;
  CommandLine line(
      "portcullis preflight",
      "Tells per container what the default seccomp profile would break, from manifests and recorded calls.");
  const auto add_output = [&flags](const std::string& word) { return AddOutput(word, flags.outputs); };
  line.Each(
      "--evidence",
      [&flags](const std::string& path) -> Result<void> {
        flags.traces.push_back({path, std::nullopt});
        return {};
      },
      "a trace (portcullis record, portcullis evidence); may be repeated");
  line.Each(
      "--as", [&flags](const std::string& word) { return AddAs(word, flags.traces); },
      "NAMESPACE/POD/CONTAINER whose the commands of the --evidence before are");
  line.Text("--node-address", &flags.node_address, "also the pods of the node at ADDRESS:PORT, from its /pods");
  line.Text("--runtime-endpoint", &flags.endpoint, "also the running containers of a CRI runtime (unix:///run/...)");
  line.Bool("--host", &flags.host, "also this host itself: kernel, seccomp, audit, runtimes (text and json)");
  line.Group("The change");
  line.Each(
      "--runtime",
      [&flags](const std::string& word) -> Result<void> {
        flags.runtimes.push_back(word);
        return {};
      },
      "seccompDefault is switched on under this runtime (containerd@2.2, crio@1.30, docker, a profile's file); may be "
      "repeated; containerd unless given");
  line.Text("--from", &flags.from, "an upgrade: the runtime before (containerd@1.7.29)");
  line.Text("--to", &flags.to, "an upgrade: the runtime after");
  line.Text("--kernel", &flags.target.kernel, "kernel of the host (6.1); the running one unless given");
  line.Text("--arch", &flags.target.arch, "architecture of the host (amd64, arm64); this machine's unless given");
  line.Text("--oci-runtime", &flags.target.oci_runtime,
            "runc or crun, which differ in calls newer than the profile; the runtime's usual one unless given");
  line.Bool("--seccomp-default", &flags.switch_on, "with --from and --to: seccompDefault is on on these nodes");
  line.Group("What is enough");
  line.Text("--min-duration", &flags.least_duration,
            "shorter evidence about a container that serves is incomplete; 0: any");
  line.Text("--accept", &flags.accept, "gaps that do not matter to you: phases, duration, allowed, unseen");
  line.Text("--logged-under", &flags.logged_under,
            "logs were written under this profile, or its log twin: calls that they do not show were allowed by it");
  line.Bool("--only-manifests", &flags.only_manifests, "do not judge containers and commands that no manifest names");
  line.Group("Output");
  line.Each("--output", add_output, "text, json, sarif, junit or html; FORMAT=FILE writes a file; may be repeated");
  line.Each("-o", add_output, "the same");
  line.Bool("--verbose", &flags.verbose, "also denied calls that change nothing, and every caller");
  line.Positional("manifest", &flags.manifests, "files, folders or -", false);
  line.Footer(kFooter);
  if (const auto exit_code = line.Parse(args)) return *exit_code == 0 ? 0 : kExitUsage;
  const auto done = Run(std::move(flags));
  return done ? *done : Report(done.error());
}

}  // namespace portcullis::cli
