#include "service_fixture.h"

#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/document.h"
#include "base/files.h"
#include "base/spawn.h"
#include "base/strings.h"
#include "runtime/network/default_network.h"

namespace portcullis::runtime {
namespace {

// PORTCULLIS_TEST_IMAGES, else images/ beside the folder of this program.
std::string ImageFolder() {
  if (const char* given = std::getenv("PORTCULLIS_TEST_IMAGES")) return given;
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path().parent_path() / "images";
}

void RunTool(std::vector<std::string> argv) {
  base::CommandOptions command;
  command.spawn.argv = std::move(argv);
  auto done = base::RunCommand(command);
  EXPECT_TRUE(done) << done.error().message;
}

}  // namespace

void ServiceTest::SetUp() {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const std::string images = ImageFolder();
  if (!base::Exists(images + "/busybox.tar") || !base::Exists(images + "/pause-3.10.tar")) {
    GTEST_SKIP() << "no images in " << images << ": run scripts/build-images";
  }
  if (FindProgram("conmon").empty() || FindProgram("runc").empty()) GTEST_SKIP() << "conmon or runc is not installed";
  const std::string name = base::RandomHex(4);
  scratch_ = "/tmp/pcit-" + name;  // short: paths of sockets have a limit
  cgroup_ = "/pcit-" + name;
  bridge_ = "pcit" + name;
  network_ = "pcit-" + name;
  options_.state_dir = scratch_ + "/state";
  options_.run_dir = scratch_ + "/run";
  options_.seccomp_root = scratch_ + "/seccomp";
  options_.cni_conf_dir = scratch_ + "/net.d";
  options_.conmon_path = FindProgram("conmon");
  options_.default_cgroup_parent = cgroup_;
  ASSERT_TRUE(base::MakeDirs(options_.seccomp_root));
  ASSERT_TRUE(base::MakeDirs(options_.cni_conf_dir));
  const uint64_t slot = std::strtoull(name.c_str(), nullptr, 16);
  options_.default_network = DefaultNetworkOptions{
      .name = network_, .bridge = bridge_, .subnets = fmt::format("10.{}.{}.0/24", 200 + slot % 50, (slot >> 8) % 256)};
  StartService();
  ASSERT_TRUE(service_);
  for (const char* image : {"/pause-3.10.tar", "/busybox.tar"}) {
    auto loaded = service_->images().Load(images + image, {});
    ASSERT_TRUE(loaded) << loaded.error().message;
  }
}

void ServiceTest::TearDown() {
  if (scratch_.empty()) return;  // skipped
  if (!service_) StartService();
  if (service_) {
    const auto pods = service_->ListPodSandbox({});
    for (const cri::PodSandbox& pod : pods->items) {
      auto removed = service_->RemovePodSandbox({.pod_sandbox_id = pod.id});
      EXPECT_TRUE(removed) << removed.error().message;
    }
    service_.reset();
  }
  // Whatever the test was about: firewall rules can be undone only while the pod's network namespace is there.
  Cni cni(
      {.conf_dir = options_.cni_conf_dir, .bin_dirs = options_.cni_bin_dirs, .cache_dir = options_.state_dir + "/cni"});
  for (const std::string& id : cni.Attached().value_or(std::vector<std::string>())) {
    auto detached = cni.Del(id);
    EXPECT_TRUE(detached) << detached.error().message;
  }
  EXPECT_TRUE(Eventually([&] { return Leftovers().empty(); })) << base::Join(Leftovers(), "\n");
  if (base::Exists("/sys/class/net/" + bridge_)) RunTool({"ip", "link", "delete", bridge_});
  EXPECT_TRUE(base::RemoveTree(scratch_));
}

std::string ServiceTest::CrunPath() const {
  const auto cgroups = Cgroups::Detect();
  const auto program = cgroups ? ChooseOciRuntime("crun", cgroups->layout(), FindProgram)
                               : Result<RuntimeProgram>(Failure(cgroups.error()));
  return program ? program->path : "";
}

void ServiceTest::StartService() {
  auto started = RuntimeService::Start(options_);
  ASSERT_TRUE(started) << started.error().message;
  service_ = std::move(*started);
}

cri::PodSandboxConfig ServiceTest::PodConfig() const {
  cri::PodSandboxConfig config;
  const std::string name = "pod-" + base::RandomHex(4);
  config.metadata = cri::PodSandboxMetadata{.name = name, .uid = "uid-" + name, .namespace_ = "default"};
  config.hostname = name;
  config.log_directory = scratch_ + "/logs/" + name;
  config.labels = {{"test", "yes"}};
  auto& context = config.linux.emplace().security_context.emplace();
  context.namespace_options = cri::NamespaceOption{.pid = cri::NamespaceMode::kContainer};
  context.seccomp.emplace();  // RuntimeDefault, as every kubelet sends
  return config;
}

cri::ContainerConfig ServiceTest::ContainerConfig(const std::string& name, std::vector<std::string> command) const {
  cri::ContainerConfig config;
  config.metadata = cri::ContainerMetadata{.name = name};
  config.image = cri::ImageSpec{.image = kBusybox};
  config.command = std::move(command);
  config.log_path = name + ".log";
  config.labels = {{"name", name}};
  config.linux.emplace().security_context.emplace().namespace_options =
      cri::NamespaceOption{.pid = cri::NamespaceMode::kContainer};
  return config;
}

void ServiceTest::SetSeccomp(cri::ContainerConfig& config, cri::SecurityProfileProfileType type,
                             const std::string& ref) {
  config.linux->security_context->seccomp = cri::SecurityProfile{.profile_type = type, .localhost_ref = ref};
}

std::string ServiceTest::RunPod(const cri::PodSandboxConfig& config) {
  auto made = service_->RunPodSandbox({.config = config});
  EXPECT_TRUE(made) << made.error().message;
  return made ? made->pod_sandbox_id : "";
}

std::string ServiceTest::Create(const std::string& pod, const cri::ContainerConfig& config) {
  auto made = service_->CreateContainer({.pod_sandbox_id = pod, .config = config});
  EXPECT_TRUE(made) << made.error().message;
  return made ? made->container_id : "";
}

std::string ServiceTest::Run(const std::string& pod, const cri::ContainerConfig& config) {
  const std::string id = Create(pod, config);
  auto started = service_->StartContainer({.container_id = id});
  EXPECT_TRUE(started) << started.error().message;
  return id;
}

cri::ContainerStatus ServiceTest::StatusOf(const std::string& id) {
  auto status = service_->ContainerStatus({.container_id = id});
  EXPECT_TRUE(status) << status.error().message;
  return status ? status->status.value_or(cri::ContainerStatus{}) : cri::ContainerStatus{};
}

cri::PodSandboxState ServiceTest::PodState(const std::string& id) {
  auto status = service_->PodSandboxStatus({.pod_sandbox_id = id});
  EXPECT_TRUE(status) << status.error().message;
  return status ? status->status->state : cri::PodSandboxState::kSandboxNotready;
}

nlohmann::json ServiceTest::InfoOf(const std::string& id) {
  auto status = service_->ContainerStatus({.container_id = id, .verbose = true});
  EXPECT_TRUE(status) << status.error().message;
  return status ? *base::ParseJson(status->info.at("info"), "info") : nlohmann::json();
}

nlohmann::json ServiceTest::PodInfoOf(const std::string& id) {
  auto status = service_->PodSandboxStatus({.pod_sandbox_id = id, .verbose = true});
  EXPECT_TRUE(status) << status.error().message;
  return status ? *base::ParseJson(status->info.at("info"), "info") : nlohmann::json();
}

cri::ExecSyncResponse ServiceTest::Exec(const std::string& id, std::vector<std::string> command) {
  auto done = service_->ExecSync({.container_id = id, .cmd = std::move(command), .timeout = 30});
  EXPECT_TRUE(done) << done.error().message;
  return done ? std::move(*done) : cri::ExecSyncResponse{.exit_code = -1};
}

bool ServiceTest::Eventually(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

bool ServiceTest::AwaitState(const std::string& id, cri::ContainerState state) {
  return Eventually([&] { return StatusOf(id).state == state; });
}

std::string ServiceTest::LogOf(const std::string& id) {
  auto text = base::ReadFile(StatusOf(id).log_path);
  return text ? *text : "";
}

std::vector<std::string> ServiceTest::Leftovers() const {
  std::vector<std::string> left;
  if (auto mounts = base::ReadFile("/proc/self/mountinfo")) {
    for (const std::string& line : base::Split(*mounts, '\n')) {
      if (line.find(scratch_) != std::string::npos) left.push_back("mount: " + line);
    }
  }
  base::CommandOptions firewall;
  firewall.spawn.argv = {"iptables-save"};
  if (auto rules = base::RunCommand(firewall); rules && !service_) {
    for (const std::string& line : base::Split(rules->out, '\n')) {
      if (line.find(network_) != std::string::npos || line.find(bridge_) != std::string::npos)
        left.push_back("firewall rule: " + line);
    }
  }
  if (auto cgroups = Cgroups::Detect(); cgroups && cgroups->CgroupId(cgroup_) != 0)
    left.push_back("cgroup: " + cgroup_);
  for (const std::string folder : {"/run/netns", "/run/shm", "/state/cni", "/run/exits", "/run/attach", "/run/oci",
                                   "/run/snapshots", "/state/snapshots", "/state/bundles", "/state/sandboxes"}) {
    auto names = base::ListDir(scratch_ + folder);
    if (!names) continue;
    for (const std::string& name : *names) left.push_back("file: " + scratch_ + folder + "/" + name);
  }
  std::error_code error;
  for (const auto& process : std::filesystem::directory_iterator("/proc", error)) {
    auto command = base::ReadFile(process.path() / "cmdline", 1u << 20);
    if (!base::ParseUint(process.path().filename().string()) || !command) continue;
    if (command->find(scratch_ + "/") != std::string::npos) left.push_back("process: " + process.path().string());
  }
  return left;
}

}  // namespace portcullis::runtime
