#include "runtime/service/runtime_service.h"

#include <malloc.h>

#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"
#include "host/systemd/units.h"
#include "runtime/container/host_facts.h"
#include "runtime/container/inotify_room.h"
#include "runtime/service/exit_codes.h"
#include "runtime/service/filters.h"
#include "runtime/service/spec_input.h"
#include "runtime/store/damage.h"

namespace portcullis::runtime {
namespace {

Result<void> CheckOptions(const ServiceOptions& options) {
  for (const std::string* path : {&options.state_dir, &options.run_dir, &options.seccomp_root}) {
    if (!path->starts_with('/')) return Fail(Code::kInvalidArgument, "folder {} must be an absolute path", *path);
  }
  if (options.cgroup_driver != "cgroupfs" && options.cgroup_driver != "systemd") {
    return Fail(Code::kInvalidArgument, "cgroup driver {}: want cgroupfs or systemd",
                base::Quote(options.cgroup_driver));
  }
  return {};
}

// A node that will run out of them later says so now.
void TellInotifyRoom(CgroupLayout layout) {
  const auto use = ReadInotifyUse();
  if (!use) {
    base::LogWarning("inotify instances not counted", {{"error", use.error().message}});
  } else if (const auto warning = InotifyWarning(layout, *use)) {
    base::LogWarning(*warning);
  }
}

cri::CgroupDriver DriverOf(const ServiceOptions& options) {
  return options.cgroup_driver == "systemd" ? cri::CgroupDriver::kSystemd : cri::CgroupDriver::kCgroupfs;
}

// Slices are systemd's wherever it runs: a node that ran with the other driver before has some to clean up.
Result<Cgroups> OpenCgroups(cri::CgroupDriver driver) {
  ASSIGN_OR_RETURN(Cgroups cgroups, Cgroups::Detect());
  const auto runs = host::CheckSystemdRuns();
  if (driver == cri::CgroupDriver::kSystemd) TRY(runs);
  if (runs) cgroups.UseUnits(host::SystemdUnits());
  return cgroups;
}

// What one OCI runtime made, another cannot drive: as long as there are pods, `auto` stays with the one that made them.
Result<void> KeepProgramOfContainers(const std::string& setting, CgroupLayout layout, Registry& registry,
                                     RuntimeProgram& program) {
  constexpr char kLastProgram[] = "oci_runtime";
  ASSIGN_OR_RETURN(const auto last, registry.store().Setting(kLastProgram));
  const bool automatic = setting == "auto" || setting.empty();
  if (automatic && last && *last != program.name && !registry.Sandboxes().empty()) {
    if (auto kept = ChooseOciRuntime(*last, layout, FindProgram)) {
      base::LogInfo("the OCI runtime of the pods that are there is used on", {{"runtime", *last}});
      program = *std::move(kept);
    }
  }
  return registry.store().SetSetting(kLastProgram, program.name);
}

}  // namespace

RuntimeService::RuntimeService(ServiceOptions options, Cgroups cgroups, SeccompProfiles seccomp)
    : options_(std::move(options)),
      paths_{.state = base::CleanPath(options_.state_dir), .run = base::CleanPath(options_.run_dir)},
      driver_(DriverOf(options_)),
      cgroups_(std::move(cgroups)),
      seccomp_(std::move(seccomp)) {}

RuntimeService::~RuntimeService() {
  // The rules are for pods, and a later start makes them anew.
  if (default_network_ && registry_ && registry_->Sandboxes().empty()) default_network_->RemoveRules();
}

Result<std::unique_ptr<RuntimeService>> RuntimeService::Start(ServiceOptions options, ObserverList* observers) {
  TRY(CheckOptions(options));
  ASSIGN_OR_RETURN(SeccompProfiles seccomp, SeccompProfiles::Load(options.default_profile, options.seccomp_root));
  const cri::CgroupDriver driver = DriverOf(options);
  const std::string parent = driver == cri::CgroupDriver::kSystemd ? "portcullis.slice" : "/portcullis";
  ASSIGN_OR_RETURN(options.default_cgroup_parent, CgroupParent(options.default_cgroup_parent, parent, driver));
  ASSIGN_OR_RETURN(Cgroups cgroups, OpenCgroups(driver));
  ASSIGN_OR_RETURN(RuntimeProgram program, ChooseOciRuntime(options.oci_runtime, cgroups.layout(), FindProgram));
  if (!base::Exists(options.conmon_path)) {
    return Fail(Code::kFailedPrecondition, "conmon is not installed at {} (Debian: apt-get install conmon)",
                options.conmon_path);
  }
  std::unique_ptr<RuntimeService> service(new RuntimeService(std::move(options), cgroups, std::move(seccomp)));
  RuntimeService& self = *service;
  TellInotifyRoom(cgroups.layout());
  TRY(MakeFolders(self.paths_));
  ASSIGN_OR_RETURN(self.state_lock_, base::LockOwner(self.paths_.state + "/runtime.lock"));
  ASSIGN_OR_RETURN(self.run_lock_, base::LockOwner(self.paths_.run + "/runtime.lock"));
  ASSIGN_OR_RETURN(const auto bundles, base::ListDir(self.paths_.Bundles()));
  TRY(CheckDatabase(self.paths_.Database(), !bundles.empty()));
  ASSIGN_OR_RETURN(self.host_, ReadHostFacts(self.cgroups_));
  self.apparmor_ = std::make_unique<AppArmor>(AppArmor::Start(FindProgram("apparmor_parser")));
  ASSIGN_OR_RETURN(self.images_,
                   ImageStore::Open({.state_dir = self.paths_.state, .pinned = {self.options_.sandbox_image}}));
  self.puller_ = std::make_unique<ImagePuller>(*self.images_, self.options_.registry);
  self.snapshots_ = std::make_unique<Snapshots>(self.images_.get(), self.paths_.run);
  ASSIGN_OR_RETURN(auto store, Store::Open(self.paths_.Database()));
  ASSIGN_OR_RETURN(self.registry_, Registry::Load(std::move(store)));
  TRY(KeepProgramOfContainers(self.options_.oci_runtime, self.cgroups_.layout(), *self.registry_, program));
  self.observers_ = observers;
  self.oci_ = std::make_unique<OciRuntime>(OciRuntimeOptions{.program = std::move(program),
                                                             .conmon_path = self.options_.conmon_path,
                                                             .state_dir = self.paths_.run,
                                                             .deadline = self.options_.runtime_deadline},
                                           self.cgroups_, observers);
  TRY(self.oci_->Prepare());
  const auto version = self.oci_->RuntimeVersion();
  if (self.options_.compile_seccomp) {
    self.compiled_filters_ = std::make_unique<CompiledFilters>(self.paths_.Filters());
    self.crun_takes_filters_ = version && version->name == "crun";
  }
  self.OpenPauseMaker();
  TRY(self.OpenNetwork());
  self.netns_ = std::make_unique<NetnsStore>(self.paths_.Netns());
  self.janitor_ = std::make_unique<Janitor>();
  ASSIGN_OR_RETURN(self.pauses_, ProcessWatcher::Start([&self](const std::string& id) {
                     self.OnExit({.id = id, .exit_code = kUnknownExitCode, .finished_at_unix_nanos = 0});
                   }));
  TRY(self.Recover());
  ASSIGN_OR_RETURN(self.exits_, ExitWatcher::Start(self.oci_->ExitDir(), [&self](const ContainerExitEvent& event) {
                     return self.OnExit(event);
                   }));
  RemoveAbandonedPulls(self.paths_.state);
  ASSIGN_OR_RETURN(self.streaming_, StreamingServer::Start(self.options_.streaming));
  self.janitor_->Every(self.options_.monitor_check_period, [&self] {
    self.EndUnwatched();
    if (self.default_network_) self.default_network_->Keep();
    self.RemoveHalfMade();
    ::malloc_trim(0);  // what a burst of pods needed goes back to the kernel
  });
  return service;
}

Result<void> RuntimeService::OpenNetwork() {
  CniOptions cni{.conf_dir = options_.cni_conf_dir, .bin_dirs = options_.cni_bin_dirs, .cache_dir = paths_.CniCache()};
  TRY(RecallPodCidr());
  if (options_.default_network) {
    DefaultNetworkOptions network = *options_.default_network;
    if (const auto told = IpRanges(); !told.empty()) {
      network.subnets = base::Join(told, ",");
      network.force_address = true;
    }
    network.conf_dir = options_.cni_conf_dir;
    network.ipam_dir = paths_.run + "/cni/ipam";
    ASSIGN_OR_RETURN(default_network_, DefaultNetwork::Install(network));
    default_network_->Keep();
    cni.adapt = [this](CniNetwork found, const CniRequest& pod) {
      return default_network_->Adapt(std::move(found), pod);
    };
  }
  cni_ = std::make_unique<Cni>(std::move(cni));
  return {};
}

void RuntimeService::AddCompiledFilter(const SeccompResult& seccomp, oci::Spec& spec,
                                       std::vector<std::string>& warnings) {
  if (!crun_takes_filters_ || !seccomp.profile) return;
  auto filter = compiled_filters_->Get(*seccomp.profile);
  if (filter) {
    spec.annotations[kFilterAnnotation] = *std::move(filter);
  } else if (filter.error().code != Code::kFailedPrecondition) {
    warnings.push_back("the filter is left to libseccomp: " + filter.error().message);
    base::LogWarning("profile could not be compiled", {{"err", filter.error().message}});
  }
}

ContainerHandle RuntimeService::HandleOf(const ContainerRow& row, const SandboxRow& sandbox) const {
  return {.id = row.id, .bundle = paths_.Bundle(row.id), .cgroup_parent = sandbox.cgroup_parent};
}

ContainerHandle RuntimeService::HandleOf(const SandboxRow& row) const {
  return {.id = row.id, .bundle = paths_.Bundle(row.id), .cgroup_parent = row.cgroup_parent};
}

Result<ContainerRow> RuntimeService::FindContainer(const std::string& id) const {
  ASSIGN_OR_RETURN(ContainerRow row, registry_->Container(id));
  if (!IsVisible(row.step)) return Fail(Code::kNotFound, "could not find container \"{}\": ID not found", id);
  return row;
}

Result<ContainerRow> RuntimeService::FindRunning(const std::string& id) const {
  ASSIGN_OR_RETURN(ContainerRow row, FindContainer(id));
  if (row.step != ContainerStep::kRunning)
    return Fail(Code::kFailedPrecondition, "container {} is not running", row.id);
  return row;
}

Result<SandboxRow> RuntimeService::FindSandbox(const std::string& id) const {
  ASSIGN_OR_RETURN(SandboxRow row, registry_->Sandbox(id));
  if (!IsVisible(row.step)) return Fail(Code::kNotFound, "could not find sandbox \"{}\": ID not found", id);
  return row;
}

}  // namespace portcullis::runtime
