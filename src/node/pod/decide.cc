#include "node/pod/decide.h"

#include <algorithm>
#include <set>

namespace portcullis::node {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

bool Created(const ObservedContainer& container) { return container.state == cri::ContainerState::kContainerCreated; }
bool Unknown(const ObservedContainer& container) { return container.state == cri::ContainerState::kContainerUnknown; }

bool DefinitionChanged(const k8s::Container& container, const ObservedContainer& seen) {
  return !seen.hash.empty() && seen.hash != ContainerHash(container);
}

// After an exit, by the pod's policy (init containers: OnFailure where the pod says Always).
bool MayRestart(const k8s::PodSpec& spec, bool init, const ObservedContainer& seen) {
  if (spec.restart_policy == "Never") return false;
  return (spec.restart_policy == "Always" && !init) || seen.exit_code != 0;
}

// Of the container's runs in any sandbox, the one whose count the next run continues.
int NextAttempt(const ObservedPod& observed, const std::string& name) {
  int next = 0;
  for (const ObservedContainer& seen : observed.containers) {
    if (seen.name == name && !Created(seen)) next = std::max(next, seen.attempt + 1);
  }
  return next;
}

int64_t GraceSeconds(const DecideInput& input) {
  int64_t grace = input.pod != nullptr ? input.pod->spec.termination_grace_period_seconds
                                       : input.observed.grace_seconds.value_or(30);
  return std::max(grace, kMinGraceSeconds);
}

// Everything of the pod that still lives.
Kill KillAll(const DecideInput& input, std::string reason) {
  Kill kill{.grace_seconds = GraceSeconds(input), .reason = std::move(reason)};
  for (const ObservedContainer& seen : input.observed.containers) {
    if (seen.running() || Unknown(seen)) kill.containers.push_back({seen.id, seen.name});
  }
  for (const ObservedSandbox& sandbox : input.observed.sandboxes) {
    if (sandbox.ready) kill.sandbox_ids.push_back(sandbox.id);
  }
  return kill;
}

bool IsNothing(const Kill& kill) { return kill.containers.empty() && kill.sandbox_ids.empty(); }

class Decider {
 public:
  explicit Decider(const DecideInput& input) : in_(input) {}

  Decision Run() {
    if (in_.terminating || in_.pod == nullptr) {
      End();
    } else {
      GoOn();
    }
    return std::move(out_);
  }

 private:
  // The pod's last step failed; wait before the next one of that kind.
  bool MustWait() {
    if (!in_.memory.pod_fault || !in_.memory.pod_fault->Waits(in_.now)) return false;
    CheckAt(in_.memory.pod_fault->retry_at);
    return true;
  }

  void CheckAt(int64_t time) {
    if (!out_.check_at || time < *out_.check_at) out_.check_at = time;
  }

  void End() {
    if (in_.observed.empty()) {
      out_.gone = true;
      return;
    }
    if (MustWait()) return;
    Kill kill = KillAll(in_, "pod was removed");
    if (!IsNothing(kill)) {
      out_.actions.emplace_back(std::move(kill));
      return;
    }
    for (const ObservedContainer& seen : in_.observed.containers) {
      out_.actions.emplace_back(RemoveContainer{seen.id, seen.name, seen.attempt});
    }
    for (const ObservedSandbox& sandbox : in_.observed.sandboxes) out_.actions.emplace_back(RemoveSandbox{sandbox.id});
  }

  void GoOn() {
    PodOutcome outcome = OutcomeOf(*in_.pod, in_.observed, in_.now);
    if (outcome != PodOutcome::kGoesOn) {
      if (MustWait()) return;
      Kill kill = KillAll(
          in_, outcome == PodOutcome::kDeadlineExceeded ? "pod was active longer than its deadline" : "pod has ended");
      if (!IsNothing(kill)) {
        out_.actions.emplace_back(std::move(kill));
      } else {
        CollectGarbage();
      }
      return;
    }
    CheckDeadline();
    const ObservedSandbox* sandbox = in_.observed.ReadySandbox();
    std::string unfit = WhyUnfit(sandbox);
    if (!unfit.empty()) return Renew(unfit);
    StopRemoved();
    if (!StartInit(*sandbox)) StartRegular(*sandbox);
    if (out_.actions.empty()) CollectGarbage();
  }

