// RunPodSandbox: reserve the name, make cgroup, network namespace, network, files, /dev/shm and the pause container.
#include <unistd.h>

#include <array>

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/thread.h"
#include "base/try.h"
#include "runtime/service/bundle.h"
#include "runtime/service/network_request.h"
#include "runtime/service/pod_files.h"
#include "runtime/service/runtime_service.h"
#include "runtime/service/shm.h"
#include "runtime/service/spec_input.h"

namespace portcullis::runtime {
namespace {

std::string HostHostname() {
  std::array<char, 256> name = {};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string();
}

Result<void> CheckConfig(const std::optional<cri::PodSandboxConfig>& config) {
  if (!config) return Fail(Code::kInvalidArgument, "sandbox config must be set");
  if (!config->metadata || config->metadata->name.empty()) {
    return Fail(Code::kInvalidArgument, "sandbox config must include a metadata name");
  }
  if (!config->log_directory.empty() && !config->log_directory.starts_with('/')) {
    return Fail(Code::kInvalidArgument, "log_directory {} must be an absolute path",
                base::Quote(config->log_directory));
  }
  if (config->windows) return Fail(Code::kInvalidArgument, "windows sandboxes are not supported by this runtime");
  return CheckHostname(config->hostname);
}

Result<void> WritePodFiles(const std::string& folder, const SandboxRow& row, bool host_network) {
  TRY(base::MakeDirs(folder, 0700));
  std::string host_resolv;
  if (auto text = base::ReadFile("/etc/resolv.conf", 1u << 20)) host_resolv = std::move(*text);
  ASSIGN_OR_RETURN(const std::string resolv, ResolvConf(DnsOf(row), host_resolv));
  const std::string hostname = host_network ? HostHostname() : row.config.hostname;
  std::string hosts = HostsFile(row.ips, hostname);
  if (host_network) {
    if (auto text = base::ReadFile("/etc/hosts", 1u << 20)) hosts = std::move(*text);
  }
  const auto write = [&](const char* name, std::string_view text) {
    return base::WriteFileAtomic(folder + "/" + name, text, 0644, base::Lasting::kUntilReboot);
  };
  TRY(write("resolv.conf", resolv));
  TRY(write("hosts", hosts));
  return write("hostname", hostname + "\n");
}

}  // namespace

Result<cri::RunPodSandboxResponse> RuntimeService::RunPodSandbox(const cri::RunPodSandboxRequest& request) {
  TRY(CheckConfig(request.config));
  const std::string& handler = request.runtime_handler;
  if (!handler.empty() && handler != oci_->options().program.name) {
    return Fail(Code::kInvalidArgument, "no runtime for {} is configured", base::Quote(handler));
  }
  SandboxRow row;
  row.id = base::RandomHex(32);
  row.config = *request.config;
  row.runtime_handler = handler;
  row.created_at = base::NowUnixNanos();
  ASSIGN_OR_RETURN(row.cgroup_parent, CgroupParent(row.config.linux ? row.config.linux->cgroup_parent : "",
                                                   options_.default_cgroup_parent, driver_));
  // All that can be refused is refused before anything is made.
  const auto context = row.config.linux ? row.config.linux->security_context : std::nullopt;
  auto decision = DecideSeccomp(SeccompRequestOf(context, seccomp_.kernel_has_seccomp()));
  if (!decision) return Wrap(std::move(decision).error(), "failed to generate seccomp spec opts");
  ASSIGN_OR_RETURN(const SeccompResult seccomp, seccomp_.Resolve(*decision, {}));
  row.seccomp = seccomp.description;
  row.warnings = seccomp.warnings;
  ASSIGN_OR_RETURN(const Image image, SandboxImage());
  row.image_id = image.id;

  const PodLock lock = registry_->LockPod(row.id);
  TRY(registry_->Add(row));
  if (auto made = MakeSandbox(row, image, seccomp); !made) {
    auto undone = TearDownSandbox(row);
    if (undone) undone = registry_->RemoveSandbox(row.id);
    if (!undone) {
      // It must be seen, so that the client removes it, and does not block the name for the next attempt for ever.
      base::LogError("half-made sandbox is left", {{"sandbox", row.id}, {"error", undone.error().message}});
      auto shown = registry_->ChangeSandbox(row.id, [](SandboxRow& changing) {
        changing.step = SandboxStep::kNotReady;
        changing.pid = 0;
      });
      if (!shown) base::LogWarning("it goes later", {{"sandbox", row.id}, {"error", shown.error().message}});
    }
    ReleaseCgroups();
    return Wrap(std::move(made).error(), "failed to create sandbox for pod \"{}/{}\"", row.config.metadata->namespace_,
                row.config.metadata->name);
  }
  return cri::RunPodSandboxResponse{.pod_sandbox_id = row.id};
}

Result<void> RuntimeService::MakeSandbox(SandboxRow& row, const Image& image, const SeccompResult& seccomp) {
  const bool host_network = UsesHostNetwork(row.config);
  ASSIGN_OR_RETURN(oci::SandboxSpecInput input, SandboxInput(row.config, image.config));
  ASSIGN_OR_RETURN(const std::string own_cgroups, AcquireCgroup(row));
  // The network is made while the pause container is: neither needs more than the namespace. On every way out of here
  // the future waits for the plugins, so undoing finds nothing at work.
  std::future<Result<CniResult>> network;
  if (!host_network) {
    ASSIGN_OR_RETURN(row.netns_path, netns_->Create(row.id));
    ASSIGN_OR_RETURN(const CniRequest wanted, CniRequestOf(row, IpRanges()));
    network = base::Async([this, wanted] { return cni_->Add(wanted); });
  }
  if (!row.config.log_directory.empty()) TRY(base::MakeDirs(row.config.log_directory, 0755));
  if (input.modes.ipc == oci::NamespaceMode::kPod) {
    input.shm_path = paths_.Shm(row.id);
    TRY(MountShm(input.shm_path));
  }

  input.network_namespace = row.netns_path;
  input.cgroups_path = HandleOf(row).CgroupsPath();
  input.annotations = SandboxAnnotations(row.config, row.id, options_.sandbox_image);
  input.seccomp = seccomp.profile;
  input.host = host_;
  input.annotations[kOwnCgroupsAnnotation] = own_cgroups;  // also over a pod's own of that name
  Result<void> made = MakePause(row, input, image, seccomp);
  if (!made && made.error().code == Code::kUnimplemented) {
    base::LogDebug("the OCI runtime makes the pause process", {{"sandbox", row.id}, {"reason", made.error().message}});
    made = CreatePause(row, input, image, seccomp);
  }
  TRY(made);
  if (network.valid()) {
    auto attached = network.get();
    if (!attached) return Wrap(std::move(attached).error(), "set up network");
    row.ips = attached->PodIps();
    row.network_result = attached->json;
  }
  TRY(WritePodFiles(paths_.SandboxFiles(row.id), row, host_network));
  return StartPause(row, seccomp);
}

}  // namespace portcullis::runtime
