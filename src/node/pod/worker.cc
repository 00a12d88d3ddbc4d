#include "node/pod/worker.h"

#include <algorithm>
#include <random>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "node/pod/cri_config.h"
#include "node/pod/status.h"

namespace portcullis::node {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
// Far more steps than any pod needs in a row; then others get their turn.
constexpr int kMaxSteps = 64;
constexpr const char* kNetworkFault = "wait for the network";  // a pod's step, as the others are named for the log

}  // namespace

PodWorker::PodWorker(const WorkerContext& context, PodIdentity identity, std::shared_ptr<const k8s::Pod> pod)
    : context_(context),
      identity_(std::move(identity)),
      observer_(context.runtime, context.settings, identity_.uid),
      runner_(context.runtime, context.images, context.settings),
      start_time_(base::NowUnixNanos()),
      terminating_(pod == nullptr),
      pod_(std::move(pod)) {
  memory_.restarts = BackOff(context.settings.restart_back_off);
  memory_.pulls.back_off = BackOff(context.settings.pull_back_off);
  ObservedPod nothing;
  if (pod_) Publish(*pod_, nothing);
}

void PodWorker::SetPod(std::shared_ptr<const k8s::Pod> pod) {
  std::lock_guard<std::mutex> lock(mutex_);
  pod_ = std::move(pod);
}

void PodWorker::Terminate() { terminating_ = true; }

std::shared_ptr<const k8s::Pod> PodWorker::pod() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return pod_;
}

std::optional<PodSnapshot> PodWorker::Snapshot() const {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!pod_) return std::nullopt;
  return PodSnapshot{pod_, status_, terminating_};
}

int64_t PodWorker::RetryTime() const {
  thread_local std::minstd_rand random(std::random_device{}());
  auto delay = std::chrono::nanoseconds(context_.settings.retry_delay).count();
  return base::NowUnixNanos() + delay + std::uniform_int_distribution<int64_t>(0, delay / 2)(random);
}

PodWorker::Progress PodWorker::Sync() {
  auto begin = base::Now();
  Progress progress;
  bool again = true;
  for (int step = 0; again && step < kMaxSteps && !context_.stopping; ++step) progress = Step(again);
  if (again) progress.check_at = base::NowUnixNanos() + kSecond;
  context_.events.on_sync(base::Now() - begin);
  return progress;
}

PodWorker::Progress PodWorker::Step(bool& again) {
  again = false;
  auto observed = observer_.Observe();
  if (!observed) {
    base::LogWarning("cannot observe pod",
                     {{"pod", identity_.name}, {"uid", identity_.uid}, {"err", observed.error().message}});
    return {.check_at = base::NowUnixNanos() + kSecond};
  }
  if (!observed->sandboxes.empty()) start_time_ = std::min(start_time_, observed->sandboxes.back().created_at);
  std::shared_ptr<const k8s::Pod> pod = this->pod();
  bool terminating = terminating_;
  if (terminating && !std::exchange(seen_terminating_, true)) {
    memory_.pod_fault.reset();  // a failure from before must not delay the end
  }
  Decision decision = Decide({.pod = pod.get(),
                              .terminating = terminating,
                              .observed = *observed,
                              .memory = memory_,
                              .now = base::NowUnixNanos()});
  if (pod) Publish(*pod, *observed);
  if (decision.gone) {
    if (memory_.pod_fault && memory_.pod_fault->Waits(base::NowUnixNanos()))
      return {.check_at = memory_.pod_fault->retry_at};
    if (!PodStep("clean up", runner_.CleanUp(identity_))) return {.check_at = memory_.pod_fault->retry_at};
    base::LogInfo("pod has ended", {{"pod", identity_.namespace_ + "/" + identity_.name}, {"uid", identity_.uid}});
    return {.gone = true};
  }
  if (pod && WaitsForNetwork(*pod, decision)) {
    Publish(*pod, *observed);
    return {.check_at = memory_.pod_fault->retry_at};
  }
  for (const Action& action : decision.actions) {
    bool stale = context_.stopping || terminating_ != terminating || this->pod() != pod;
    if (stale || !Carry(pod.get(), *observed, action)) break;
  }
  again = !decision.actions.empty();
  std::optional<int64_t> check_at = decision.check_at;
  if (auto change = NextStatusChange(); change && (!check_at || *change < *check_at)) check_at = change;
  return {.check_at = check_at};
}

