// portcullis try and portcullis tolerate: what a profile denies a program, and whether the program minds.
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/files.h"
#include "base/spawn.h"
#include "base/strings.h"
#include "base/try.h"
#include "cli/command_line.h"
#include "cli/daemon.h"
#include "cli/output/table.h"
#include "cli/profile/operand.h"
#include "cli/profile_verbs.h"
#include "cli/verbs.h"
#include "engine/filter/compile.h"
#include "insight/evidence/trace_file.h"
#include "insight/trial/junit.h"
#include "insight/trial/run_trial.h"

namespace portcullis::cli {
namespace {

using insight::Denials;
using nlohmann::json;

constexpr int kFailed = 1;
constexpr int kError = 2;
constexpr std::chrono::milliseconds kStep{50};
constexpr size_t kMaxReportBytes = 64u << 20;

struct ProfileFlags {
  std::string profile;
  std::string runtime;
  ResolveWords words;

  void AddTo(CommandLine& line) {
    line.Text("--profile", &profile, "a file, a release such as containerd@2.2, or RuntimeDefault (of --runtime)");
    line.Text("--runtime", &runtime, "whose RuntimeDefault: containerd@2.2, cri-o, docker@29.4.2");
    AddResolveFlags(line, &words);
  }

  Result<filter::Filter> Compile() const {
    std::string name = profile;
    if (!runtime.empty() && (profile.empty() || profile == "RuntimeDefault")) name = runtime;
    if (name.empty())
      return Fail(Code::kInvalidArgument, "--profile is needed: a file, or a release such as containerd@2.2");
    ASSIGN_OR_RETURN(const Operand operand, ReadOperand(name));
    ASSIGN_OR_RETURN(const seccomp::ResolvedProfile resolved, ResolveOperand(operand, words));
    return filter::Compile(resolved);
  }
};

std::string Joined(const std::vector<std::string>& words) { return base::Join(words, " "); }

json DenialJson(const insight::DeniedCase& denied, const insight::DenialFacts& facts) {
  return {{"call", Text(denied)},
          {"answer", Text(denied.answer)},
          {"count", facts.count},
          {"executables", facts.executables},
          {"location", facts.location}};
}

std::string DenialTable(const Denials& denials) {
  Table table({"DENIED", "ANSWER", "TIMES", "BY", "FROM"});
  for (const auto& [denied, facts] : denials) {
    table.AddRow({Text(denied), Text(denied.answer), std::to_string(facts.count),
                  facts.executables.empty() ? "-" : *facts.executables.begin(),
                  facts.location.empty() ? "-" : facts.location});
  }
  return table.Text();
}

// ---- try

struct TryFlags {
  ProfileFlags profile;
  std::string workload;
  std::string junit;
  std::string trace;
  std::string format = "text";
  bool strict = false;
};

struct SuiteRun {
  int exit_code = 0;
  std::optional<int> workload_exit;  // it ended before the suite did
  Denials denials;
};

Result<SuiteRun> RunSuite(const TryFlags& flags, const std::vector<std::string>& command,
                          const filter::Filter& filter) {
  StopSignals stop;
  SuiteRun out;
  const auto decide = [&out](const insight::AskedCall& call) {
    const insight::ProfileAnswer& answer = call.denied.answer;
    if (answer.result != insight::CallResult::kAllowed) {
      AddDenial(out.denials, CallOf(call.data, answer), call.executable, call.location);
    }
    return insight::Reply::kAsProfile;
  };
  const bool beside = !flags.workload.empty();
  const std::vector<std::string> confined =
      beside ? std::vector<std::string>{"/bin/sh", "-c", flags.workload} : command;
  ASSIGN_OR_RETURN(insight::Supervised run,
                   insight::Supervised::Start({.argv = confined, .profile = filter.program, .flags = filter.flags}));
  std::optional<base::Child> suite;
  if (beside) {
    ASSIGN_OR_RETURN(suite, base::Spawn({.argv = command, .fds = {{0, 0}, {1, 1}, {2, 2}}}));
  }
  bool interrupted = false;
  while (true) {
    ASSIGN_OR_RETURN(const bool runs, run.Step(kStep, decide));
    if (stop.Arrived()) {
      interrupted = true;
      break;
    }
    if (!beside) {
      if (!runs) break;
      continue;
    }
    if (const auto ended = base::Wait(*suite, std::chrono::milliseconds(runs ? 0 : 50))) {
      out.exit_code = *ended;
      break;
    }
  }
  if (beside) out.workload_exit = run.exit_code();
  TRY(run.End(std::chrono::seconds(5), decide));
  if (!beside) out.exit_code = run.exit_code().value_or(kFailed);
  if (interrupted) return Fail(Code::kCancelled, "interrupted");
  return out;
}

Result<int> Try(const TryFlags& flags, const std::vector<std::string>& command) {
  ASSIGN_OR_RETURN(const filter::Filter filter, flags.profile.Compile());
  // Another run's report must not be taken for this one's.
  const bool had_report = !flags.junit.empty() && base::Exists(flags.junit);
  const std::string before = had_report ? base::ReadFile(flags.junit, kMaxReportBytes).value_or("") : "";
  ASSIGN_OR_RETURN(const SuiteRun run, RunSuite(flags, command, filter));
  std::optional<insight::SuiteReport> report;
  if (!flags.junit.empty()) {
    ASSIGN_OR_RETURN(const std::string text, base::ReadFile(flags.junit, kMaxReportBytes));
    if (had_report && text == before) {
      std::fprintf(stderr, "portcullis try: %s was there before and has not changed\n", flags.junit.c_str());
    }
    ASSIGN_OR_RETURN(report, insight::ParseJUnit(text, flags.junit));
  }
  if (!flags.trace.empty()) {
    const std::string whose = flags.workload.empty() ? Joined(command) : flags.workload;
    TRY(insight::WriteTrace(ToEvidence(run.denials, whose), flags.trace));
  }
  const bool failed = run.exit_code != 0 || (report && !report->failures.empty());
  if (flags.format == "json") {
    json out{{"command", command}, {"exitCode", run.exit_code}, {"denials", json::array()}};
    for (const auto& [denied, facts] : run.denials) out["denials"].push_back(DenialJson(denied, facts));
    if (run.workload_exit) out["workloadExitCode"] = *run.workload_exit;
    if (report) {
      out["tests"] = report->tests;
      out["skipped"] = report->skipped;
      out["failures"] = json::array();
      for (const auto& failure : report->failures) {
        out["failures"].push_back({{"name", failure.name}, {"message", failure.message}});
      }
    }
    PrintJson(out);
  } else {
    std::puts("");
    if (run.denials.empty()) {
      std::puts("nothing was denied");
    } else {
      std::fputs(DenialTable(run.denials).c_str(), stdout);
    }
    if (report) {
      std::printf("\nsuite: %llu tests, %zu failed, %llu skipped; %s\n", static_cast<unsigned long long>(report->tests),
                  report->failures.size(), static_cast<unsigned long long>(report->skipped),
                  insight::EndText(run.exit_code).c_str());
      for (const auto& failure : report->failures) {
        std::printf("  FAILED %s%s%s\n", failure.name.c_str(), failure.message.empty() ? "" : ": ",
                    failure.message.c_str());
      }
    } else {
      std::printf("\nsuite: %s\n", insight::EndText(run.exit_code).c_str());
    }
    if (run.workload_exit) {
      std::printf("the workload ended before the suite: %s\n", insight::EndText(run.workload_exit).c_str());
    }
    if (failed && !run.denials.empty()) {
      std::puts("which of the denials matter: portcullis tolerate, with the same profile");
    }
  }
  return failed || (flags.strict && !run.denials.empty()) ? kFailed : 0;
}

// ---- tolerate

struct TolerateFlags {
  ProfileFlags profile;
  std::string health;
  std::string time = "30s";
  std::string settle = "1s";
  std::string format = "text";
};

struct Tried {
  std::string what;
  std::string answer;
  insight::TrialVerdict verdict;
  std::string output;
};

Result<std::chrono::milliseconds> TimeOf(const char* flag, const std::string& text) {
  const auto time = base::ParseGoDuration(text);
  if (!time || time->count() <= 0) {
    return Fail(Code::kInvalidArgument, "{}={}: expected a time such as 30s", flag, text);
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(*time);
}

Result<int> Tolerate(const TolerateFlags& flags, const std::vector<std::string>& command) {
  ASSIGN_OR_RETURN(const filter::Filter filter, flags.profile.Compile());
  insight::TrialOptions options{.argv = command, .profile = filter.program, .flags = filter.flags};
  ASSIGN_OR_RETURN(options.time, TimeOf("--time", flags.time));
  ASSIGN_OR_RETURN(options.settle, TimeOf("--settle", flags.settle));
  if (!flags.health.empty()) options.health = {"/bin/sh", "-c", flags.health};
  StopSignals stop;
  options.stop = [&stop] { return stop.Arrived(); };
  Denials seen;
  ASSIGN_OR_RETURN(const insight::RunOutcome baseline, RunTrial(options, insight::DenyNothing(), &seen));
  if (const std::string why = WhyNoBaseline(baseline); !why.empty()) {
    return Fail(Code::kFailedPrecondition, "nothing can be told of {}: {}{}{}", command[0], why,
                baseline.output.empty() ? "" : "; it wrote:\n", baseline.output);
  }
  std::vector<Tried> tried;
  const auto attempt = [&](std::string what, std::string answer, const insight::WhatToDeny& deny) -> Result<void> {
    std::fprintf(stderr, "trying %s\n", what.c_str());
    ASSIGN_OR_RETURN(const insight::RunOutcome run, RunTrial(options, deny));
    tried.push_back({std::move(what), std::move(answer), JudgeTrial(baseline, run), run.output});
    return {};
  };
  for (const auto& [denied, facts] : seen) {
    TRY(attempt(Text(denied), Text(denied.answer), insight::DenyOnly(denied)));
  }
  if (seen.size() > 1) TRY(attempt("all of them", "-", insight::DenyAll()));
  const bool fails =
      std::ranges::any_of(tried, [](const Tried& one) { return one.verdict.survival == insight::Survival::kFails; });
  if (flags.format == "json") {
    json out{{"command", command}, {"trials", json::array()}};
    for (const Tried& one : tried) {
      out["trials"].push_back({{"denied", one.what},
                               {"answer", one.answer},
                               {"verdict", NameOf(one.verdict.survival)},
                               {"why", one.verdict.why}});
    }
    PrintJson(out);
    return fails ? kFailed : 0;
  }
  if (tried.empty()) {
    std::printf("the profile denies nothing that it does (%s)\n", insight::EndText(baseline.exit_code).c_str());
    return 0;
  }
  Table table({"DENIED", "ANSWER", "VERDICT", "WHY"});
  for (const Tried& one : tried) {
    table.AddRow({one.what, one.answer, std::string(NameOf(one.verdict.survival)), one.verdict.why});
  }
  std::fputs(table.Text().c_str(), stdout);
  for (const Tried& one : tried) {
    if (one.verdict.survival != insight::Survival::kFails || one.output.empty()) continue;
    std::printf("\nwithout %s it wrote:\n%s\n", one.what.c_str(), one.output.c_str());
  }
  return fails ? kFailed : 0;
}

int Report(const char* verb, const Error& error) {
  std::fprintf(stderr, "portcullis %s: %s\n", verb, error.message.c_str());
  return kError;
}

bool IsFormat(const std::string& format) { return format == "text" || format == "json"; }

}  // namespace

int TryMain(const std::vector<std::string>& args) {
  TryFlags flags;
  std::vector<std::string> surplus;
  CommandLine line("portcullis try",
                   "Runs a test suite under a profile, or beside a workload under it, and tells what was denied beside "
                   "what failed.");
  flags.profile.AddTo(line);
  line.Text("--workload", &flags.workload,
            "a shell command that runs under the profile while TEST-COMMAND runs without one, and is ended after it");
  line.Text("--junit", &flags.junit, "the suite's JUnit report: its failures are listed");
  line.Text("--trace", &flags.trace, "write the denials as a trace (docs/evidence.md)");
  line.Text("-o,--output", &flags.format, "text or json");
  line.Bool("--strict", &flags.strict, "exit with 1 when anything was denied, not only when the suite fails");
  line.Positional("command", &surplus, "-- TEST-COMMAND", false);
  line.Footer(
      "Example: portcullis try --profile containerd@2.2 --junit results.xml -- make test\nExit codes: 0 the suite "
      "passed, 1 it failed, 2 an error.");
  const DashedWords parts = SplitAtDashes(args);
  if (const auto exit_code = line.Parse(parts.flags)) return *exit_code == 0 ? 0 : kError;
  if (!surplus.empty() || parts.command.empty()) {
    return Report(
        "try", {Code::kInvalidArgument, "want the test command behind two dashes: portcullis try --profile P -- CMD"});
  }
  if (!IsFormat(flags.format)) {
    return Report("try", {Code::kInvalidArgument, "--output=" + flags.format + ": expected text or json"});
  }
  const auto done = Try(flags, parts.command);
  return done ? *done : Report("try", done.error());
}

int TolerateMain(const std::vector<std::string>& args) {
  TolerateFlags flags;
  std::vector<std::string> surplus;
  CommandLine line("portcullis tolerate",
                   "Runs a program once for each call that a profile denies it, with that call alone answered as the "
                   "profile would, and tells which denials it survives.");
  flags.profile.AddTo(line);
  line.Text(
      "--health", &flags.health,
      "a shell command that succeeds when the program is well; run, unfiltered, until it does, and once more later");
  line.Text("--time", &flags.time,
            "for each run; a program that still runs then has done well, unless --health says no");
  line.Text("--settle", &flags.settle, "between the first success of --health and the last");
  line.Text("-o,--output", &flags.format, "text or json");
  line.Positional("command", &surplus, "-- CMD", false);
  line.Footer(
      "Example: portcullis tolerate --profile containerd@2.2 -- ./server\nExit codes: 0 it survives every denial, 1 it "
      "does not, 2 an error, such as a program that fails with nothing "
      "denied.");
  const DashedWords parts = SplitAtDashes(args);
  if (const auto exit_code = line.Parse(parts.flags)) return *exit_code == 0 ? 0 : kError;
  if (!surplus.empty() || parts.command.empty()) {
    return Report("tolerate", {Code::kInvalidArgument,
                               "want the program behind two dashes: portcullis tolerate --profile P -- CMD"});
  }
  if (!IsFormat(flags.format)) {
    return Report("tolerate", {Code::kInvalidArgument, "--output=" + flags.format + ": expected text or json"});
  }
  const auto done = Tolerate(flags, parts.command);
  return done ? *done : Report("tolerate", done.error());
}

int UnderFilterVerb(const std::vector<std::string>& args) { return insight::UnderFilterMain(args); }

}  // namespace portcullis::cli
