// A RuntimeService of its own for one test: scratch folders, cgroup, bridge and images, and a check that nothing is
// left.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/service/runtime_service.h"

namespace portcullis::runtime {

class ServiceTest : public testing::Test {
 protected:
  static constexpr char kBusybox[] = "docker.io/library/busybox:latest";
  static constexpr char kProbe[] = "/usr/local/bin/seccomp-probe";

  void SetUp() override;
  void TearDown() override;

  void StartService();                      // recovers what is there
  void DropService() { service_.reset(); }  // as far as containers can tell: kill -9

  RuntimeService& service() { return *service_; }

  // Configurations with a unique pod name.
  cri::PodSandboxConfig PodConfig() const;
  cri::ContainerConfig ContainerConfig(const std::string& name, std::vector<std::string> command) const;
  static void SetSeccomp(cri::ContainerConfig& config, cri::SecurityProfileProfileType type,
                         const std::string& ref = "");

  // Fail the test, and give "" on an error.
  std::string RunPod(const cri::PodSandboxConfig& config);
  std::string Create(const std::string& pod, const cri::ContainerConfig& config);
  std::string Run(const std::string& pod, const cri::ContainerConfig& config);

  cri::ContainerStatus StatusOf(const std::string& id);
  cri::PodSandboxState PodState(const std::string& id);
  nlohmann::json InfoOf(const std::string& id);
  nlohmann::json PodInfoOf(const std::string& id);
  cri::ExecSyncResponse Exec(const std::string& id, std::vector<std::string> command);
  bool AwaitState(const std::string& id, cri::ContainerState state);

  // crun, behind our helper where the host's cgroups are hybrid: Debian's crun alone refuses those.
  std::string CrunPath() const;

  static bool Eventually(const std::function<bool()>& holds);
  std::string LogOf(const std::string& id);

  // What is still there of this test: mounts, cgroups, processes, files of pods, and once the service is
  // gone its firewall rules. Empty when all is well.
  std::vector<std::string> Leftovers() const;

  std::string scratch_;
  std::string cgroup_;
  std::string bridge_;
  std::string network_;  // CNI's name for it
  ServiceOptions options_;
  std::unique_ptr<RuntimeService> service_;
};

}  // namespace portcullis::runtime
