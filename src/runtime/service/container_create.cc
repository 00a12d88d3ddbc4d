// CreateContainer: decide and read the profile, reserve the name, then root file system, bundle and the OCI runtime's
// create.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"
#include "runtime/service/bundle.h"
#include "runtime/service/exit_codes.h"
#include "runtime/service/filters.h"
#include "runtime/service/hugepages.h"
#include "runtime/service/mark_exited.h"
#include "runtime/service/runtime_service.h"
#include "runtime/service/signals.h"
#include "runtime/service/spec_input.h"

namespace portcullis::runtime {
namespace {

Result<void> CheckConfig(const std::optional<cri::ContainerConfig>& config) {
  if (!config) return Fail(Code::kInvalidArgument, "container config must be set");
  if (!config->metadata || config->metadata->name.empty()) {
    return Fail(Code::kInvalidArgument, "container config must include a metadata name");
  }
  if (!config->image || config->image->image.empty()) {
    return Fail(Code::kInvalidArgument, "container config must include an image");
  }
  if (config->windows) return Fail(Code::kInvalidArgument, "windows containers are not supported by this runtime");
  return {};
}

// log_directory/log_path, which must stay in log_directory. "" when the client wants no log.
Result<std::string> LogPathOf(const cri::PodSandboxConfig& sandbox, const cri::ContainerConfig& config) {
  if (sandbox.log_directory.empty() || config.log_path.empty()) return std::string();
  for (const std::string& part : base::Split(config.log_path, '/')) {
    if (part == "..")
      return Fail(Code::kInvalidArgument, "log_path {} must not contain '..'", base::Quote(config.log_path));
  }
  return base::JoinPath(sandbox.log_directory, config.log_path);
}

// As other runtimes do: what a mount names and the host lacks is made as a folder.
Result<void> PrepareMountSource(oci::Mount& mount) {
  struct stat st = {};
  if (::stat(mount.source.c_str(), &st) == 0) return {};
  if (errno != ENOENT) return FailErrno(errno, "mount {}: stat {}", mount.destination, mount.source);
  return base::MakeDirs(mount.source, 0755);
}

Result<oci::DeviceRequest> DeviceOf(const cri::Device& device) {
  struct stat st = {};
  if (::stat(device.host_path.c_str(), &st) != 0) return FailErrno(errno, "device: stat {}", device.host_path);
  if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode)) {
    return Fail(Code::kInvalidArgument, "device {} is not a device node", base::Quote(device.host_path));
  }
  for (const char c : device.permissions) {
    if (c != 'r' && c != 'w' && c != 'm') {
      return Fail(Code::kInvalidArgument, "device {}: permissions {} must be of \"rwm\"", base::Quote(device.host_path),
                  base::Quote(device.permissions));
    }
  }
  oci::DeviceRequest request;
  request.device = {.path = device.container_path.empty() ? device.host_path : device.container_path,
                    .type = S_ISCHR(st.st_mode) ? "c" : "b",
                    .major = static_cast<int64_t>(major(st.st_rdev)),
                    .minor = static_cast<int64_t>(minor(st.st_rdev)),
                    .file_mode = st.st_mode & 07777,
                    .uid = st.st_uid,
                    .gid = st.st_gid};
  request.access = device.permissions.empty() ? "rwm" : device.permissions;
  return request;
}

// resolv.conf, hosts and hostname of the pod, unless the client mounts its own over them (the kubelet's /etc/hosts).
void AddPodFiles(const std::string& folder, oci::ContainerSpecInput& input) {
  std::vector<oci::Mount> all;
  for (const char* name : {"resolv.conf", "hosts", "hostname"}) {
    all.push_back({.destination = fmt::format("/etc/{}", name),
                   .type = "bind",
                   .source = folder + "/" + name,
                   .options = {"rbind", "rprivate", input.readonly_rootfs ? "ro" : "rw"}});
  }
  for (oci::Mount& mount : input.mounts) {
    std::erase_if(all, [&](const oci::Mount& other) { return other.destination == mount.destination; });
    all.push_back(std::move(mount));
  }
  input.mounts = std::move(all);
}

std::string NamespaceOfPid(int64_t pid, std::string_view kind) { return fmt::format("/proc/{}/ns/{}", pid, kind); }

std::string HostHostname() {
  std::array<char, 256> name = {};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string();
}

