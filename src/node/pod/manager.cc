#include "node/pod/manager.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/thread.h"
#include "node/pod/admission.h"
#include "node/pod/cri_config.h"
#include "node/pod/observer.h"
#include "node/pod/pod_logs.h"
#include "node/pod/worker.h"
#include "node/volume/pod_dirs.h"

namespace portcullis::node {
namespace {

using Time = std::chrono::steady_clock::time_point;

constexpr std::chrono::seconds kHousekeeping(60);
constexpr size_t kMostThreads = 512;
constexpr std::chrono::minutes kRelistLimit(3);

struct Entry {
  std::unique_ptr<PodWorker> worker;
  std::string listed;  // the state of the last listing
  bool queued = false;
  bool running = false;
  bool again = false;  // something happened while it ran
  std::optional<int64_t> check_at;
};

std::string FullName(const PodIdentity& identity) { return identity.name + "_" + identity.namespace_; }

PodIdentity IdentityOf(const k8s::Pod& pod) { return {pod.metadata.uid, pod.metadata.name, pod.metadata.namespace_}; }

}  // namespace

struct PodManager::State {
  State(PodSettings the_settings, cri::RuntimeApi& the_runtime, ManagerEvents the_events)
      : settings(std::move(the_settings)),
        runtime(the_runtime),
        events(std::move(the_events)),
        images(runtime, settings),
        network(runtime),
        context{runtime, images, network, settings, events, stopping} {}

  const PodSettings settings;
  cri::RuntimeApi& runtime;
  const ManagerEvents events;
  ImageManager images;
  NetworkGate network;
  std::atomic<bool> stopping = false;
  WorkerContext context;

  mutable std::mutex mutex;
  std::condition_variable pool_wake;
  std::condition_variable loop_wake;
  std::map<std::string, Entry> entries;  // by UID
  std::deque<std::string> ready;
  std::vector<std::shared_ptr<const k8s::Pod>> desired;
  std::set<std::string> rejected;           // UIDs of desired pods that may not start at present
  std::map<std::string, ListedPod> listed;  // the last listing, less the pods that have ended since
  std::set<std::string> foreign;            // ids of sandboxes of other makers, as last listed
  bool source_reported = false;
  bool all_sources_reported = false;  // once true it stays
  bool runtime_listed = false;
  bool loop_poked = false;
  std::optional<Time> last_listing;
  std::string listing_error;

  std::thread loop;
  std::vector<std::thread> pool;
  size_t idle_threads = 0;
  bool started = false;

  // --- with `mutex` held ---

  void Kick(const std::string& uid, Entry& entry) {
    if (entry.running) {
      entry.again = true;
    } else if (!entry.queued) {
      entry.queued = true;
      ready.push_back(uid);
      if (ready.size() > idle_threads) AddThread();
      pool_wake.notify_one();
    }
  }

  // A step may take long (a graceful stop, a pull): the pods that wait get threads of their own, so that none delays
  // another.
  void AddThread() {
    if (!started || stopping || pool.size() >= kMostThreads) return;
    if (auto thread = base::StartThread("serve pods", [this] { RunPool(); })) pool.push_back(*std::move(thread));
  }

  Entry& Add(const PodIdentity& identity, std::shared_ptr<const k8s::Pod> pod) {
    Entry& entry = entries[identity.uid];
    entry.worker = std::make_unique<PodWorker>(context, identity, std::move(pod));
    Kick(identity.uid, entry);
    return entry;
  }

