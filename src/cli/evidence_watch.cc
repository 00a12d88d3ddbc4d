// portcullis evidence watch: seccomp records as they happen, with their pods.
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "base/clock.h"
#include "base/strings.h"
#include "base/try.h"
#include "cli/command_line.h"
#include "cli/crictl/client_config.h"
#include "cli/daemon.h"
#include "cli/evidence/container_names.h"
#include "cli/evidence/evidence_table.h"
#include "cli/evidence_verbs.h"
#include "cri/grpc/client.h"
#include "insight/evidence/trace_file.h"
#include "insight/live/live_evidence.h"

namespace portcullis::cli {
namespace {

constexpr std::chrono::milliseconds kStep{500};
// A crash loses no more than this much of a trace that is being written.
constexpr std::chrono::seconds kBetweenTraces{30};
// A runtime that does not answer must not hold up the reading of records.
constexpr std::chrono::seconds kRuntimeTimeout{2};

struct Flags {
  EvidenceOutput output;
  std::string duration;
  std::string endpoint;
  std::string source = "best";
};

Result<insight::AuditSource> SourceOf(const std::string& word) {
  if (word == "best") return insight::AuditSource::kBest;
  if (word == "audit") return insight::AuditSource::kMulticast;
  if (word == "kmsg") return insight::AuditSource::kKernelLog;
  return Fail(Code::kInvalidArgument, "--source={}: expected best, audit or kmsg", word);
}

// The runtime that knows the names of pods. A host without one has container ids all the same.
class Runtime {
 public:
  explicit Runtime(std::string endpoint) : endpoint_(std::move(endpoint)) {}

  Result<void> Connect(std::chrono::milliseconds patience) {
    asked_ = true;
    auto connected = cri::Connect({.endpoint = endpoint_, .timeout = kRuntimeTimeout, .connect_timeout = patience});
    if (!connected) {
      error_ = connected.error().message;
      return Failure(connected.error());
    }
    api_ = std::move(*connected);
    names_ = ContainerNames(api_.get());
    return {};
  }

  insight::Workload Describe(const insight::Workload& known) {
    if (!asked_) (void)Connect(std::chrono::milliseconds(200));
    return names_.Describe(known);
  }

  const std::string& error() const { return error_.empty() ? names_.error() : error_; }

 private:
  std::string endpoint_;
  bool asked_ = false;
  std::unique_ptr<cri::RuntimeApi> api_;
  ContainerNames names_{nullptr};
  std::string error_;
};

Result<int> Watch(const Flags& flags) {
  ASSIGN_OR_RETURN(const insight::AuditSource source, SourceOf(flags.source));
  std::optional<std::chrono::nanoseconds> duration;
  if (!flags.duration.empty()) {
    duration = base::ParseGoDuration(flags.duration);
    if (!duration || duration->count() <= 0) {
      return Fail(Code::kInvalidArgument, "--for={}: expected a time such as 10m or 30s", flags.duration);
    }
  }
  StopSignals stop;
  ASSIGN_OR_RETURN(const std::string endpoint, RuntimeEndpoint(flags.endpoint));
  Runtime runtime(endpoint);
  // An endpoint that was asked for must answer; another is looked for when the first container shows.
  if (!flags.endpoint.empty()) TRY(runtime.Connect(std::chrono::seconds(2)));
  ASSIGN_OR_RETURN(
      insight::LiveEvidence live,
      insight::LiveEvidence::Open({.source = source, .describe = [&runtime](const insight::Workload& known) {
                                     return runtime.Describe(known);
                                   }}));
  if (!live.audit().why_not_multicast().empty()) {
    std::fprintf(stderr, "reading the kernel's log, whose rate limit drops records: %s\n",
                 live.audit().why_not_multicast().c_str());
  }
  if (!live.why_not_followed().empty()) {
    std::fprintf(stderr, "processes that end at once have no container: %s\n", live.why_not_followed().c_str());
  }
  std::fprintf(stderr, "watching seccomp records%s\n",
               duration ? (" for " + base::FormatGoDuration(*duration)).c_str() : " until interrupted");
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  const auto begin = base::Now();
  auto written = begin;
  while (!stop.Arrived() && (!duration || base::Now() - begin < *duration)) {
    auto step = kStep;
    if (duration) {
      step = std::min(step, std::chrono::duration_cast<std::chrono::milliseconds>(*duration - (base::Now() - begin)) +
                                std::chrono::milliseconds(1));
    }
    TRY(live.Step(step));
    if (terminal) std::fprintf(stderr, "\r\033[K%llu records", static_cast<unsigned long long>(live.records()));
    if (!flags.output.out.empty() && flags.output.out != "-" && base::Now() - written > kBetweenTraces) {
      insight::Evidence so_far = live.Snapshot();
      so_far.completeness.cut_off = true;
      TRY(insight::WriteTrace(so_far, flags.output.out));
      written = base::Now();
    }
  }
  // What was written before the end may not have been read yet.
  TRY(live.Step(std::chrono::milliseconds(0)));
  if (terminal) std::fputs("\r\033[K", stderr);
  std::fprintf(stderr, "%llu records\n", static_cast<unsigned long long>(live.records()));
  if (!runtime.error().empty()) {
    std::fprintf(stderr, "some pods have no name, only container ids: %s\n", runtime.error().c_str());
  }
  return FinishEvidence(live.Snapshot(), flags.output);
}

}  // namespace

int EvidenceWatchMain(const std::vector<std::string>& args) {
  Flags flags;
  CommandLine line("portcullis evidence watch",
                   "Seccomp records as the kernel writes them, each with its pod; beside or without an audit daemon.");
  line.Text("--for", &flags.duration, "end after this time, such as 10m; until interrupted when not given");
  line.Text("-o,--out", &flags.output.out, "write a trace, every 30 s and at the end");
  line.Text("--format", &flags.output.format, "table or trace");
  line.Number("--rows", &flags.output.rows, "so many rows at most; 0: all");
  AddUnderFlag(line, &flags.output);
  line.Text("--source", &flags.source, "audit (the audit system's multicast group), kmsg (the kernel's log) or best");
  line.Text("-r,--runtime-endpoint", &flags.endpoint,
            "socket of the runtime that knows the pods (default: as crictl finds it)");
  line.Footer("Exit codes: 0 good, 1 the evidence is INCOMPLETE (it says what was lost), 2 an error.");
  if (const auto exit_code = line.Parse(args)) return *exit_code == 0 ? 0 : kEvidenceError;
  const auto done = Watch(flags);
  return done ? *done : ReportEvidenceError(done.error());
}

}  // namespace portcullis::cli