cri::LinuxContainerUser UserOf(const oci::User& user) {
  cri::LinuxContainerUser out{.uid = user.uid, .gid = user.gid};
  for (const uint32_t gid : user.additional_gids) out.supplemental_groups.push_back(gid);
  return out;
}

CreateOptions CreateOptionsOf(const ContainerRow& row, const ContainerHandle& handle) {
  return {.name = row.config.metadata->name,
          .log_path = row.log_path.empty() ? handle.bundle + "/container.log" : row.log_path,
          .tty = row.config.tty,
          .stdin_open = row.config.stdin,
          .stdin_once = row.config.stdin_once,
          .deadline = std::nullopt};
}

}  // namespace

Result<cri::CreateContainerResponse> RuntimeService::CreateContainer(const cri::CreateContainerRequest& request) {
  TRY(CheckConfig(request.config));
  ASSIGN_OR_RETURN(const SandboxRow found, FindSandbox(request.pod_sandbox_id));
  const PodLock lock = registry_->LockPod(found.id);
  ASSIGN_OR_RETURN(const SandboxRow sandbox, FindSandbox(found.id));
  if (sandbox.step != SandboxStep::kReady) {
    return Fail(Code::kFailedPrecondition, "sandbox {} is not running", sandbox.id);
  }

  ContainerRow row;
  row.id = base::RandomHex(32);
  row.sandbox_id = sandbox.id;
  row.config = *request.config;
  row.created_at = base::NowUnixNanos();
  // All that can be refused is refused before anything is made; a bad profile above all.
  auto image = images_->Get(row.config.image->image);
  if (!image)
    return Wrap(std::move(image).error(), "image {} of container {}", row.config.image->image,
                row.config.metadata->name);
  row.image_id = image->id;
  row.image_ref = image->repo_digests.empty() ? image->id : image->repo_digests.front();
  row.stop_signal = StopSignalName(row.config.stop_signal, image->config.stop_signal);
  ASSIGN_OR_RETURN(row.log_path, LogPathOf(sandbox.config, row.config));
  ASSIGN_OR_RETURN(const oci::CapabilitySet capabilities,
                   ComputeCapabilities(CapabilitiesOf(row.config, host_.capabilities)));
  const auto context = row.config.linux ? row.config.linux->security_context : std::nullopt;
  auto decision = DecideSeccomp(SeccompRequestOf(context, seccomp_.kernel_has_seccomp()));
  if (!decision) return Wrap(std::move(decision).error(), "failed to generate seccomp spec opts");
  ASSIGN_OR_RETURN(const SeccompResult seccomp, seccomp_.Resolve(*decision, capabilities.bounding));
  row.seccomp = seccomp.description;
  row.warnings = seccomp.warnings;

  // Before the OCI runtime reads the profile: should it hang on it, the reason stands in the log.
  for (const std::string& warning : seccomp.warnings) {
    base::LogWarning("seccomp profile", {{"container", row.id}, {"warning", warning}});
  }

  TRY(registry_->Add(row));
  if (auto made = MakeContainer(row, sandbox, *image, capabilities.bounding, seccomp); !made) {
    auto undone = TearDownContainer(row, sandbox);
    if (undone) undone = registry_->RemoveContainer(row.id);
    if (!undone) {
      // It must be seen, so that the client removes it, and does not block the name for the next attempt for ever.
      base::LogError("half-made container is left", {{"container", row.id}, {"error", undone.error().message}});
      auto shown = registry_->ChangeContainer(row.id, [&](ContainerRow& changing) {
        MarkExited(changing, kCannotRunExitCode, "ContainerCannotRun", made.error().message);
      });
      if (!shown) base::LogWarning("it goes later", {{"container", row.id}, {"error", shown.error().message}});
    }
    return Wrap(std::move(made).error(), "failed to create container \"{}\"", row.config.metadata->name);
  }
  return cri::CreateContainerResponse{.container_id = row.id};
}

