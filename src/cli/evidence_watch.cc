// portcullis evidence watch: seccomp records as they happen, with their pods.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "cli/command_line.h"
#include "cli/crictl/client_config.h"
#include "cli/daemon.h"
#include "cli/evidence/container_names.h"
#include "cli/evidence/evidence_table.h"
#include "cli/evidence_verbs.h"
#include "cri/grpc/client.h"
#include "insight/evidence/compressed_file.h"
#include "insight/evidence/trace_file.h"
#include "insight/live/live_evidence.h"

namespace portcullis::cli {
namespace {

constexpr std::chrono::milliseconds kStep{500};
// A runtime that does not answer must not hold up the reading of records.
constexpr std::chrono::seconds kRuntimeTimeout{2};
constexpr std::chrono::milliseconds kConnectPatience{200};
// What programs do decides how many distinct calls there are. So many take some 50 MB.
constexpr int kDefaultMaxCalls = 1 << 17;

struct Flags {
  EvidenceOutput output;
  std::string duration;
  std::string every = "30s";  // a crash loses no more than this much of a trace that is being written
  std::string endpoint;
  std::string source = "best";
  int max_calls = kDefaultMaxCalls;
};

Result<insight::AuditSource> SourceOf(const std::string& word) {
  if (word == "best") return insight::AuditSource::kBest;
  if (word == "audit") return insight::AuditSource::kMulticast;
  if (word == "kmsg") return insight::AuditSource::kKernelLog;
  return Fail(Code::kInvalidArgument, "--source={}: expected best, audit or kmsg", word);
}

Result<std::chrono::nanoseconds> TimeOf(const char* flag, const std::string& word) {
  const auto time = base::ParseGoDuration(word);
  if (time && time->count() > 0) return *time;
  return Fail(Code::kInvalidArgument, "{}={}: expected a time such as 10m or 30s", flag, word);
}

// The runtime that knows the names of pods. A host without one has container ids all the same.
class Runtime {
 public:
  explicit Runtime(std::string endpoint) : endpoint_(std::move(endpoint)) {}

  Result<void> Connect(std::chrono::milliseconds patience) {
    auto connected = cri::Connect({.endpoint = endpoint_, .timeout = kRuntimeTimeout, .connect_timeout = patience});
    if (!connected) {
      error_ = connected.error().message;
      return Failure(connected.error());
    }
    api_ = std::move(*connected);
    return {};
  }

  // nullopt: it does not answer now.
  std::optional<insight::Workload> Describe(const insight::Workload& known) {
    if (api_ == nullptr && !Connect(kConnectPatience)) return std::nullopt;
    ContainerNames names(api_.get());
    auto told = names.Describe(known);
    error_ = names.error();
    return told;
  }

  // Why it did not answer when it was last asked; "" when it did.
  const std::string& error() const { return error_; }

 private:
  std::string endpoint_;
  std::unique_ptr<cri::RuntimeApi> api_;
  std::string error_;
};

bool IsFile(const std::string& out) { return !out.empty() && out != "-"; }

// What an earlier watch wrote into the same file: this one goes on with it, so that a restart loses nothing.
Result<insight::Evidence> Earlier(const std::string& out) {
  if (!IsFile(out)) return insight::Evidence();
  insight::RemoveHalfWritten(out);
  if (!base::Exists(out)) return insight::Evidence();
  auto read = insight::ReadTrace(out);
  if (!read) return Wrap(std::move(read).error(), "--out: there is a file that cannot be gone on with");
  insight::Completeness& completeness = read->completeness;
  if (std::exchange(completeness.cut_off, false)) {
    completeness.AddLoss({"watch", 0, "an earlier watch was stopped before it could write its end"});
  }
  std::fprintf(stderr, "going on with the %zu distinct calls of %s\n", read->calls().size(), out.c_str());
  return read;
}

// Writes now and then what there is. A disk that is full now may not be so later, and must not end the watch.
class PeriodicTrace {
 public:
  PeriodicTrace(std::string path, std::chrono::nanoseconds every) : path_(std::move(path)), every_(every) {}

