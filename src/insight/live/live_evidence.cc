#include "insight/live/live_evidence.h"

#include <poll.h>

#include <optional>
#include <unordered_map>

#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "host/proc/process.h"
#include "insight/live/proc_events.h"
#include "insight/live/process_owners.h"

namespace portcullis::insight {
struct LiveEvidence::State {
  LiveOptions options;
  std::optional<LiveAudit> audit;
  std::optional<ProcEvents> events;
  std::string why_not_followed;
  uint64_t event_overruns = 0;
  ProcessOwners owners;
  Evidence evidence;
  std::unordered_map<std::string, size_t> workload_of;  // by container id
  uint64_t records = 0;
  uint64_t unattributed = 0;

  // The cgroup as it is now; false: the process is gone.
  bool Look(uint32_t pid) {
    const auto text = host::ReadCgroups(static_cast<pid_t>(pid), options.proc_dir);
    if (!text || text->empty()) return false;
    owners.SetCgroup(pid, *text);
    return true;
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
        case ProcEvent::Kind::kExit:
          return owners.Exited(event.pid);
      }
    }));
    if (!whole) ++event_overruns;
    return {};
  }

  size_t WorkloadOf(const CgroupOwner& owner) {
    const auto found = workload_of.find(owner.container_id);
    if (found != workload_of.end()) return found->second;
    Workload workload{.pod_uid = owner.pod_uid, .container_id = owner.container_id};
    if (options.describe) workload = options.describe(workload);
    const size_t index = evidence.AddWorkload(workload);
    workload_of.emplace(owner.container_id, index);
    return index;
  }

  void TakeRecord(const AuditRecord& record) {
    ++records;
    // A living process tells itself; one that has ended is known from its parent.
    if (!Look(record.pid)) (void)TakeEvents();
    const auto owner = owners.OwnerOf(record.pid);
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
  ASSIGN_OR_RETURN(const auto names, base::ListDir(state->options.proc_dir));
  for (const std::string& name : names) {
    if (const auto pid = base::ParseUint(name); pid && *pid <= UINT32_MAX) state->Look(static_cast<uint32_t>(*pid));
  }
  state->evidence.source = state->audit->source() == AuditSource::kMulticast ? "audit-live" : "kmsg-live";
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
  return state_->audit->Receive(std::chrono::milliseconds(0),
                                [this](const AuditRecord& record) { state_->TakeRecord(record); });
}

Evidence LiveEvidence::Snapshot() const {
  Evidence out = state_->evidence;
  for (Loss& loss : state_->audit->Losses()) out.completeness.losses.push_back(std::move(loss));
  if (state_->unattributed > 0) {
    const std::string why = state_->why_not_followed.empty() ? "" : " (" + state_->why_not_followed + ")";
    out.completeness.losses.push_back(
        {"attribution", state_->unattributed, "records whose process had ended before its container was known" + why});
  }
  if (state_->event_overruns > 0) out.completeness.unseen.insert("which container some short-lived processes were in");
  out.completeness.unseen.insert(
      {"arguments", "calls that a profile allows without logging", "the errno of a denied call"});
  return out;
}

}  // namespace portcullis::insight