  // Moves the set of workers towards the desired pods. Not before both the source and the runtime have been heard:
  // until then it is unknown what is wanted, or what is there under the same names.
  void Reconcile() {
    if (!source_reported || !runtime_listed || stopping) return;
    std::set<std::string> wanted;
    for (const auto& pod : desired) wanted.insert(pod->metadata.uid);
    std::set<std::string> names_in_use;
    if (all_sources_reported) {
      EndOrphans(wanted);
    } else {
      for (const auto& [uid, pod] : listed) {
        if (!wanted.contains(uid)) names_in_use.insert(pod.name + "_" + pod.namespace_);
      }
    }
    for (auto& [uid, entry] : entries) {
      names_in_use.insert(FullName(entry.worker->identity()));
      if (wanted.contains(uid) || entry.worker->terminating()) continue;
      entry.worker->Terminate();
      Kick(uid, entry);
    }
    const std::set<std::string> rejected_before = std::exchange(rejected, {});
    // What runs already has its ports: it comes first, whatever the order of the manifests.
    for (const bool running : {true, false}) {
      for (const auto& pod : desired) {
        if (listed.contains(pod->metadata.uid) == running) Admit(pod, names_in_use, rejected_before);
      }
    }
  }

  // Pods that only the runtime knows end first; until then they hold their names.
  void EndOrphans(const std::set<std::string>& wanted) {
    for (const auto& [uid, pod] : listed) {
      if (entries.contains(uid) || wanted.contains(uid)) continue;
      base::LogInfo("pod is in the runtime but not in the source, ending it",
                    {{"pod", pod.namespace_ + "/" + pod.name}, {"uid", uid}});
      Add({uid, pod.name, pod.namespace_}, nullptr).listed = pod.state;
    }
  }

  void Admit(const std::shared_ptr<const k8s::Pod>& pod, std::set<std::string>& names_in_use,
             const std::set<std::string>& rejected_before) {
    const std::string& uid = pod->metadata.uid;
    auto known = entries.find(uid);
    if (known != entries.end()) {
      auto snapshot = known->second.worker->Snapshot();
      if (known->second.worker->terminating() || !snapshot || snapshot->pod == pod) return;
      known->second.worker->SetPod(pod);
      Kick(uid, known->second);
      return;
    }
    if (names_in_use.contains(pod->FullName())) return;          // its predecessor is still ending
    if (UsesHostPorts(pod->spec) && OrphansAreEnding()) return;  // their ports are not known
    if (PortsAreTaken(*pod)) {
      if (!rejected_before.contains(uid)) {
        base::LogWarning("pod is rejected: another pod has its host port", {{"pod", PodForMessages(*pod)}});
      }
      rejected.insert(uid);
      return;
    }
    names_in_use.insert(pod->FullName());
    Add(IdentityOf(*pod), pod);
  }

  bool IsDesired(const std::string& uid) const {
    return std::any_of(desired.begin(), desired.end(), [&](const auto& pod) { return pod->metadata.uid == uid; });
  }

  bool OrphansAreEnding() const {
    if (!all_sources_reported) {
      const auto is_orphan = [&](const auto& pod) { return !entries.contains(pod.first) && !IsDesired(pod.first); };
      if (std::any_of(listed.begin(), listed.end(), is_orphan)) return true;
    }
    return std::any_of(entries.begin(), entries.end(),
                       [](const auto& entry) { return !entry.second.worker->Snapshot().has_value(); });
  }