  void CheckDeadline() {
    if (!in_.pod->spec.active_deadline_seconds || in_.observed.sandboxes.empty()) return;
    CheckAt(in_.observed.sandboxes.back().created_at + *in_.pod->spec.active_deadline_seconds * kSecond);
  }

  // Why a new sandbox is needed; "" = the present one will do.
  std::string WhyUnfit(const ObservedSandbox* sandbox) const {
    if (sandbox == nullptr) return in_.observed.sandboxes.empty() ? "no sandbox yet" : "sandbox is not ready";
    auto ready = std::count_if(in_.observed.sandboxes.begin(), in_.observed.sandboxes.end(),
                               [](const auto& s) { return s.ready; });
    if (ready > 1) return "more than one sandbox is ready";
    if (sandbox->host_network != in_.pod->spec.host_network) return "network namespace mode changed";
    if (!sandbox->host_network && sandbox->ips.empty()) return "sandbox has no IP address";
    return "";
  }

  void Renew(const std::string& why) {
    if (MustWait()) return;
    Kill kill = KillAll(in_, why);
    if (!IsNothing(kill)) {
      out_.actions.emplace_back(std::move(kill));
      return;
    }
    uint32_t attempt = 0;
    if (!in_.observed.sandboxes.empty()) {
      const int64_t created_at = in_.observed.sandboxes.front().created_at;
      auto retry = in_.memory.restarts.RetryAt(kSandboxBackOff, created_at);
      if (retry && node::MustWait(created_at, *retry, in_.now)) return CheckAt(*retry);
    }
    for (const ObservedSandbox& sandbox : in_.observed.sandboxes) attempt = std::max(attempt, sandbox.attempt + 1);
    out_.actions.emplace_back(CreateSandbox{attempt});
  }

  // True while initialisation is not over.
  bool StartInit(const ObservedSandbox& sandbox) {
    for (const k8s::Container& container : in_.pod->spec.containers) {
      if (in_.observed.Newest(container.name, sandbox.id) != nullptr) return false;  // regular ones come after
    }
    for (const k8s::Container& container : in_.pod->spec.init_containers) {
      const ObservedContainer* seen = in_.observed.Newest(container.name, sandbox.id);
      if (seen != nullptr && seen->exited() && seen->exit_code == 0) continue;
      Move(container, true, seen, sandbox.id);
      return true;
    }
    return false;
  }

  void StartRegular(const ObservedSandbox& sandbox) {
    for (const k8s::Container& container : in_.pod->spec.containers) {
      const ObservedContainer* seen = in_.observed.Newest(container.name, sandbox.id);
      if (seen == nullptr && CompletedEarlier(container)) continue;
      Move(container, false, seen, sandbox.id);
    }
  }

  // With OnFailure, what ended well in an earlier sandbox has done its work.
  bool CompletedEarlier(const k8s::Container& container) const {
    const ObservedContainer* seen = in_.observed.Newest(container.name);
    return seen != nullptr && seen->exited() && !DefinitionChanged(container, *seen) &&
           !MayRestart(in_.pod->spec, false, *seen);
  }

  // Containers that run although a changed manifest of the same UID has them no more.
  void StopRemoved() {
    Kill kill{.grace_seconds = GraceSeconds(in_), .reason = "container is no longer in the manifest"};
    const auto names = [](const std::string& name) {
      return [&name](const k8s::Container& container) { return container.name == name; };
    };
    for (const ObservedContainer& seen : in_.observed.containers) {
      const k8s::PodSpec& spec = in_.pod->spec;
      const bool known = std::ranges::any_of(spec.containers, names(seen.name)) ||
                         std::ranges::any_of(spec.init_containers, names(seen.name));
      if (!known && seen.running()) kill.containers.push_back({seen.id, seen.name});
    }
    if (!IsNothing(kill) && !MustWait()) out_.actions.emplace_back(std::move(kill));
  }