Result<void> RuntimeService::MakeContainer(ContainerRow& row, const SandboxRow& sandbox, const Image& image,
                                           const std::vector<std::string>& bounding, const SeccompResult& seccomp) {
  ASSIGN_OR_RETURN(oci::ContainerSpecInput input,
                   ContainerInput(row.config, sandbox.config, image.config, row.warnings));
  KeepPossibleHugepageLimits(cgroups_, input.resources, row.warnings);
  if (UsesHostNetwork(sandbox.config)) input.hostname = HostHostname();
  input.capabilities = CapabilitiesOf(row.config, host_.capabilities);
  for (oci::Mount& mount : input.mounts) TRY(PrepareMountSource(mount));
  AddPodFiles(paths_.SandboxFiles(sandbox.id), input);
  for (const cri::Device& device : row.config.devices) {
    ASSIGN_OR_RETURN(oci::DeviceRequest converted, DeviceOf(device));
    input.devices.push_back(std::move(converted));
  }
  input.sandbox = {.network = sandbox.netns_path,
                   .ipc = NamespaceOfPid(sandbox.pid, "ipc"),
                   .uts = NamespaceOfPid(sandbox.pid, "uts"),
                   .pid = NamespaceOfPid(sandbox.pid, "pid")};
  if (input.modes.pid == oci::NamespaceMode::kTarget) {
    const std::string& target = row.config.linux->security_context->namespace_options->target_id;
    ASSIGN_OR_RETURN(const ContainerRow other, FindContainer(target));
    if (other.sandbox_id != sandbox.id || other.step != ContainerStep::kRunning) {
      return Fail(Code::kInvalidArgument, "target container {} does not run in this pod", base::Quote(target));
    }
    input.sandbox.pid = NamespaceOfPid(other.pid, "pid");
  }
  if (input.modes.ipc == oci::NamespaceMode::kPod) input.shm_path = paths_.Shm(sandbox.id);

  // The monitor gets ready while the rest of the bundle is made.
  const ContainerHandle handle = HandleOf(row, sandbox);
  const CreateOptions create = CreateOptionsOf(row, handle);
  TRY(base::MakeDirs(create.log_path.substr(0, create.log_path.rfind('/')), 0755));
  TRY(base::MakeDirs(handle.bundle, 0700));
  ASSIGN_OR_RETURN(Conmon monitor, oci_->StartMonitor(handle, create));

  ASSIGN_OR_RETURN(const Snapshot snapshot, snapshots_->Prepare(row.id, image));
  input.rootfs = snapshot.rootfs;
  ASSIGN_OR_RETURN(input.passwd_text, ReadInRoot(snapshot.rootfs, "/etc/passwd"));
  ASSIGN_OR_RETURN(input.group_text, ReadInRoot(snapshot.rootfs, "/etc/group"));
  input.cgroups_path = handle.CgroupsPath();
  input.annotations = ContainerAnnotations(row.config, sandbox.config, sandbox.id);
  input.seccomp = seccomp.profile;
  input.host = host_;
  if (!IsPrivileged(row.config)) {
    ASSIGN_OR_RETURN(input.apparmor_profile, apparmor_->ProfileFor(input.apparmor_profile, row.warnings));
  }
  ASSIGN_OR_RETURN(oci::BuiltSpec built, BuildContainerSpec(input));
  if (seccomp.profile && built.spec.process.capabilities && built.spec.process.capabilities->bounding != bounding) {
    return Fail(Code::kInternal, "the seccomp profile was resolved for other capabilities than the container gets");
  }
  if (const std::string propagation = RootPropagation(row.config.mounts); !propagation.empty()) {
    built.spec.linux_.rootfs_propagation = propagation;
  }
  row.user = UserOf(built.spec.process.user);
  row.warnings.insert(row.warnings.end(), built.notes.begin(), built.notes.end());
  AddCompiledFilter(seccomp, built.spec, row.warnings);
  // crun would put the processes into a cgroup below the scope's own.
  if (handle.InSlice()) built.spec.annotations["run.oci.systemd.subgroup"] = "";
  TRY(monitor.Settle());
  TRY(WriteBundle(handle.bundle, built.spec));
  ASSIGN_OR_RETURN(const CreatedContainer created, oci_->Create(handle, create, std::move(monitor)));
  row.pid = created.pid;
  row.step = ContainerStep::kCreated;
  TRY(registry_->ChangeContainer(row.id, [&](ContainerRow& changing) { changing = row; }));
  // An exit reported before that was for a row still in the making, and is told only once.
  TRY(TakeExitFile(row.id));
  return {};
}

}  // namespace portcullis::runtime
