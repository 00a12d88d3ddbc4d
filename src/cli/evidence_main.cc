// portcullis evidence: what workloads were seen to call, from logs and traces.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "cli/command_line.h"
#include "cli/evidence/evidence_table.h"
#include "cli/evidence_explain.h"
#include "cli/evidence_verbs.h"
#include "cli/output/human.h"
#include "cli/preflight/inputs.h"
#include "cli/verbs.h"
#include "engine/syscalls/arch.h"
#include "insight/evidence/audit_log.h"
#include "insight/evidence/strace_reader.h"
#include "insight/evidence/trace_file.h"

namespace portcullis::cli {
namespace {

constexpr const char* kUsage = R"(portcullis evidence: what workloads were seen to call

usage: portcullis evidence VERB [flags]

  log [FILE...]     read seccomp records of audit.log, syslog, kern.log, journalctl or dmesg output, compressed or not;
                    - is standard input; without a FILE, this host's audit log and its rotations, else its syslog
  strace FILE...    read strace's output: -f, -ff (all its files together), -c, with any time stamps; compressed or not
  watch             seccomp records of this host as they happen, with their pods: --for 10m
  host              what this host's kernel, audit system and runtimes let be seen and done
  show TRACE...     print traces, merged; --under PROFILE explains each denial instead (so do log and watch)
  merge TRACE...    merge traces into one, of replicas and of several runs: -o TRACE

-o TRACE writes a trace (compressed when the name ends in .gz). Exit codes: 0 good, 1 the evidence is INCOMPLETE (it says
what was lost), 2 an error.
)";

struct Flags : EvidenceOutput {
  std::string arch;
};

// The newest last, as logrotate names them: x.3.gz, x.2.gz, x.1, x.
std::vector<std::string> WithRotations(const std::string& folder, const std::string& name) {
  std::vector<std::pair<uint64_t, std::string>> found;
  const auto names = base::ListDir(folder);
  if (!names) return {};
  for (const std::string& candidate : *names) {
    if (candidate == name) {
      found.emplace_back(0, folder + "/" + candidate);
    } else if (candidate.starts_with(name + ".")) {
      std::string_view number = std::string_view(candidate).substr(name.size() + 1);
      number = number.substr(0, number.find('.'));
      if (const auto parsed = base::ParseUint(number)) found.emplace_back(*parsed, folder + "/" + candidate);
    }
  }
  std::ranges::sort(found, std::greater<>(), &std::pair<uint64_t, std::string>::first);
  std::vector<std::string> paths;
  for (auto& [unused, path] : found) paths.push_back(std::move(path));
  return paths;
}

Result<std::vector<std::string>> HostLogs() {
  for (const auto& [folder, name] : {std::pair{"/var/log/audit", "audit.log"},
                                     {"/var/log", "kern.log"},
                                     {"/var/log", "syslog"},
                                     {"/var/log", "messages"}}) {
    if (auto paths = WithRotations(folder, name); !paths.empty()) return paths;
  }
  return Fail(Code::kNotFound,
              "this host has no /var/log/audit/audit.log, kern.log, syslog or messages; name a file, or pipe: "
              "journalctl -k -o export | portcullis evidence log -");
}

// Progress on a terminal, at the line's beginning.
void ShowProgress(const std::string& path, uint64_t bytes, uint64_t found, const char* what) {
  std::fprintf(stderr, "\r\033[K%s: %s, %llu %s", path.c_str(), HumanSize(static_cast<double>(bytes), 3).c_str(),
               static_cast<unsigned long long>(found), what);
}

Result<int> Log(std::vector<std::string> paths, const Flags& flags) {
  if (paths.empty()) {
    ASSIGN_OR_RETURN(paths, HostLogs());
  }
  insight::AuditLogReader reader;
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  for (const std::string& path : paths) {
    TRY(reader.Read(path, [&](uint64_t bytes) {
      if (terminal) ShowProgress(path, bytes, reader.counts().records, "records");
    }));
  }
  if (terminal) std::fputs("\r\033[K", stderr);
  const insight::AuditLogCounts counts = reader.counts();
  std::fprintf(stderr, "%zu files, %s, %llu lines, %llu seccomp records\n", paths.size(),
               HumanSize(static_cast<double>(counts.bytes), 3).c_str(), static_cast<unsigned long long>(counts.lines),
               static_cast<unsigned long long>(counts.records));
  if (counts.foreign > 0) {
    std::fprintf(stderr,
                 "%llu lines only look like records (neither kernel nor audit daemon wrote them): not counted\n",
                 static_cast<unsigned long long>(counts.foreign));
  }
  if (counts.records == 0) {
    std::fputs("nothing was denied or logged there, or it was not written down: portcullis evidence host tells\n",
               stderr);
  }
  return FinishEvidence(reader.Take(), flags);
}

Result<int> Strace(const std::vector<std::string>& paths, const Flags& flags) {
  insight::StraceOptions options;
  if (!flags.arch.empty()) {
    auto arch = syscalls::ArchFromScmpName(flags.arch);
    if (!arch) arch = syscalls::ArchFromDockerName(flags.arch);
    if (!arch) {
      return Fail(Code::kInvalidArgument, "--arch: {} is not an architecture; want a name such as amd64 or arm64",
                  base::Quote(flags.arch));
    }
    options.arch = *arch;
  }
  insight::StraceReader reader(options);
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  TRY(reader.Read(paths, [&](const std::string& path, uint64_t bytes) {
    if (terminal) ShowProgress(path, bytes, reader.counts().calls, "calls");
  }));
  if (terminal) std::fputs("\r\033[K", stderr);
  const insight::Evidence evidence = reader.Take();
  const insight::StraceCounts counts = reader.counts();
  std::fprintf(stderr, "%zu files, %s, %llu lines, %llu calls\n", paths.size(),
               HumanSize(static_cast<double>(counts.bytes), 3).c_str(), static_cast<unsigned long long>(counts.lines),
               static_cast<unsigned long long>(counts.calls));
  if (counts.others > 0) {
    std::fprintf(stderr, "%llu lines are not strace's: not counted\n", static_cast<unsigned long long>(counts.others));
  }
  return FinishEvidence(evidence, flags);
}

Result<int> Traces(const std::vector<std::string>& paths, Flags flags) {
  flags.traces = paths;
  insight::Evidence all;
  for (const std::string& path : paths) {
    ASSIGN_OR_RETURN(const insight::Evidence one, insight::ReadTrace(path));
    all.Merge(one);
  }
  return FinishEvidence(all, flags);
}

Result<void> Check(const std::string& verb, const std::vector<std::string>& operands, const Flags& flags) {
  constexpr std::array<std::string_view, 6> kVerbs = {"log", "strace", "watch", "host", "show", "merge"};
  if (verb.empty()) return Fail(Code::kInvalidArgument, "want a verb: log, strace, watch, host, show or merge");
  if (std::ranges::find(kVerbs, verb) == kVerbs.end()) {
    const auto nearest = base::Nearest(verb, kVerbs);
    return Fail(Code::kInvalidArgument, "unknown verb {}{}", base::Quote(verb),
                nearest ? fmt::format(" (did you mean {}?)", *nearest) : "");
  }
  // Both have flags of their own, which begin behind the verb.
  if (verb == "watch" || verb == "host") {
    return Fail(Code::kInvalidArgument, "flags of {0} come behind it: portcullis evidence {0} [flags]", verb);
  }
  if (verb != "log" && operands.empty()) {
    return Fail(Code::kInvalidArgument, "{0} wants files: portcullis evidence {0} FILE...", verb);
  }
  if (verb == "merge" && flags.out.empty()) {
    return Fail(Code::kInvalidArgument, "merge wants the trace to write: -o TRACE");
  }
  if (flags.rows < 0) return Fail(Code::kInvalidArgument, "--rows={}: expected 0 (all) or more", flags.rows);
  if (flags.format != "table" && flags.format != "trace") {
    return Fail(Code::kInvalidArgument, "--format: want table or trace, not {}", base::Quote(flags.format));
  }
  return {};
}

}  // namespace