  void Move(const k8s::Container& container, bool init, const ObservedContainer* seen, const std::string& sandbox_id) {
    bool changed = seen != nullptr && DefinitionChanged(container, *seen);
    if (seen != nullptr && ((seen->running() && changed) || Unknown(*seen))) {
      if (MustWait()) return;
      Kill kill{.grace_seconds = GraceSeconds(in_),
                .reason = changed ? "container definition changed" : "container state is unknown"};
      kill.containers.push_back({seen->id, seen->name});
      out_.actions.emplace_back(std::move(kill));
      return;
    }
    if (seen != nullptr && seen->running()) return;
    if (seen != nullptr && seen->exited() && !changed && !MayRestart(in_.pod->spec, init, *seen)) return;

    std::optional<int64_t> not_before;
    if (auto fault = in_.memory.container_faults.find(container.name);
        fault != in_.memory.container_faults.end() && fault->second.Waits(in_.now)) {
      not_before = fault->second.retry_at;
    }
    int64_t last_finished_at = 0;
    if (seen != nullptr && seen->exited() && !changed) {
      last_finished_at = seen->finished_at;
      auto retry = in_.memory.restarts.RetryAt(container.name, seen->finished_at);
      const bool waits = retry && node::MustWait(seen->finished_at, *retry, in_.now);
      if (waits && (!not_before || *retry > *not_before)) not_before = retry;
    }
    if (not_before) {
      CheckAt(*not_before);
      return;
    }
    // Made but never started: the leftover of a crash or of a failed start.
    if (seen != nullptr && Created(*seen)) out_.actions.emplace_back(RemoveContainer{seen->id, seen->name, -1});
    out_.actions.emplace_back(StartContainer{container.name, sandbox_id, NextAttempt(in_.observed, container.name),
                                             last_finished_at, in_.observed.Newest(container.name) == nullptr});
  }

  // Of each container the newest dead run stays, for its status and logs; of the sandboxes the newest dead one while it
  // has containers.
  void CollectGarbage() {
    if (MustWait()) return;
    std::set<std::string> kept;
    std::set<std::string> sandboxes_in_use;
    for (const ObservedContainer& seen : in_.observed.containers) {
      if (seen.exited() && !kept.insert(seen.name).second) {
        out_.actions.emplace_back(RemoveContainer{seen.id, seen.name, seen.attempt});
      } else {
        sandboxes_in_use.insert(seen.sandbox_id);
      }
    }
    for (const ObservedSandbox& sandbox : in_.observed.sandboxes) {
      bool newest = &sandbox == &in_.observed.sandboxes.front();
      if (!newest && !sandbox.ready && !sandboxes_in_use.contains(sandbox.id))
        out_.actions.emplace_back(RemoveSandbox{sandbox.id});
    }
  }

  const DecideInput& in_;
  Decision out_;
};

}  // namespace

Decision Decide(const DecideInput& input) { return Decider(input).Run(); }

PodOutcome OutcomeOf(const k8s::Pod& pod, const ObservedPod& observed, int64_t now) {
  const k8s::PodSpec& spec = pod.spec;
  if (spec.active_deadline_seconds && !observed.sandboxes.empty() &&
      now >= observed.sandboxes.back().created_at + *spec.active_deadline_seconds * kSecond) {
    return PodOutcome::kDeadlineExceeded;
  }
  if (spec.restart_policy == "Never") {
    for (const k8s::Container& container : spec.init_containers) {
      const ObservedContainer* seen = observed.Newest(container.name);
      if (seen != nullptr && seen->exited() && seen->exit_code != 0) return PodOutcome::kFailed;
    }
  }
  bool all_ended = true;
  bool all_well = true;
  for (const k8s::Container& container : spec.containers) {
    const ObservedContainer* seen = observed.Newest(container.name);
    if (seen == nullptr || !seen->exited() || DefinitionChanged(container, *seen) || MayRestart(spec, false, *seen)) {
      all_ended = false;
    } else {
      all_well = all_well && seen->exit_code == 0;
    }
  }
  if (all_ended) return all_well ? PodOutcome::kSucceeded : PodOutcome::kFailed;
  // The sandbox died under a pod that must not start anything twice.
  bool ran = std::any_of(observed.containers.begin(), observed.containers.end(),
                         [](const auto& seen) { return !Created(seen); });
  if (spec.restart_policy == "Never" && ran && observed.ReadySandbox() == nullptr) return PodOutcome::kFailed;
  return PodOutcome::kGoesOn;
}

std::string ContainerHash(const k8s::Container& container) {
  uint32_t hash = 2166136261u;  // FNV-1a, 32 bits
  for (char c : container.name + '\n' + container.image) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return fmt::format("{:08x}", hash);
}

}  // namespace portcullis::node
