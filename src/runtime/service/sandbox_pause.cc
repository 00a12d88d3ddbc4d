// A sandbox's pause process: our own (portcullis-pause) in an empty root, or, where a sandbox asks for more, the
// program of the sandbox image, made by the OCI runtime and watched by conmon as a container is.
#include <algorithm>

#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"
#include "engine/filter/compile.h"
#include "runtime/service/bundle.h"
#include "runtime/service/runtime_service.h"
#include "runtime/service/verbose_info.h"

namespace portcullis::runtime {
namespace {

// Whether an image holds the well-known pause program, and so nothing that our own would lack. A user that only the
// image's files can tell needs the image.
bool IsPauseImage(const oci::ImageConfig& config) {
  const bool numeric = std::all_of(config.user.begin(), config.user.end(),
                                   [](unsigned char c) { return std::isdigit(c) != 0 || c == ':'; });
  return config.entrypoint == std::vector<std::string>{"/pause"} && config.cmd.empty() && numeric &&
         (config.working_dir.empty() || config.working_dir == "/");
}

}  // namespace

void RuntimeService::OpenPauseMaker() {
  const std::string& program = oci_->options().program.name;
  // Another OCI runtime may do what no process in namespaces can stand for: a virtual machine, for one.
  if (!options_.own_pause || (program != "crun" && program != "runc")) return;
  auto maker = PauseMaker::Open(FindProgram(kOwnPause), cgroups_);
  if (maker) {
    pause_maker_ = *std::move(maker);
  } else {
    base::LogWarning("the OCI runtime makes pause processes, which takes longer", {{"reason", maker.error().message}});
  }
}

Result<void> RuntimeService::MakePause(SandboxRow& row, oci::SandboxSpecInput input, const Image& image,
                                       const SeccompResult& seccomp) {
  if (!pause_maker_) return Fail(Code::kUnimplemented, "there is no {}", kOwnPause);
  if (!IsPauseImage(image.config)) {
    return Fail(Code::kUnimplemented, "image {} holds another program than /pause", options_.sandbox_image);
  }
  base::UniqueFd file;
  std::optional<PauseFilter> filter;
  if (seccomp.profile) {
    auto made = compiled_filters_ ? compiled_filters_->File(*seccomp.profile)
                                  : Fail(Code::kUnimplemented, "profiles are left to libseccomp");
    if (!made) return Fail(Code::kUnimplemented, "{}", made.error().message);
    file = *std::move(made);
    filter = PauseFilter{.file = file.get(), .flags = filter::FlagsOf(*seccomp.profile)};
  }
  input.rootfs = paths_.PauseRoot();
  input.bare = true;
  ASSIGN_OR_RETURN(const oci::BuiltSpec built, BuildSandboxSpec(input));
  const ContainerHandle handle = HandleOf(row);
  TRY(WriteBundle(handle.bundle, built.spec));
  ASSIGN_OR_RETURN(PauseProcess pause, pause_maker_->Make(handle, built.spec, filter, options_.runtime_deadline));
  row.pid = pause.pid;
  row.pause_start = pause.start_time_ticks;
  row.warnings.insert(row.warnings.end(), built.notes.begin(), built.notes.end());
  if (observers_ != nullptr) {
    observers_->Created({row.id, row.config.metadata->name, handle.bundle, pause.pid, handle.Cgroup(),
                         cgroups_.CgroupId(handle.Cgroup())});
  }
  return {};
}

Result<void> RuntimeService::CreatePause(SandboxRow& row, oci::SandboxSpecInput input, const Image& image,
                                         const SeccompResult& seccomp) {
  ASSIGN_OR_RETURN(const Snapshot snapshot, snapshots_->Prepare(row.id, image));
  input.rootfs = snapshot.rootfs;
  ASSIGN_OR_RETURN(input.passwd_text, ReadInRoot(snapshot.rootfs, "/etc/passwd"));
  ASSIGN_OR_RETURN(input.group_text, ReadInRoot(snapshot.rootfs, "/etc/group"));
  ASSIGN_OR_RETURN(oci::BuiltSpec built, BuildSandboxSpec(input));
  row.warnings.insert(row.warnings.end(), built.notes.begin(), built.notes.end());
  AddCompiledFilter(seccomp, built.spec, row.warnings);
  const ContainerHandle handle = HandleOf(row);
  // crun would put the processes into a cgroup below the scope's own.
  if (handle.InSlice()) built.spec.annotations["run.oci.systemd.subgroup"] = "";

  TRY(base::MakeDirs(handle.bundle, 0700));
  CreateOptions create;
  create.name = row.config.metadata->name;
  create.log_path = handle.bundle + "/pause.log";
  ASSIGN_OR_RETURN(Conmon monitor, oci_->StartMonitor(handle, create));
  TRY(monitor.Settle());
  TRY(WriteBundle(handle.bundle, built.spec));
  ASSIGN_OR_RETURN(const CreatedContainer created, oci_->Create(handle, create, std::move(monitor)));
  row.pid = created.pid;
  return {};
}

Result<void> RuntimeService::StartPause(SandboxRow& row, const SeccompResult& seccomp) {
  const bool own = row.pause_start != 0;
  if (own) row.step = SandboxStep::kReady;
  TRY(registry_->ChangeSandbox(row.id, [&](SandboxRow& changing) { changing = row; }));
  if (own) {
    auto pidfd = OpenPause(static_cast<pid_t>(row.pid), row.pause_start);
    if (!pidfd) return Wrap(std::move(pidfd).error(), "the pause process ended at once");
    return pauses_->Watch(row.id, *std::move(pidfd));
  }
  // An exit reported before that has been overwritten, and is told only once.
  TRY(TakeExitFile(row.id));
  TRY(oci_->Start(HandleOf(row), seccomp.profile ? Filter::kWanted : Filter::kNone));
  ASSIGN_OR_RETURN(row, registry_->ChangeSandbox(row.id, [](SandboxRow& changing) {
    if (changing.pid != 0) changing.step = SandboxStep::kReady;
  }));
  if (row.pid == 0) return Fail(Code::kInternal, "the pause process of {} exited at once", options_.sandbox_image);
  return {};
}

}  // namespace portcullis::runtime