int ReportEvidenceError(const Error& error) {
  std::fprintf(stderr, "portcullis evidence: %s\n", error.message.c_str());
  return kEvidenceError;
}

void AddUnderFlag(CommandLine& line, EvidenceOutput* output) {
  line.Each(
      "--under",
      [output](const std::string& word) -> Result<void> {
        ASSIGN_OR_RETURN(output->under, ReadTarget(word, {}));
        return {};
      },
      "explain what was denied: rule of this profile, arguments, caller, what to do (containerd@2.2, a file)");
}

Result<int> FinishEvidence(const insight::Evidence& evidence, const EvidenceOutput& output) {
  if (!output.out.empty()) TRY(insight::WriteTrace(evidence, output.out));
  const int code = evidence.IsComplete() ? 0 : kEvidenceIncomplete;
  if (output.out == "-") return code;
  if (output.format == "trace") {
    std::fputs(insight::FormatTrace(evidence).c_str(), stdout);
    return code;
  }
  if (!output.under) {
    std::fputs(EvidenceTable(evidence, {.max_rows = static_cast<size_t>(std::max(output.rows, 0)),
                                        .denied_only = output.denied_only})
                   .c_str(),
               stdout);
  } else {
    const auto traces = output.out.empty() ? output.traces : std::vector<std::string>{output.out};
    ASSIGN_OR_RETURN(const std::string text, ExplainDenials(evidence, *output.under, traces));
    std::fputs(text.c_str(), stdout);
  }
  const std::string missing = CompletenessText(evidence);
  if (!missing.empty()) std::printf("\n%s", missing.c_str());
  if (!output.out.empty()) std::printf("wrote %s\n", output.out.c_str());
  return code;
}

