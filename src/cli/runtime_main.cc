// portcullis runtime: the CRI runtime alone.
#include <cstdio>

#include "base/log.h"
#include "base/strings.h"
#include "cli/daemon.h"
#include "cli/runtime_settings.h"
#include "cli/self_confinement.h"
#include "cli/verbs.h"

namespace portcullis::cli {

int RuntimeMain(const std::vector<std::string>& args) {
  RuntimeFlags flags;
  LogFlags log;
  SelfConfinementFlags confinement;
  std::vector<std::string> extra;
  CommandLine line("portcullis runtime", "Serves CRI v1 on a unix socket, for a kubelet, crictl or any CRI client.");
  flags.AddTo(line);
  line.Text("--seccomp-root", &flags.service.seccomp_root, "folder that Localhost profiles must lie in");
  line.Text("--cgroup-driver", &flags.service.cgroup_driver, "cgroupfs or systemd, as the kubelet's");
  log.AddTo(line);
  confinement.AddTo(line);
  if (const auto exit_code = line.Parse(args)) return *exit_code;
  SetDaemonUmask();
  StopSignals signals;
  if (const auto applied = log.Apply(); !applied) {
    std::fprintf(stderr, "portcullis runtime: %s\n", applied.error().message.c_str());
    return 2;
  }
  if (const auto confined = confinement.Apply(); !confined) {
    std::fprintf(stderr, "portcullis runtime: %s\n", confined.error().message.c_str());
    return 1;
  }
  flags.service.self_seccomp = confinement.self_seccomp;
  auto running = StartRuntime(flags);
  if (!running) {
    std::fprintf(stderr, "portcullis runtime: %s\n", running.error().message.c_str());
    return 1;
  }
  const int signal = signals.Wait();
  base::LogInfo("stopping; containers run on", {{"signal", std::to_string(signal)}});
  running->service->StopPulls();
  if (!running->server->Stop()) LeaveWithThreadsAtWork();
  return 0;
}

}  // namespace portcullis::cli
