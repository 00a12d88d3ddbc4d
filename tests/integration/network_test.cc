// Network namespaces and Debian's CNI plugins on the real kernel, with a bridge and a range of its own.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "base/files.h"
#include "base/spawn.h"
#include "base/strings.h"
#include "runtime/network/cni.h"
#include "runtime/network/default_network.h"
#include "runtime/network/netns.h"

namespace portcullis::runtime {
namespace {

base::CommandResult RunTool(std::vector<std::string> argv) {
  base::CommandOptions options;
  options.spawn.argv = std::move(argv);
  auto result = base::RunCommand(options);
  return result.value_or(base::CommandResult{.exit_code = -1, .out = {}, .err = {}});
}

class NetworkIntegration : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    id_ = base::RandomHex(4);
    dir_ = testing::TempDir() + "portcullis-net-it-" + id_;
    netns_ = std::make_unique<NetnsStore>(dir_ + "/netns");
  }
  void TearDown() override {
    if (!netns_) return;
    Cni cni({.conf_dir = dir_ + "/conf", .cache_dir = dir_ + "/cache"});
    for (const std::string& name : cni.Attached().value_or(std::vector<std::string>{})) EXPECT_TRUE(cni.Del(name));
    RunTool({"ip", "link", "delete", Bridge()});  // absent after most tests
    auto left = netns_->List();
    ASSERT_TRUE(left);
    for (const std::string& name : *left) EXPECT_TRUE(netns_->Delete(name));
    EXPECT_EQ(base::ReadFile("/proc/self/mounts").value_or("").find(dir_), std::string::npos) << "a mount is left";
    EXPECT_TRUE(base::RemoveTree(dir_));
  }

  std::string Bridge() const { return "pcit" + id_; }

  std::string id_;
  std::string dir_;
  std::unique_ptr<NetnsStore> netns_;
};

TEST_F(NetworkIntegration, NamespacesLiveInFiles) {
  auto path = netns_->Create("pod-a");
  ASSERT_TRUE(path) << path.error().message;
  EXPECT_TRUE(netns_->Exists("pod-a"));
  EXPECT_EQ(netns_->Create("pod-a").error().code, Code::kAlreadyExists);
  const auto links = RunTool({"nsenter", "--net=" + *path, "ip", "-o", "link", "show", "lo"});
  EXPECT_NE(links.out.find("LOOPBACK,UP"), std::string::npos) << links.out << links.err;
  EXPECT_EQ(RunTool({"nsenter", "--net=" + *path, "ip", "-o", "link", "show", "eth0"}).exit_code == 0, false)
      << "it is not the host's";

  ASSERT_TRUE(base::WriteFileAtomic(dir_ + "/netns/after-reboot", ""));
  EXPECT_FALSE(netns_->Exists("after-reboot")) << "a plain file is no namespace";
  EXPECT_EQ(netns_->List()->size(), 2u);
  ASSERT_TRUE(netns_->Create("after-reboot")) << "and is no obstacle";

  ASSERT_TRUE(netns_->Delete("pod-a"));
  ASSERT_TRUE(netns_->Delete("pod-a"));
  EXPECT_FALSE(base::Exists(*path));
  EXPECT_EQ(netns_->Create("../x").error().code, Code::kInvalidArgument);
}

// Accepts one connection at port 80 inside a namespace.
class ServerIn {
 public:
  explicit ServerIn(const std::string& netns) {
    std::thread([&] {
      const base::UniqueFd ns(::open(netns.c_str(), O_RDONLY | O_CLOEXEC));
      if (::setns(ns.get(), CLONE_NEWNET) != 0) return;
      listener_.Reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(80);
      if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
          ::listen(listener_.get(), 4) != 0) {
        listener_.Reset();
      }
    }).join();
  }
  bool listening() const { return listener_.valid(); }

 private:
  base::UniqueFd listener_;
};

bool CanConnect(const std::string& ip, uint16_t port) {
  const base::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval limit{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, ip.c_str(), &address.sin_addr);
  return ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

TEST_F(NetworkIntegration, DefaultBridgeConnectsHostAndPods) {
  const DefaultNetworkOptions network{.conf_dir = dir_ + "/conf",
                                      .name = "portcullis-it-" + id_,
                                      .bridge = Bridge(),
                                      .subnets = "10.231.77.0/24",
                                      .ipam_dir = dir_ + "/ipam"};
  auto written = DefaultNetwork::Install(network);
  ASSERT_TRUE(written) << written.error().message;
  const CniOptions options{.conf_dir = network.conf_dir, .cache_dir = dir_ + "/cache"};
  auto cni = std::make_unique<Cni>(options);
  if (!cni->Status().ready) GTEST_SKIP() << cni->Status().message << " (Debian package containernetworking-plugins)";

  std::vector<std::string> ips;
  for (const std::string& name : {"a" + id_, "b" + id_}) {
    auto path = netns_->Create(name);
    ASSERT_TRUE(path) << path.error().message;
    auto result = cni->Add({.container_id = name,
                            .netns_path = *path,
                            .pod_namespace = "default",
                            .pod_name = name,
                            .pod_uid = name,
                            .port_mappings = {{.host_port = name[0] == 'a' ? 31877 : 0, .container_port = 80}}});
    ASSERT_TRUE(result) << result.error().message;
    ASSERT_EQ(result->PodIps().size(), 1u);
    ips.push_back(result->PodIps().front());
    EXPECT_TRUE(ips.back().starts_with("10.231.77.")) << ips.back();
  }
  EXPECT_NE(ips[0], ips[1]);
  // Not of the one with a port mapping: Debian's portmap 1.1.1 then looks for IPv6 rules that its own ADD does not
  // make.
  auto checked = cni->Check("b" + id_);
  EXPECT_TRUE(checked) << checked.error().message;
  {
    const ServerIn server(netns_->PathOf("a" + id_));
    ASSERT_TRUE(server.listening());
    EXPECT_TRUE(CanConnect(ips[0], 80)) << "from the host";
    bool from_pod = false;
    std::thread([&] {
      const base::UniqueFd ns(::open(netns_->PathOf("b" + id_).c_str(), O_RDONLY | O_CLOEXEC));
      from_pod = ::setns(ns.get(), CLONE_NEWNET) == 0 && CanConnect(ips[0], 80);
    }).join();
    EXPECT_TRUE(from_pod) << "from another pod";
  }

  cni = std::make_unique<Cni>(options);  // a restart in between
  EXPECT_EQ(cni->Attached()->size(), 2u);
  for (const std::string& name : {"a" + id_, "b" + id_}) {
    auto deleted = cni->Del(name);
    EXPECT_TRUE(deleted) << deleted.error().message;
  }
  EXPECT_TRUE(cni->Attached()->empty());
  EXPECT_EQ(RunTool({"iptables-save", "-t", "nat"}).out.find(id_), std::string::npos) << "firewall rules are left";
  const auto leases = base::ListDir(dir_ + "/ipam/" + network.name).value_or(std::vector<std::string>{});
  for (const std::string& ip : ips)
    EXPECT_EQ(std::count(leases.begin(), leases.end(), ip), 0) << ip << " is still leased";
  EXPECT_EQ(RunTool({"ip", "link", "delete", Bridge()}).exit_code, 0);
}

}  // namespace
}  // namespace portcullis::runtime
