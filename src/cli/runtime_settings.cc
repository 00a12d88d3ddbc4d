#include "cli/runtime_settings.h"

#include <utility>

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"
#include "insight/moments/announcer.h"

namespace portcullis::cli {

void RuntimeFlags::AddTo(CommandLine& line) {
  line.Group(kRuntimeGroup);
  line.Text("--listen", &listen, "path of the CRI socket");
  line.Text("--state-dir", &service.state_dir, "images, snapshots and state");
  line.Text("--run-dir", &service.run_dir, "mounts, namespaces, exit codes; gone after a reboot");
  line.Text("--oci-runtime", &service.oci_runtime, "auto, runc, crun or a path");
  line.Text("--conmon", &service.conmon_path, "the containers' monitor");
  line.Text("--default-profile", &service.default_profile,
            "what RuntimeDefault means: containerd, cri-o, docker, one release (containerd@1.7.13) or a profile file");
  line.Bool("--compile-seccomp", &service.compile_seccomp,
            "compile profiles here and hand crun the ready filter; false leaves them to libseccomp");
  line.Text("--sandbox-image", &service.sandbox_image, "image of the pause container");
  line.Text("--registries-file", &service.registry.registries_file,
            "mirrors, TLS and logins of registries (the form of k3s's registries.yaml)");
  line.Text("--registry-auth-file", &service.registry.auth_file,
            "logins as `docker login` writes them (default: config.json of the state folder, /var/lib/kubelet, "
            "$DOCKER_CONFIG or ~/.docker)");
  line.Text("--stream-address", &service.streaming.address,
            "IP address that exec, attach and port-forward are served on");
  line.Each(
      "--stream-port",
      [this](const std::string& value) -> Result<void> {
        const auto port = base::ParseUint(value);
        if (!port || *port > UINT16_MAX)
          return Fail(Code::kInvalidArgument, "--stream-port={}: expected 0 (any free one) to 65535", value);
        service.streaming.port = static_cast<uint16_t>(*port);
        return {};
      },
      "their port (default 0: any free one)");
  line.Text("--stream-tls-cert", &service.streaming.tls.cert_file,
            "file with the certificate, and those between it and its authority: serves them over TLS");
  line.Text("--stream-tls-key", &service.streaming.tls.key_file, "file with the key of --stream-tls-cert");
  line.Text("--stream-tls-ca", &service.streaming.tls.client_ca_file,
            "file with authorities: clients must show a certificate of one of them");
  const auto duration = [&line](const std::string& flag, std::chrono::milliseconds* target, const std::string& help) {
    line.Each(
        flag,
        [flag, target](const std::string& value) -> Result<void> {
          const auto time = base::ParseGoDuration(value);
          if (!time || *time < std::chrono::seconds(1))
            return Fail(Code::kInvalidArgument, "{}={}: expected a duration of at least 1s, as in 4h", flag, value);
          *target = std::chrono::duration_cast<std::chrono::milliseconds>(*time);
          return {};
        },
        help);
  };
  duration("--stream-idle-timeout", &service.streaming.limits.idle,
           "ends sessions in which nothing moves (default 4h)");
  duration("--stream-creation-timeout", &service.streaming.limits.creation,
           "for a client to open its streams (default 30s)");
  line.Text("--cni-conf-dir", &service.cni_conf_dir, "folder with the network's configuration");
  line.Each(
      "--cni-bin-dir",
      [this, first = true](const std::string& dir) mutable -> Result<void> {
        if (first) service.cni_bin_dirs.clear();
        first = false;
        service.cni_bin_dirs.push_back(dir);
        return {};
      },
      "folder with CNI plugins, may be repeated (default /usr/lib/cni, then /opt/cni/bin)");
  line.Bool("--cni-default", &cni_default, "install a bridge network when there is no configuration");
  line.Text("--cni-bridge", &network.bridge, "bridge of --cni-default");
  line.Text("--cni-subnet", &network.subnets,
            "addresses of --cni-default: an IPv4 or IPv6 network, or one of each joined by a comma");
  line.Text("--default-cgroup-parent", &service.default_cgroup_parent,
            "cgroup of pods that name none (default /portcullis, or portcullis.slice)");
  line.Group("Options");
}

std::string RecordersFolder(const std::string& run_dir) { return base::JoinPath(run_dir, "recorders"); }

Result<RunningRuntime> StartRuntime(const RuntimeFlags& flags) {
  runtime::ServiceOptions service = flags.service;
  if (flags.cni_default) service.default_network = flags.network;
  RunningRuntime running;
  running.observers = std::make_unique<runtime::ObserverList>();
  running.observers->Add(std::make_shared<insight::MomentAnnouncer>(RecordersFolder(flags.service.run_dir)));
  ASSIGN_OR_RETURN(running.service, runtime::RuntimeService::Start(std::move(service), running.observers.get()));
  TRY(base::MakeDirs(flags.listen.substr(0, flags.listen.rfind('/'))));
  ASSIGN_OR_RETURN(running.server, cri::Serve(*running.service, {.socket_path = flags.listen}));
  base::LogInfo("CRI runtime is ready", {{"socket", flags.listen}, {"defaultProfile", flags.service.default_profile}});
  return running;
}

}  // namespace portcullis::cli