  bool PortsAreTaken(const k8s::Pod& pod) const {
    return std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
      auto other = entry.second.worker->Snapshot();
      if (!other || other->status.phase == "Succeeded" || other->status.phase == "Failed") return false;
      return HostPortsConflict(pod.spec, other->pod->spec);
    });
  }

  // Each is told once for as long as it is there.
  void NoteForeign(const std::vector<ForeignSandbox>& now_foreign) {
    const std::set<std::string> before = std::exchange(foreign, {});
    for (const ForeignSandbox& sandbox : now_foreign) {
      foreign.insert(sandbox.id);
      if (before.contains(sandbox.id)) continue;
      base::LogInfo("sandbox in the runtime was not made by this node, leaving it alone",
                    {{"sandbox", sandbox.id}, {"pod", sandbox.pod}, {"node", sandbox.node}});
    }
  }

  void TakeListing(std::map<std::string, ListedPod> now_listed) {
    listed = std::move(now_listed);
    runtime_listed = true;
    last_listing = base::Now();
    Reconcile();
    for (auto& [uid, entry] : entries) {
      auto found = listed.find(uid);
      std::string state = found != listed.end() ? found->second.state : "";
      if (state == entry.listed) continue;
      entry.listed = state;
      Kick(uid, entry);
    }
  }

  // --- without it ---

  void List() {
    auto now_listed = ListPods(runtime, settings.node_name);
    std::lock_guard<std::mutex> lock(mutex);
    if (!now_listed) {
      if (listing_error.empty()) {
        base::LogError("cannot list pods in the runtime", {{"err", now_listed.error().message}});
      }
      listing_error = now_listed.error().message;
      return;
    }
    if (!listing_error.empty()) base::LogInfo("runtime answers again");
    listing_error.clear();
    NoteForeign(now_listed->foreign);
    TakeListing(std::move(now_listed->own));
  }

  // Removes what a crash left between the end of a pod in the runtime and the removal of its files.
  void CleanOrphans() {
    auto uids = ListPodDirs(settings.root_dir);
    if (!uids) return base::LogWarning("cannot list pod folders", {{"err", uids.error().message}});
    auto now_listed = ListPods(runtime, settings.node_name);
    if (!now_listed) return;
    for (const std::string& uid : *uids) {
      {
        std::lock_guard<std::mutex> lock(mutex);
        if (!all_sources_reported || IsDesired(uid) || entries.contains(uid) || now_listed->own.contains(uid)) continue;
      }
      base::LogInfo("removing the folder of a pod that is gone", {{"uid", uid}});
      auto removed = PodDirs(settings.root_dir, uid).Remove();
      if (!removed) base::LogWarning("cannot remove pod folder", {{"uid", uid}, {"err", removed.error().message}});
      auto logs = base::ListDir(settings.pod_logs_dir);
      if (!logs) continue;
      for (const std::string& name : *logs) {
        if (!name.ends_with("_" + uid)) continue;
        std::string path = base::JoinPath(settings.pod_logs_dir, name);
        UnlinkPodLogs(settings, path);
        if (auto gone = base::RemoveTree(path); !gone)
          base::LogWarning("cannot remove logs", {{"err", gone.error().message}});
      }
    }
  }

  void RunLoop() {
    Time next_listing = base::Now();
    Time next_housekeeping = base::Now() + settings.relist_period;
    int64_t last_look = base::NowUnixNanos();
    while (!stopping) {
      if (base::Now() >= next_listing) {
        List();
        next_listing = base::Now() + settings.relist_period;
      }
      if (base::Now() >= next_housekeeping && source_reported_and_listed()) {
        CleanOrphans();
        next_housekeeping = base::Now() + kHousekeeping;
      }
      std::unique_lock<std::mutex> lock(mutex);
      if (ready.size() > idle_threads) AddThread();  // there may have been none to be had
      int64_t now = base::NowUnixNanos();
      // What was to be looked at soon is to be looked at now: by the clock it may be hours off.
      const bool set_back = now < std::exchange(last_look, now);
      Time wake = next_listing;
      for (auto& [uid, entry] : entries) {
        if (!entry.check_at) continue;
        if (*entry.check_at <= now || set_back) {
          entry.check_at.reset();
          Kick(uid, entry);
        } else {
          wake = std::min(wake, base::Now() + std::chrono::nanoseconds(*entry.check_at - now));
        }
      }
      loop_wake.wait_until(lock, wake, [this] { return stopping || loop_poked; });
      loop_poked = false;
    }
  }

  bool source_reported_and_listed() const {
    std::lock_guard<std::mutex> lock(mutex);
    return source_reported && runtime_listed;
  }

  void RunPool() {
    std::unique_lock<std::mutex> lock(mutex);
    while (true) {
      ++idle_threads;
      pool_wake.wait(lock, [this] { return stopping || !ready.empty(); });
      --idle_threads;
      if (stopping) return;
      std::string uid = std::move(ready.front());
      ready.pop_front();
      auto found = entries.find(uid);
      if (found == entries.end()) continue;
      Entry& entry = found->second;  // stays: only the thread that runs it erases it
      entry.queued = false;
      entry.running = true;
      entry.check_at.reset();
      lock.unlock();
      PodWorker::Progress progress = entry.worker->Sync();
      lock.lock();
      entry.running = false;
      if (progress.gone) {
        entries.erase(found);
        listed.erase(uid);
        Reconcile();  // a successor may have waited for the name
        continue;
      }
      entry.check_at = progress.check_at;
      if (std::exchange(entry.again, false)) Kick(uid, entry);
      loop_poked = true;
      loop_wake.notify_one();
    }
  }
};

