#include "node/pod/status.h"

#include <algorithm>

#include "base/clock.h"
#include "node/pod/cri_config.h"
#include "node/pod/decide.h"
#include "node/pod/images.h"

namespace portcullis::node {
namespace {

class StatusMaker {
 public:
  explicit StatusMaker(const StatusInput& input)
      : in_(input),
        sandbox_(input.observed.ReadySandbox()),
        outcome_(OutcomeOf(input.pod, input.observed, input.now)) {}

  k8s::PodStatus Make() {
    const k8s::PodSpec& spec = in_.pod.spec;
    k8s::PodStatus status;
    init_done_ = InitDone();
    for (const k8s::Container& container : spec.init_containers)
      status.init_container_statuses.push_back(Of(container, true));
    for (const k8s::Container& container : spec.containers) status.container_statuses.push_back(Of(container, false));
    status.phase = k8s::PodPhase(spec, status.init_container_statuses, status.container_statuses);
    if (outcome_ == PodOutcome::kSucceeded) status.phase = "Succeeded";
    if (outcome_ == PodOutcome::kFailed) status.phase = "Failed";
    if (outcome_ == PodOutcome::kDeadlineExceeded) {
      status.phase = "Failed";
      status.reason = "DeadlineExceeded";
      status.message = "Pod was active on the node longer than the specified deadline";
    }
    status.host_ip = in_.settings.host_ip;
    if (spec.host_network && !in_.settings.host_ip.empty()) {
      if (!in_.observed.sandboxes.empty()) status.pod_ips = {in_.settings.host_ip};
    } else if (sandbox_ != nullptr) {
      status.pod_ips = sandbox_->ips;
    }
    status.start_time = in_.start_time;
    AddConditions(status);
    return status;
  }

 private:
  bool InitDone() const {
    std::string sandbox_id = sandbox_ != nullptr ? sandbox_->id : "";
    const k8s::PodSpec& spec = in_.pod.spec;
    for (const k8s::Container& container : spec.containers) {
      if (in_.observed.Newest(container.name, sandbox_id) != nullptr) return true;
    }
    return std::all_of(spec.init_containers.begin(), spec.init_containers.end(), [&](const k8s::Container& container) {
      const ObservedContainer* seen = in_.observed.Newest(container.name, sandbox_id);
      return seen != nullptr && seen->exited() && seen->exit_code == 0;
    });
  }

  std::string IdOf(const ObservedContainer& seen) const { return in_.settings.runtime_name + "://" + seen.id; }

  k8s::StateTerminated Terminated(const ObservedContainer& seen) const {
    k8s::StateTerminated state;
    state.exit_code = seen.exit_code;
    state.reason = !seen.reason.empty() ? seen.reason : seen.exit_code == 0 ? "Completed" : "Error";
    state.message = seen.message;
    state.started_at = seen.started_at;
    state.finished_at = seen.finished_at;
    state.container_id = IdOf(seen);
    return state;
  }

  // Why a container that should run does not.
  std::optional<k8s::StateWaiting> Waiting(const k8s::Container& container, const ObservedContainer* seen) const {
    auto fault = in_.memory.container_faults.find(container.name);
    if (fault != in_.memory.container_faults.end() && fault->second.Waits(in_.now))
      return Show(container, fault->second);
    if (seen != nullptr && seen->exited()) {
      auto retry = in_.memory.restarts.RetryAt(container.name, seen->finished_at);
      if (!retry || !MustWait(seen->finished_at, *retry, in_.now)) return std::nullopt;
      std::string delay = base::FormatGoDuration(std::chrono::nanoseconds(in_.memory.restarts.Delay(container.name)));
      return k8s::StateWaiting{"CrashLoopBackOff", fmt::format("back-off {} restarting failed container={} pod={}",
                                                               delay, container.name, PodForMessages(in_.pod))};
    }
    if (fault != in_.memory.container_faults.end()) return Show(container, fault->second);
    return std::nullopt;
  }

  k8s::StateWaiting Show(const k8s::Container& container, const Fault& fault) const {
    if (IsPullFailure(fault.reason) && in_.now - fault.since >= kShowPullError) {
      return {"ImagePullBackOff", BackOffMessage(container.image, fault.reason, fault.message)};
    }
    return {fault.reason, fault.message};
  }

  bool WillRestart(const ObservedContainer& seen, bool init) const {
    const std::string& policy = in_.pod.spec.restart_policy;
    if (outcome_ != PodOutcome::kGoesOn || policy == "Never") return false;
    return (policy == "Always" && !init) || seen.exit_code != 0;
  }