bool PodWorker::WaitsForNetwork(const k8s::Pod& pod, const Decision& decision) {
  const bool starts = std::any_of(decision.actions.begin(), decision.actions.end(), [](const Action& action) {
    return std::holds_alternative<CreateSandbox>(action) || std::holds_alternative<StartContainer>(action);
  });
  if (!starts || pod.spec.host_network) return false;
  const bool waited = memory_.pod_fault && memory_.pod_fault->reason == kNetworkFault;
  // Nothing that happens to the pod before makes it ask again, and log again.
  if (waited && memory_.pod_fault->Waits(base::NowUnixNanos())) return true;
  const std::string why = context_.network.WhyClosed();
  if (!why.empty()) {
    PodStep(kNetworkFault, Fail(Code::kUnavailable, "{}", why));
    return true;
  }
  if (waited) memory_.pod_fault.reset();
  return false;
}

// When the status changes by itself.
std::optional<int64_t> PodWorker::NextStatusChange() const {
  std::optional<int64_t> out;
  for (const auto& [container, fault] : memory_.container_faults) {
    int64_t change = fault.since + kShowPullError;
    if (IsPullFailure(fault.reason) && change > base::NowUnixNanos() && (!out || change < *out)) out = change;
  }
  return out;
}

bool PodWorker::Carry(const k8s::Pod* pod, const ObservedPod& observed, const Action& action) {
  if (const auto* kill = std::get_if<Kill>(&action)) return PodStep("stop: " + kill->reason, runner_.Stop(*kill));
  if (const auto* remove = std::get_if<RemoveContainer>(&action))
    return PodStep("remove container", runner_.Remove(identity_, *remove));
  if (const auto* remove = std::get_if<RemoveSandbox>(&action))
    return PodStep("remove sandbox", runner_.Remove(*remove));
  if (const auto* create = std::get_if<CreateSandbox>(&action)) {
    if (!observed.sandboxes.empty()) {
      memory_.restarts.Next(kSandboxBackOff, observed.sandboxes.front().created_at, base::NowUnixNanos());
    }
    return PodStep("create sandbox", runner_.Create(*pod, *create));
  }
  return CarryStart(*pod, observed, std::get<StartContainer>(action));
}

bool PodWorker::CarryStart(const k8s::Pod& pod, const ObservedPod& observed, const StartContainer& action) {
  const ObservedSandbox* sandbox = observed.ReadySandbox();
  if (sandbox == nullptr || sandbox->id != action.sandbox_id) return false;
  int64_t now = base::NowUnixNanos();
  if (action.last_finished_at > 0) memory_.restarts.Next(action.name, action.last_finished_at, now);
  auto failure = runner_.Start(pod, action, *sandbox, memory_.pulls);
  if (!failure) {
    memory_.container_faults.erase(action.name);
    if (action.attempt > 0) context_.events.on_restart();
    return true;
  }
  base::LogError("container did not start", {{"pod", PodForMessages(pod)},
                                             {"container", action.name},
                                             {"reason", failure->reason},
                                             {"err", failure->message}});
  now = base::NowUnixNanos();
  Fault fault{.reason = failure->reason, .message = failure->message, .since = now, .retry_at = RetryTime()};
  if (failure->retry_at) fault.retry_at = std::min(fault.retry_at, *failure->retry_at);
  memory_.container_faults[action.name] = std::move(fault);
  return true;  // the pod's other containers still start
}

bool PodWorker::PodStep(const std::string& what, Result<void> result) {
  if (result) {
    memory_.pod_fault.reset();
    return true;
  }
  base::LogError(
      "pod step failed",
      {{"pod", identity_.namespace_ + "/" + identity_.name}, {"step", what}, {"err", result.error().message}});
  memory_.pod_fault =
      Fault{.reason = what, .message = result.error().message, .since = base::NowUnixNanos(), .retry_at = RetryTime()};
  return false;
}

void PodWorker::Publish(const k8s::Pod& pod, const ObservedPod& observed) {
  k8s::PodStatus previous;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    previous = status_;
  }
  k8s::PodStatus status = ComputeStatus({.pod = pod,
                                         .observed = observed,
                                         .memory = memory_,
                                         .settings = context_.settings,
                                         .start_time = start_time_,
                                         .now = base::NowUnixNanos(),
                                         .previous = &previous});
  std::lock_guard<std::mutex> lock(mutex_);
  status_ = std::move(status);
}

}  // namespace portcullis::node
