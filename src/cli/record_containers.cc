// portcullis record --pod NS/NAME, --container-id ID, --cgroup PATH
#include <poll.h>

#include <cstdio>
#include <map>
#include <optional>
#include <set>

#include "base/clock.h"
#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "cli/crictl/client_config.h"
#include "cli/record/bundle_workload.h"
#include "cli/record/container_cgroup.h"
#include "cli/record/signal_fd.h"
#include "cli/record_verbs.h"
#include "cli/runtime_settings.h"
#include "cri/grpc/client.h"
#include "insight/evidence/cgroup_path.h"
#include "insight/moments/listener.h"
#include "insight/recorder/audit_witness.h"
#include "insight/recorder/ebpf_recorder.h"
#include "runtime/container/cgroups.h"

namespace portcullis::cli {
namespace {

using insight::CgroupIds;
using insight::EbpfRecorder;
using insight::Moment;
using insight::MomentKind;
using insight::V1Controller;
using insight::Workload;
using runtime::CgroupLayout;
using runtime::Cgroups;

V1Controller ChooseController(const Cgroups& cgroups) {
  if (cgroups.layout() == CgroupLayout::kUnified) return V1Controller::kNone;
  for (const V1Controller controller : {V1Controller::kPids, V1Controller::kMemory, V1Controller::kDevices,
                                        V1Controller::kFreezer, V1Controller::kCpu}) {
    if (!cgroups.DirectoryOf(std::string(NameOf(controller)), "/").empty()) return controller;
  }
  return V1Controller::kNone;
}

std::string NameOf(const Workload& workload) {
  if (!workload.pod.empty()) return workload.pod_namespace + "/" + workload.pod + "/" + workload.container;
  return workload.container_id.empty() ? workload.command : workload.container_id.substr(0, 13);
}

class Session {
 public:
  Session(const RecordFlags& flags, Cgroups cgroups)
      : flags_(flags), cgroups_(std::move(cgroups)), controller_(ChooseController(cgroups_)) {}

  Result<void> Open() {
    ASSIGN_OR_RETURN(
        recorder_,
        EbpfRecorder::Open({.max_calls = flags_.max_calls, .init_limit = flags_.init, .v1_controller = controller_}));
    witness_.emplace(*recorder_);
    return {};
  }

  // Containers that run already.
  Result<void> AddRunning(const std::string& id, Workload workload) {
    ASSIGN_OR_RETURN(const RunningContainer found, FindRunningContainer(id));
    if (workloads_.contains(found.id)) return {};
    workload.container_id = found.id;
    if (workload.pod_uid.empty()) workload.pod_uid = found.pod_uid;
    const auto path = [&](std::string_view controller) {
      const auto at = found.cgroups.find(std::string(controller));
      return at == found.cgroups.end() ? std::string() : at->second;
    };
    CgroupIds ids{.unified = UnifiedId(path("")), .v1 = V1Id(path(NameOf(controller_)))};
    if (ids.unified == 0 && ids.v1 == 0) {
      return Fail(Code::kNotFound, "container {}: none of its cgroups can be watched: {}", found.id,
                  found.cgroups.empty() ? "none names it" : found.cgroups.begin()->second);
    }
    const std::chrono::duration<double> age(found.age_seconds);
    return Watch(workload, ids, {.serving = age > flags_.init, .first_process = found.first_process},
                 "that runs already");
  }

  Result<void> AddCgroup(const std::string& given) {
    const std::string path = base::CleanPath("/" + given);
    if (path == "/") return Fail(Code::kInvalidArgument, "--cgroup={}: the root cgroup is the whole host", given);
    const CgroupIds ids{.unified = UnifiedId(path), .v1 = V1Id(path)};
    if (ids.unified == 0 && ids.v1 == 0) return Fail(Code::kNotFound, "--cgroup={}: there is no such cgroup", given);
    Workload workload;
    if (const auto owner = insight::OwnerOfCgroup(path)) {
      workload.container_id = owner->container_id;
      workload.pod_uid = owner->pod_uid;
    } else {
      workload.command = "cgroup " + path;
    }
    const std::vector<pid_t> processes = cgroups_.Processes(path);
    return Watch(workload, ids, {.first_process = processes.empty() ? 0 : processes.front()}, "");
  }

