// portcullis record: what a command or containers call, with what became of each call.
#include <unistd.h>

#include <cstdio>

#include "base/clock.h"
#include "base/strings.h"
#include "base/try.h"
#include "cli/command_line.h"
#include "cli/evidence/evidence_table.h"
#include "cli/record_verbs.h"
#include "cli/verbs.h"
#include "insight/evidence/trace_file.h"

namespace portcullis::cli {
namespace {

constexpr const char* kFooter = R"(
usage: portcullis record [flags] -- COMMAND [ARG...]
       portcullis record [flags] --pod NAMESPACE/NAME [--container NAME] [--from-start]
       portcullis record [flags] --container-id ID | --cgroup PATH

Exit codes of a recorded command: its own; 125 when it could not be recorded, 126 when it could not be run. Otherwise: 0
good, 1 the evidence is INCOMPLETE (it says what was lost), 2 an error.
)";

constexpr int kIncomplete = 1;
constexpr int kError = 2;
constexpr int kCannotRecord = 125;  // as timeout(1) and nohup(1) have it
constexpr int kCannotRun = 126;

CommandLine::Take TakeDuration(const std::string& flag, std::chrono::nanoseconds* target) {
  return [flag, target](const std::string& value) -> Result<void> {
    const auto time = base::ParseGoDuration(value);
    if (!time || time->count() <= 0) {
      return Fail(Code::kInvalidArgument, "{}={}: expected a duration, as in 10m", flag, value);
    }
    *target = *time;
    return {};
  };
}

CommandLine::Take AddTo(std::vector<std::string>* target) {
  return [target](const std::string& value) -> Result<void> {
    target->push_back(value);
    return {};
  };
}

Result<void> Check(RecordFlags& flags, const std::string& recorder, const std::string& pod) {
  if (recorder == "auto") {
    flags.recorder = RecorderKind::kAuto;
  } else if (recorder == "ebpf") {
    flags.recorder = RecorderKind::kEbpf;
  } else if (recorder == "ptrace") {
    flags.recorder = RecorderKind::kPtrace;
  } else {
    return Fail(Code::kInvalidArgument, "--recorder={}: expected auto, ebpf or ptrace", recorder);
  }
  if (!pod.empty()) {
    const size_t slash = pod.find('/');
    if (slash == 0 || slash == std::string::npos || slash + 1 == pod.size() ||
        pod.find('/', slash + 1) != std::string::npos) {
      return Fail(Code::kInvalidArgument, "--pod={}: expected NAMESPACE/NAME, as in default/web", pod);
    }
    flags.pod_namespace = pod.substr(0, slash);
    flags.pod = pod.substr(slash + 1);
  }
  const bool has_containers = !pod.empty() || !flags.container_ids.empty() || !flags.cgroups.empty();
  if (has_containers == !flags.command.empty()) {
    return Fail(Code::kInvalidArgument, "expected a command behind --, or one of --pod, --container-id and --cgroup");
  }
  if (pod.empty() && (!flags.container.empty() || flags.from_start)) {
    return Fail(Code::kInvalidArgument, "--container and --from-start go with --pod");
  }
  constexpr int kMostCalls = 1 << 22;
  if (flags.max_calls < 1 || flags.max_calls > kMostCalls) {
    return Fail(Code::kInvalidArgument, "--max-calls={}: expected 1 to {}", flags.max_calls, kMostCalls);
  }
  return {};
}

struct Numbers {
  uint64_t calls = 0;
  uint64_t distinct = 0;
  uint64_t denied = 0;  // or logged
};

Numbers Count(const insight::Evidence& evidence) {
  Numbers numbers;
  for (const auto& [call, facts] : evidence.calls()) {
    numbers.calls += facts.count;
    ++numbers.distinct;
    if (call.result != insight::CallResult::kAllowed) numbers.denied += facts.count;
  }
  return numbers;
}

// Of a command, standard output is the command's.
Result<void> Tell(const insight::Evidence& evidence, const RecordFlags& flags) {
  if (!flags.out.empty()) TRY(insight::WriteTrace(evidence, flags.out));
  const Numbers numbers = Count(evidence);
  std::FILE* to = flags.command.empty() && flags.out != "-" ? stdout : stderr;
  if (flags.out.empty()) std::fputs(EvidenceTable(evidence, {}).c_str(), to);
  std::fprintf(to, "portcullis record: %llu calls, %llu distinct, %llu denied or logged%s%s\n%s",
               static_cast<unsigned long long>(numbers.calls), static_cast<unsigned long long>(numbers.distinct),
               static_cast<unsigned long long>(numbers.denied), flags.out.empty() || flags.out == "-" ? "" : ", in ",
               flags.out == "-" ? "" : flags.out.c_str(), CompletenessText(evidence).c_str());
  return {};
}

}  // namespace

int RecordMain(const std::vector<std::string>& args) {
  RecordFlags flags;
  std::string recorder = "auto";
  std::string pod;
  CommandLine line(
      "portcullis record",
      "Records what a command or containers call: each distinct system call with the arguments that default "
      "profiles test, what became of it, how often, and in which phase.");
  line.Text("-o,--out", &flags.out,
            "trace file (compressed when its name ends in .gz, - is standard output); a table otherwise");
  line.Each("--for", TakeDuration("--for", &flags.time), "end the recording after this time; a command runs on");
  line.Text("--recorder", &recorder, "ebpf, ptrace (commands only), or auto: ptrace where eBPF is not to be had");
  line.Text("--pod", &pod,
            "NAMESPACE/NAME: the containers of a pod of this node, and those that start in it meanwhile");
  line.Text("--container", &flags.container, "only this container of the pod");
  line.Bool("--from-start", &flags.from_start,
            "wait for containers of the pod to start, and record each from its first instruction (our runtime only)");
  line.Each("--container-id", AddTo(&flags.container_ids),
            "a running container of any runtime; the id may be shortened; may be repeated");
  line.Each("--cgroup", AddTo(&flags.cgroups),
            "all processes in a cgroup and below it, as /proc/PID/cgroup names it; may be repeated");
  line.Each("--init", TakeDuration("--init", &flags.init),
            "a program that does not listen counts as serving after this time (default 10s)");
  line.Number("--max-calls", &flags.max_calls,
              "distinct calls that the kernel keeps; more are lost, and counted as lost");
  line.Text("--runtime-endpoint", &flags.endpoint,
            "socket of the runtime that --pod asks (default: as crictl finds it)");
  line.Text("--run-dir", &flags.run_dir, "--run-dir of the node or runtime that tells of starting containers");
  line.Footer(kFooter);

  DashedWords words = SplitAtDashes(args);
  flags.command = std::move(words.command);
  if (const auto exit_code = line.Parse(std::move(words.flags))) return *exit_code == 0 ? 0 : kError;
  const int cannot = flags.command.empty() ? kError : kCannotRecord;
  const auto fail = [](const Error& error, int code) {
    std::fprintf(stderr, "portcullis record: %s\n", error.message.c_str());
    return code;
  };
  if (const auto checked = Check(flags, recorder, pod); !checked) return fail(checked.error(), cannot);
  const auto recorded = flags.command.empty() ? RecordContainers(flags) : RecordCommand(flags);
  if (!recorded) return fail(recorded.error(), cannot);
  if (recorded->not_run) return fail(*recorded->not_run, kCannotRun);
  if (const auto told = Tell(recorded->evidence, flags); !told) return fail(told.error(), cannot);
  if (!flags.command.empty()) return recorded->command_status;
  return recorded->evidence.IsComplete() ? 0 : kIncomplete;
}

}  // namespace portcullis::cli