  void Step(const insight::LiveEvidence& live) {
    if (!IsFile(path_) || base::Now() - written_ < every_) return;
    written_ = base::Now();
    insight::Evidence so_far = live.Snapshot();
    so_far.completeness.cut_off = true;
    if (const auto done = insight::WriteTrace(so_far, path_); !done) {
      std::fprintf(stderr, "%s; trying again in %s\n", done.error().message.c_str(),
                   base::FormatGoDuration(every_).c_str());
    }
  }

 private:
  std::string path_;
  std::chrono::nanoseconds every_;
  std::chrono::steady_clock::time_point written_ = base::Now();
};

Result<int> Watch(const Flags& flags) {
  ASSIGN_OR_RETURN(const insight::AuditSource source, SourceOf(flags.source));
  std::optional<std::chrono::nanoseconds> duration;
  if (!flags.duration.empty()) {
    ASSIGN_OR_RETURN(duration, TimeOf("--for", flags.duration));
  }
  ASSIGN_OR_RETURN(const std::chrono::nanoseconds every, TimeOf("--every", flags.every));
  if (flags.max_calls < 1) return Fail(Code::kInvalidArgument, "--max-calls={}: expected 1 or more", flags.max_calls);
  StopSignals stop;
  ASSIGN_OR_RETURN(insight::Evidence earlier, Earlier(flags.output.out));
  ASSIGN_OR_RETURN(const std::string endpoint, RuntimeEndpoint(flags.endpoint));
  Runtime runtime(endpoint);
  // An endpoint that was asked for must answer; another is looked for when the first container shows.
  if (!flags.endpoint.empty()) TRY(runtime.Connect(std::chrono::seconds(2)));
  ASSIGN_OR_RETURN(
      insight::LiveEvidence live,
      insight::LiveEvidence::Open({.source = source,
                                   .describe = [&](const insight::Workload& known) { return runtime.Describe(known); },
                                   .begin_with = std::move(earlier),
                                   .max_calls = static_cast<size_t>(flags.max_calls)}));
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
  PeriodicTrace periodic(flags.output.out, every);
  Result<void> read;
  while (read && !stop.Arrived() && (!duration || base::Now() - begin < *duration)) {
    auto step = kStep;
    if (duration) {
      step = std::min(step, std::chrono::duration_cast<std::chrono::milliseconds>(*duration - (base::Now() - begin)) +
                                std::chrono::milliseconds(1));
    }
    read = live.Step(step);
    if (terminal) std::fprintf(stderr, "\r\033[K%llu records", static_cast<unsigned long long>(live.records()));
    periodic.Step(live);
  }
  if (read) read = live.TakeAllSoFar();
  if (terminal) std::fputs("\r\033[K", stderr);
  std::fprintf(stderr, "%llu records\n", static_cast<unsigned long long>(live.records()));
  if (!runtime.error().empty()) {
    std::fprintf(stderr, "some pods have no name, only container ids: %s\n", runtime.error().c_str());
  }
  insight::Evidence evidence = live.Snapshot();
  // What there is, is written all the same.
  if (!read) evidence.completeness.AddLoss({"audit", 0, "the watch ended early: " + read.error().message});
  return FinishEvidence(evidence, flags.output);
}

}  // namespace

int EvidenceWatchMain(const std::vector<std::string>& args) {
  Flags flags;
  CommandLine line("portcullis evidence watch",
                   "Seccomp records as the kernel writes them, each with its pod; beside or without an audit daemon.");
  line.Text("--for", &flags.duration, "end after this time, such as 10m; until interrupted when not given");
  line.Text("-o,--out", &flags.output.out,
            "write a trace, now and then and at the end; one that is there already is gone on with");
  line.Text("--every", &flags.every, "how often the trace is written; the file is replaced whole");
  line.Number("--max-calls", &flags.max_calls,
              "distinct calls that are kept, each some 400 bytes; more are lost, and counted as lost");
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