  k8s::ContainerStatus Of(const k8s::Container& container, bool init) const {
    k8s::ContainerStatus status;
    status.name = container.name;
    status.image = container.image;
    status.started = false;
    const ObservedContainer* seen = in_.observed.Newest(container.name);
    // A new sandbox runs everything afresh; what ran in the old one is history.
    bool history =
        seen != nullptr && sandbox_ != nullptr && seen->sandbox_id != sandbox_->id && outcome_ == PodOutcome::kGoesOn;
    bool made = seen != nullptr && seen->state != cri::ContainerState::kContainerCreated;
    if (seen != nullptr) {
      status.restart_count = seen->attempt;
      status.container_id = IdOf(*seen);
      status.image_id = seen->image_ref;
      if (!seen->image.empty() && !seen->image.starts_with("sha256:")) status.image = seen->image;
      if (seen->running()) status.user = seen->user;
    }
    const ObservedContainer* before = history && made ? seen : Before(container.name, seen);
    if (before != nullptr && before->exited()) status.last_state = Terminated(*before);

    if (made && !history && seen->running()) {
      status.state = k8s::StateRunning{seen->started_at};
      status.ready = !init;
      status.started = true;
    } else if (made && !history && seen->exited()) {
      status.state = Terminated(*seen);
      status.ready = init && seen->exit_code == 0;
      auto waiting = WillRestart(*seen, init) ? Waiting(container, seen) : std::nullopt;
      if (waiting) {
        status.last_state = status.state;
        status.state = *waiting;
      }
    } else {
      status.state = NotStarted(container, init, seen);
    }
    return status;
  }

  k8s::StateWaiting NotStarted(const k8s::Container& container, bool init, const ObservedContainer* seen) const {
    if (auto waiting = Waiting(container, seen != nullptr && seen->exited() ? nullptr : seen)) return *waiting;
    bool pod_waits = in_.memory.pod_fault.has_value();
    if (pod_waits) return {"ContainerCreating", in_.memory.pod_fault->message};
    bool needs_init = !in_.pod.spec.init_containers.empty();
    if (needs_init && (init ? sandbox_ != nullptr : !init_done_)) return {"PodInitializing", ""};
    return {"ContainerCreating", ""};
  }

  // The run before the newest one.
  const ObservedContainer* Before(const std::string& name, const ObservedContainer* newest) const {
    for (const ObservedContainer& candidate : in_.observed.containers) {
      if (candidate.name == name && &candidate != newest) return &candidate;
    }
    return nullptr;
  }

  void AddConditions(k8s::PodStatus& status) const {
    std::string not_ready;
    for (const k8s::ContainerStatus& container : status.container_statuses) {
      if (!container.ready) not_ready += (not_ready.empty() ? "" : " ") + container.name;
    }
    std::string not_initialised;
    for (const k8s::ContainerStatus& container : status.init_container_statuses) {
      if (!container.ready && !init_done_) not_initialised += (not_initialised.empty() ? "" : " ") + container.name;
    }
    bool ended = status.phase == "Succeeded" || status.phase == "Failed";
    bool ready = not_ready.empty() && !ended;
    std::string why = ended && status.phase == "Succeeded" ? "PodCompleted"
                      : ended                              ? "PodFailed"
                                                           : "ContainersNotReady";
    std::string what =
        status.phase == "Succeeded" || ready ? "" : "containers with unready status: [" + not_ready + "]";
    if (ready) why.clear();
    bool initialised = not_initialised.empty();
    auto add = [&](const char* type, bool value, const std::string& reason, const std::string& message) {
      k8s::PodCondition condition{
          .type = type, .status = value, .reason = reason, .message = message, .last_transition_time = in_.now};
      if (in_.previous != nullptr) {
        for (const k8s::PodCondition& old : in_.previous->conditions) {
          if (old.type == condition.type && old.status == value)
            condition.last_transition_time = old.last_transition_time;
        }
      }
      status.conditions.push_back(std::move(condition));
    };
    add("PodReadyToStartContainers", sandbox_ != nullptr && (sandbox_->host_network || !sandbox_->ips.empty()), "", "");
    add("Initialized", initialised, initialised ? "" : "ContainersNotInitialized",
        initialised ? "" : "containers with incomplete status: [" + not_initialised + "]");
    add("Ready", ready, why, what);
    add("ContainersReady", ready, why, what);
    add("PodScheduled", true, "", "");
  }

  const StatusInput& in_;
  const ObservedSandbox* sandbox_;
  PodOutcome outcome_;
  bool init_done_ = false;
};

}  // namespace

k8s::PodStatus ComputeStatus(const StatusInput& input) { return StatusMaker(input).Make(); }

}  // namespace portcullis::node
