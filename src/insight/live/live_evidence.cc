#include "insight/live/live_evidence.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <optional>
#include <unordered_map>

#include "base/clock.h"
#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "host/proc/process.h"
#include "insight/live/proc_events.h"
#include "insight/live/process_owners.h"

namespace portcullis::insight {
namespace {

// The stamp of a record is of a coarse clock, and so is the start of a process.
constexpr int64_t kClockSlackNanos = 50'000'000;

int64_t ClockNanos(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

int64_t StartOf(const host::ProcessStat& stat) {
  static const int64_t ticks = ::sysconf(_SC_CLK_TCK);
  const int64_t since_boot = static_cast<int64_t>(stat.start_time_ticks) * (1'000'000'000 / ticks);
  return ClockNanos(CLOCK_REALTIME) - ClockNanos(CLOCK_BOOTTIME) + since_boot;
}

// Of a process that ends, /proc/PID/cgroup shows the root in v1 hierarchies; the unified one keeps its last cgroup, on
// hybrid hosts maybe that of the monitor which executed it.
bool HoldsToTheEnd(std::string_view cgroups) {
  if (const auto owner = OwnerOfCgroupFile(cgroups); owner && !owner->is_monitor) return true;
  return cgroups.starts_with("0::") && cgroups.find('\n') + 1 == cgroups.size();
}

}  // namespace

struct LiveEvidence::State {
  LiveOptions options;
  std::optional<LiveAudit> audit;
  std::optional<ProcEvents> events;
  std::string why_not_followed;
  ProcessOwners owners;
  Evidence evidence;
  std::unordered_map<std::string, size_t> workload_of;  // by container id
  std::vector<std::string> unnamed;                     // ids of containers that the runtime is to be asked for again
  std::chrono::steady_clock::time_point ask_again;
  uint64_t records = 0;
  uint64_t unattributed = 0;
  uint64_t beyond = 0;  // of containers for which there was no room
  std::string end_not_known;

  // The cgroup as it is now; false: the process is gone, or too nearly so to tell.
  bool Look(uint32_t pid) {
    const auto text = host::ReadCgroups(static_cast<pid_t>(pid), options.proc_dir);
    if (!text || text->empty()) return false;
    // Behind the text: it may have begun to end while it was read.
    const auto stat = host::ReadStat(static_cast<pid_t>(pid), options.proc_dir);
    if ((!stat || stat->is_exiting) && !HoldsToTheEnd(*text)) return false;
    owners.SetCgroup(pid, *text);
    return true;
  }

  void LookAtAll() {
    const auto names = base::ListDir(options.proc_dir);
    if (!names) return;
    for (const std::string& name : *names) {
      if (const auto pid = base::ParseUint(name); pid && *pid <= UINT32_MAX) Look(static_cast<uint32_t>(*pid));
    }
  }

  Result<void> TakeEvents() {
    if (!events) return {};
    ASSIGN_OR_RETURN(const bool whole, events->Read([this](const ProcEvent& event) {
      switch (event.kind) {
        case ProcEvent::Kind::kFork:
          return owners.Forked(event.parent, event.pid);
        case ProcEvent::Kind::kExec:
          // A runtime moves a container's first process into its cgroup before this.
          if (!Look(event.pid)) owners.MissedExec(event.pid);
          return;
        case ProcEvent::Kind::kChange: {
          // In a container it stays; what is in none may have come into one.
          const auto owner = owners.OwnerOf(event.pid);
          if (!owner || !*owner) Look(event.pid);
          return;
        }
        case ProcEvent::Kind::kExit:
          return owners.Exited(event.pid);
      }
    }));
    if (whole) return {};
    // Whose child took a pid that is known as another's, nobody can tell: only those who live are known.
    owners.Forget();
    LookAtAll();
    return {};
  }

  size_t WorkloadOf(const CgroupOwner& owner) {
    const auto found = workload_of.find(owner.container_id);
    if (found != workload_of.end()) return found->second;
    Workload workload{.pod_uid = owner.pod_uid, .container_id = owner.container_id};
    if (evidence.workloads().size() + 1 >= Evidence::kMaxWorkloads) {
      ++beyond;
      return evidence.AddWorkload(workload);
    }
    const bool is_named = Ask(workload);
    const size_t index = evidence.AddWorkload(workload);
    workload_of.emplace(owner.container_id, index);
    if (!is_named) unnamed.push_back(owner.container_id);
    return index;
  }

  // False: the runtime does not answer, or did not a moment ago: reading must not wait for it again and again.
  bool Ask(Workload& workload) {
    if (!options.describe) return true;
    if (base::Now() < ask_again) return false;
    auto told = options.describe(workload);
    if (!told) {
      ask_again = base::Now() + options.ask_again;
      return false;
    }
    workload = *std::move(told);
    return true;
  }

  void AskAgain() {
    while (!unnamed.empty()) {
      const size_t index = workload_of.at(unnamed.back());
      Workload workload = evidence.workloads()[index];
      if (!Ask(workload)) return;
      evidence.Describe(index, workload);
      unnamed.pop_back();
    }
  }

  // nullopt: nobody knows. A living process tells itself; one that has ended is known from its parent.
  std::optional<ProcessOwner> OwnerOfWriter(const AuditRecord& record) {
    const auto stat = host::ReadStat(static_cast<pid_t>(record.pid), options.proc_dir);
    if (stat && StartOf(*stat) > record.time_unix_nanos + kClockSlackNanos) return std::nullopt;  // the pid again
    if (stat && Look(record.pid)) return owners.OwnerOf(record.pid);
    // Without events what is known of a pid may be of the one that had it before.
    if (!events) return std::nullopt;
    (void)TakeEvents();
    return owners.OwnerOf(record.pid);
  }

  void TakeRecord(const AuditRecord& record) {
    ++records;
    const auto owner = OwnerOfWriter(record);
    if (!events) owners.Forget();
    size_t workload = 0;
    if (!owner) {
      ++unattributed;
      workload = evidence.AddWorkload({});
    } else if (!*owner || (*owner)->is_monitor) {
      workload = evidence.AddWorkload({.command = kNoContainer});
    } else {
      workload = WorkloadOf(**owner);
    }
    evidence.Add({.workload = workload,
                  .executable = DecodeAuditString(record.exe),
                  .comm = DecodeAuditString(record.comm),
                  .audit_arch = record.arch,
                  .number = record.number,
                  .result = ResultOfCode(record.code)},
                 {.count = 1, .first = record.time_unix_nanos, .last = record.time_unix_nanos, .address = record.ip});
    if (options.show) options.show(record, evidence.workloads()[workload]);
  }
};

LiveEvidence::LiveEvidence(std::unique_ptr<State> state) : state_(std::move(state)) {}
LiveEvidence::LiveEvidence(LiveEvidence&&) noexcept = default;
LiveEvidence& LiveEvidence::operator=(LiveEvidence&&) noexcept = default;
LiveEvidence::~LiveEvidence() = default;

Result<LiveEvidence> LiveEvidence::Open(LiveOptions options) {
  auto state = std::make_unique<State>();
  state->options = std::move(options);
  // Events first: who is made from now on is known, whenever its first record comes.
  if (auto events = ProcEvents::Open()) {
    state->events = std::move(*events);
  } else {
    state->why_not_followed = events.error().message;
  }
  ASSIGN_OR_RETURN(LiveAudit audit, LiveAudit::Open(state->options.source));
  state->audit = std::move(audit);
  if (state->events) state->LookAtAll();
  state->evidence.LimitCalls(state->options.max_calls);
  state->evidence.source = state->audit->source() == AuditSource::kMulticast ? "audit-live" : "kmsg-live";
  if (!state->options.begin_with.source.empty()) state->evidence.Merge(state->options.begin_with);
  state->options.begin_with = {};
  const auto& workloads = state->evidence.workloads();
  for (size_t i = 0; i < workloads.size(); ++i) {
    if (!workloads[i].container_id.empty()) state->workload_of.emplace(workloads[i].container_id, i);
  }
  return LiveEvidence(std::move(state));
}

const LiveAudit& LiveEvidence::audit() const { return *state_->audit; }
const std::string& LiveEvidence::why_not_followed() const { return state_->why_not_followed; }
uint64_t LiveEvidence::records() const { return state_->records; }

Result<void> LiveEvidence::Step(std::chrono::milliseconds timeout) {
  pollfd wait[2] = {{.fd = state_->audit->fd(), .events = POLLIN, .revents = 0},
                    {.fd = state_->events ? state_->events->fd() : -1, .events = POLLIN, .revents = 0}};
  if (::poll(wait, 2, static_cast<int>(timeout.count())) < 0 && errno != EINTR) {
    return FailErrno(errno, "wait for audit records");
  }
  TRY(state_->TakeEvents());
  state_->AskAgain();
  return state_->audit->Receive(std::chrono::milliseconds(0),
                                [this](const AuditRecord& record) { state_->TakeRecord(record); });
}

Result<void> LiveEvidence::TakeAllSoFar() {
  TRY(state_->TakeEvents());
  const auto taken = state_->audit->ReceiveAllSoFar([this](const AuditRecord& record) { state_->TakeRecord(record); });
  state_->end_not_known = taken ? "" : taken.error().message;
  state_->AskAgain();
  return {};
}

Evidence LiveEvidence::Snapshot() const {
  Evidence out = state_->evidence;
  for (Loss& loss : state_->audit->Losses()) out.completeness.AddLoss(std::move(loss));
  if (state_->unattributed > 0) {
    const std::string why = state_->why_not_followed.empty() ? "" : " (" + state_->why_not_followed + ")";
    out.completeness.AddLoss(
        {"attribution", state_->unattributed, "records whose process had ended before its container was known" + why});
  }
  if (state_->beyond > 0) {
    out.completeness.AddLoss({"attribution", state_->beyond,
                              fmt::format("records of containers beyond the first {}", Evidence::kMaxWorkloads)});
  }
  if (!state_->end_not_known.empty()) {
    out.completeness.AddLoss({"audit", 0, "the last records: " + state_->end_not_known});
  }
  out.completeness.unseen.insert(
      {std::string(unseen::kArguments), std::string(unseen::kAllowedCalls), std::string(unseen::kErrno)});
  return out;
}

}  // namespace portcullis::insight