  Result<void> ListenForStarts() {
    ASSIGN_OR_RETURN(auto listener, insight::MomentListener::Bind(RecordersFolder(flags_.run_dir)));
    listener_.emplace(std::move(listener));
    return {};
  }

  // Until the time is over or a signal comes.
  void Run(const SignalFd& signals) {
    const auto end = base::Now() + flags_.time;
    for (;;) {
      pollfd fds[3] = {{.fd = signals.fd(), .events = POLLIN, .revents = 0},
                       {.fd = listener_ ? listener_->fd() : -1, .events = POLLIN, .revents = 0},
                       {.fd = witness_->fd(), .events = POLLIN, .revents = 0}};
      int wait = -1;
      if (flags_.time.count() > 0) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - base::Now()).count();
        if (left <= 0) return;
        wait = static_cast<int>(std::min<int64_t>(left, 1 << 30));
      }
      if (::poll(fds, 3, wait) < 0) continue;
      if (fds[2].revents != 0) witness_->Read();
      if (fds[0].revents != 0 && signals.Take() != 0) return;
      if (fds[1].revents != 0) {
        listener_->Take([this](const Moment& moment) { TakeMoment(moment); },
                        [this](const Moment& moment) { TakeLate(moment); });
      }
    }
  }

  Result<insight::Evidence> Collect() {
    ASSIGN_OR_RETURN(insight::Evidence evidence, recorder_->Collect());
    witness_->Testify(evidence);
    if (workloads_.empty()) {
      evidence.completeness.losses.push_back({"recorder", 0, "no container was seen to start"});
    }
    if (saw_running_) {
      evidence.completeness.unseen.insert("what containers did before the recording began");
    }
    return evidence;
  }

 private:
  // A root would be the whole host: no container is there.
  uint64_t UnifiedId(const std::string& path) const {
    return path.empty() || path == "/" ? 0 : cgroups_.UnifiedId(path);
  }
  uint64_t V1Id(const std::string& path) const {
    if (path.empty() || path == "/" || controller_ == V1Controller::kNone) return 0;
    return cgroups_.V1Id(std::string(NameOf(controller_)), path);
  }

  Result<void> Watch(const Workload& workload, const CgroupIds& ids, const insight::WorkloadStart& start,
                     const std::string& how) {
    ASSIGN_OR_RETURN(const size_t index, recorder_->Add(workload, start));
    TRY(recorder_->WatchCgroup(index, ids));
    if (start.announced == 0) saw_running_ = true;
    workloads_[workload.container_id.empty() ? workload.command : workload.container_id] = index;
    std::fprintf(stderr, "portcullis record: recording %s %s\n", NameOf(workload).c_str(), how.c_str());
    return {};
  }

  std::optional<Workload> Wanted(const Moment& moment) const {
    const std::string path = moment.bundle + "/config.json";
    const auto text = base::ReadFile(path);
    if (!text) return std::nullopt;
    auto bundle = WorkloadOfBundle(*text, path);
    if (!bundle || bundle->is_sandbox) return std::nullopt;
    Workload workload = std::move(bundle->workload);
    workload.container_id = moment.id;
    if (workload.pod != flags_.pod || workload.pod_namespace != flags_.pod_namespace) return std::nullopt;
    if (!flags_.container.empty() && workload.container != flags_.container) return std::nullopt;
    return workload;
  }

  void TakeMoment(const Moment& moment) {
    if (moment.kind == MomentKind::kCreated) {
      const auto workload = Wanted(moment);
      if (!workload || workloads_.contains(moment.id)) return;
      const CgroupIds ids{.unified = UnifiedId(moment.cgroup), .v1 = V1Id(moment.cgroup)};
      if (auto watched = Watch(*workload, ids, {.announced = moment.pid}, "from its first instruction"); !watched) {
        recorder_->AddLoss({"recorder", 0, fmt::format("{}: {}", NameOf(*workload), watched.error().message)});
      }
      return;
    }
    const auto known = workloads_.find(moment.id);
    if (known == workloads_.end()) return;
    if (moment.kind == MomentKind::kStopping) recorder_->BeginShutdown(known->second);
    if (moment.kind == MomentKind::kExit) {
      std::fprintf(stderr, "portcullis record: container %.13s ended with exit code %d\n", moment.id.c_str(),
                   moment.exit_code);
    }
  }