int EvidenceMain(const std::vector<std::string>& args) {
  if (!args.empty() && args[0] == "watch") return EvidenceWatchMain({args.begin() + 1, args.end()});
  if (!args.empty() && args[0] == "host") return EvidenceHostMain({args.begin() + 1, args.end()});
  Flags flags;
  std::vector<std::string> words;
  CommandLine line("portcullis evidence", "What workloads were seen to call, from logs and traces.");
  line.Text("--out", &flags.out, "write a trace");
  line.Each(
      "-o",
      [&flags](const std::string& path) -> Result<void> {
        flags.out = path;
        return {};
      },
      "the same");
  line.Text("--format", &flags.format, "table or trace");
  line.Text("--arch", &flags.arch, "strace: the machine that it ran on, such as arm64; this one's when not given");
  line.Bool("--denied", &flags.denied_only, "only calls that were denied or logged");
  line.Number("--rows", &flags.rows, "so many rows at most; 0: all");
  AddUnderFlag(line, &flags);
  line.Positional("verb", &words, "log [FILE...] | strace FILE... | show TRACE... | merge TRACE...", false);
  line.Footer(kUsage);
  if (const auto exit_code = line.Parse(args)) return *exit_code == 0 ? 0 : kEvidenceError;
  const std::string verb = words.empty() ? "" : words[0];
  const std::vector<std::string> operands(words.begin() + (words.empty() ? 0 : 1), words.end());
  if (const auto checked = Check(verb, operands, flags); !checked) {
    ReportEvidenceError(checked.error());
    std::fputs("try: portcullis evidence --help\n", stderr);
    return kEvidenceError;
  }
  const auto done = verb == "log"      ? Log(operands, flags)
                    : verb == "strace" ? Strace(operands, flags)
                                       : Traces(operands, flags);
  return done ? *done : ReportEvidenceError(done.error());
}

}  // namespace portcullis::cli