PodManager::PodManager(PodSettings settings, cri::RuntimeApi& runtime, ManagerEvents events)
    : state_(std::make_unique<State>(std::move(settings), runtime, std::move(events))) {}

PodManager::~PodManager() { Stop(); }

void PodManager::Start() {
  state_->loop = std::thread([this] { state_->RunLoop(); });
  std::lock_guard<std::mutex> lock(state_->mutex);
  state_->started = true;
  for (size_t i = 0; i < std::max<size_t>(1, state_->settings.workers); ++i) state_->AddThread();
}

void PodManager::Stop() {
  {
    std::lock_guard<std::mutex> lock(state_->mutex);
    state_->stopping = true;
  }
  state_->pool_wake.notify_all();
  state_->loop_wake.notify_all();
  if (state_->loop.joinable()) state_->loop.join();
  // No thread is added any more.
  for (std::thread& thread : state_->pool) {
    if (thread.joinable()) thread.join();
  }
}

void PodManager::SetDesired(std::vector<std::shared_ptr<const k8s::Pod>> pods, bool complete) {
  std::lock_guard<std::mutex> lock(state_->mutex);
  state_->desired = std::move(pods);
  state_->source_reported = true;
  state_->all_sources_reported = state_->all_sources_reported || complete;
  state_->Reconcile();
}

std::vector<PodSnapshot> PodManager::Pods() const {
  std::vector<PodSnapshot> out;
  std::lock_guard<std::mutex> lock(state_->mutex);
  std::set<std::string> shown;
  for (const auto& [uid, entry] : state_->entries) {
    if (auto snapshot = entry.worker->Snapshot()) {
      out.push_back(std::move(*snapshot));
      shown.insert(uid);
    }
  }
  for (const auto& pod : state_->desired) {
    const std::string& uid = pod->metadata.uid;
    if (shown.contains(uid)) continue;
    // Otherwise it waits for the runtime, or for its name.
    out.push_back({pod, state_->rejected.contains(uid) ? RejectedForPorts() : k8s::PodStatus{}, false});
  }
  std::sort(out.begin(), out.end(), [](const PodSnapshot& a, const PodSnapshot& b) {
    const k8s::ObjectMeta& x = a.pod->metadata;
    const k8s::ObjectMeta& y = b.pod->metadata;
    return std::tie(x.namespace_, x.name, x.uid) < std::tie(y.namespace_, y.name, y.uid);
  });
  return out;
}

std::string PodManager::Health() const {
  std::lock_guard<std::mutex> lock(state_->mutex);
  if (!state_->listing_error.empty()) return "container runtime is down: " + state_->listing_error;
  if (!state_->last_listing) return "pods have not been listed yet";
  auto age = base::Now() - *state_->last_listing;
  if (age > kRelistLimit) return fmt::format("pods were last listed {} ago", base::FormatGoDuration(age));
  return "";
}

const PodSettings& PodManager::settings() const { return state_->settings; }

}  // namespace portcullis::node