  void TakeLate(const Moment& moment) {
    if (moment.kind != MomentKind::kCreated || !workloads_.contains(moment.id)) return;
    recorder_->AddLoss({"recorder", 0,
                        fmt::format("container {}: the runtime did not wait for the recorder, its first calls may be "
                                    "missing",
                                    moment.id.substr(0, 13))});
  }

  const RecordFlags& flags_;
  Cgroups cgroups_;
  V1Controller controller_;
  std::unique_ptr<EbpfRecorder> recorder_;
  std::optional<insight::AuditWitness> witness_;
  std::optional<insight::MomentListener> listener_;
  std::map<std::string, size_t> workloads_;  // by container id, or by command
  bool saw_running_ = false;
};

struct PodContainer {
  std::string id;
  Workload workload;
};

Result<std::vector<PodContainer>> RunningContainersOf(const RecordFlags& flags) {
  ASSIGN_OR_RETURN(const std::string endpoint, RuntimeEndpoint(flags.endpoint));
  ASSIGN_OR_RETURN(const auto runtime, cri::Connect({.endpoint = endpoint}));
  ASSIGN_OR_RETURN(const auto sandboxes, runtime->ListPodSandbox({}));
  ASSIGN_OR_RETURN(const auto containers, runtime->ListContainers({}));
  std::vector<PodContainer> out;
  std::set<std::string> others;
  for (const cri::PodSandbox& sandbox : sandboxes.items) {
    if (!sandbox.metadata) continue;
    const cri::PodSandboxMetadata& pod = *sandbox.metadata;
    if (pod.name != flags.pod || pod.namespace_ != flags.pod_namespace) {
      others.insert(pod.namespace_ + "/" + pod.name);
      continue;
    }
    for (const cri::Container& container : containers.containers) {
      if (container.pod_sandbox_id != sandbox.id || container.state != cri::ContainerState::kContainerRunning) continue;
      const std::string name = container.metadata ? container.metadata->name : "";
      if (!flags.container.empty() && name != flags.container) continue;
      out.push_back(
          {container.id, {.pod_namespace = pod.namespace_, .pod = pod.name, .pod_uid = pod.uid, .container = name}});
    }
  }
  if (out.empty() && !flags.from_start) {
    return Fail(Code::kNotFound, "pod {}/{}{}{} has no running container (--from-start waits for one); pods here: {}",
                flags.pod_namespace, flags.pod, flags.container.empty() ? "" : ", container ", flags.container,
                others.empty() ? "none" : base::Join(std::vector<std::string>(others.begin(), others.end()), ", "));
  }
  return out;
}

}  // namespace

Result<RecordOutcome> RecordContainers(const RecordFlags& flags) {
  if (flags.recorder == RecorderKind::kPtrace) {
    return Fail(Code::kInvalidArgument,
                "--recorder=ptrace records commands only: a filter cannot be put under a container that runs");
  }
  ASSIGN_OR_RETURN(Cgroups cgroups, Cgroups::Detect());
  Session session(flags, std::move(cgroups));
  const SignalFd signals({SIGINT, SIGTERM, SIGHUP});
  TRY(session.Open());
  if (!flags.pod.empty()) {
    // First, so that a container that starts meanwhile is not missed.
    const auto listening = session.ListenForStarts();
    if (!listening && flags.from_start) return Failure(listening.error());
    if (!flags.from_start) {
      ASSIGN_OR_RETURN(const auto containers, RunningContainersOf(flags));
      for (const PodContainer& container : containers) TRY(session.AddRunning(container.id, container.workload));
    }
  }
  for (const std::string& id : flags.container_ids) TRY(session.AddRunning(id, {}));
  for (const std::string& cgroup : flags.cgroups) TRY(session.AddCgroup(cgroup));
  std::fprintf(stderr, "portcullis record: ready%s\n", flags.time.count() > 0 ? "" : ", interrupt to end");
  session.Run(signals);
  RecordOutcome outcome;
  ASSIGN_OR_RETURN(outcome.evidence, session.Collect());
  return outcome;
}

}  // namespace portcullis::cli
