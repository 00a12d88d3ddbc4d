// Cni against plugins that are small shell scripts: what they are called with, in which order, and what happens when
// they fail.
#include "runtime/network/cni.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/files.h"
#include "base/strings.h"

namespace portcullis::runtime {
namespace {

using Json = nlohmann::json;

// While it lives, this process can open nothing more.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const base::UniqueFd lowest(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(lowest.get());
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

class CniTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = testing::TempDir() + "portcullis-cni-" + base::RandomHex(6);
    for (const char* folder : {"/bin", "/conf"}) ASSERT_TRUE(base::MakeDirs(dir_ + folder));
    const std::string result =
        R"(echo '{"cniVersion":"1.0.0","interfaces":[{"name":"eth0"}],"ips":[{"address":"10.1.2.3/24","gateway":"10.1.2.1"}]}')";
    Plugin("first", result);
    Plugin("second", result);
    Configure(R"({"cniVersion":"1.0.0","name":"pods","plugins":[{"type":"first","keep":"me"},
                 {"type":"second","capabilities":{"portMappings":true}}]})");
  }
  void TearDown() override { EXPECT_TRUE(base::RemoveTree(dir_)); }

  // A plugin that notes its call and input, answers VERSION, and runs `add` for ADD.
  void Plugin(const std::string& name, const std::string& add, const std::string& del = "",
              const std::string& versions = "\"1.0.0\"") {
    const std::string script = "#!/bin/sh\nLOG=" + dir_ + "/log\ncat > \"$LOG." + name + ".$CNI_COMMAND.in\"\n" +
                               "echo \"" + name + " $CNI_COMMAND\" >> \"$LOG\"\nenv | grep ^CNI_ | sort > \"$LOG." +
                               name + ".$CNI_COMMAND.env\"\n" + "case $CNI_COMMAND in\nADD) " + add + " ;;\nDEL) : ; " +
                               del + " ;;\nVERSION) echo '{\"cniVersion\":\"1.0.0\",\"supportedVersions\":[" +
                               versions + "]}' ;;\nesac\n";
    const std::string path = dir_ + "/bin/" + name;
    ASSERT_TRUE(base::WriteFileAtomic(path, script, 0755));
  }
  void Configure(const std::string& text) { ASSERT_TRUE(base::WriteFileAtomic(dir_ + "/conf/10.conflist", text)); }

  std::unique_ptr<Cni> Make(std::chrono::milliseconds timeout = std::chrono::seconds(20)) const {
    return std::make_unique<Cni>(CniOptions{.conf_dir = dir_ + "/conf",
                                            .bin_dirs = {dir_ + "/absent", dir_ + "/bin"},
                                            .cache_dir = dir_ + "/cache",
                                            .plugin_timeout = timeout});
  }
  static CniRequest Request() {
    return {.container_id = "abc",
            .netns_path = "/proc/self/ns/net",
            .pod_namespace = "default",
            .pod_name = "web",
            .pod_uid = "u-1",
            .port_mappings = {{.host_port = 8080, .container_port = 80}, {.host_port = 0, .container_port = 81}}};
  }
  std::string Log() const { return base::ReadFile(dir_ + "/log").value_or(""); }
  std::string Note(const std::string& name) const { return base::ReadFile(dir_ + "/log." + name).value_or(""); }
  Json Input(const std::string& name) const { return Json::parse(Note(name + ".in"), nullptr, false); }

  std::string dir_;
};

TEST_F(CniTest, AddRunsInOrderAndPassesResultsOn) {
  const auto cni = Make();
  auto result = cni->Add(Request());
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(Log(), "first ADD\nsecond ADD\n");
  EXPECT_EQ(result->PodIps(), std::vector<std::string>{"10.1.2.3"});
  EXPECT_EQ(result->ips[0].gateway, "10.1.2.1");
  ASSERT_EQ(result->interfaces.size(), 1u);
  EXPECT_EQ(result->interfaces[0].name, "eth0");

  const Json first = Input("first.ADD");
  EXPECT_EQ(first["name"], "pods");
  EXPECT_EQ(first["cniVersion"], "1.0.0");
  EXPECT_EQ(first["keep"], "me");
  EXPECT_FALSE(first.contains("prevResult"));
  EXPECT_FALSE(first.contains("runtimeConfig")) << "it declared no capability";
  const Json second = Input("second.ADD");
  EXPECT_EQ(second["prevResult"]["ips"][0]["address"], "10.1.2.3/24");
  EXPECT_FALSE(second.contains("capabilities"));
  ASSERT_EQ(second["runtimeConfig"]["portMappings"].size(), 1u) << "only mappings with a host port";
  EXPECT_EQ(second["runtimeConfig"]["portMappings"][0]["hostPort"], 8080);

  const std::string env = Note("first.ADD.env");
  EXPECT_NE(env.find("CNI_CONTAINERID=abc\n"), std::string::npos);
  EXPECT_NE(env.find("CNI_IFNAME=eth0\n"), std::string::npos);
  EXPECT_NE(env.find("CNI_NETNS=/proc/self/ns/net\n"), std::string::npos);
  EXPECT_NE(env.find("K8S_POD_NAMESPACE=default;K8S_POD_NAME=web;K8S_POD_INFRA_CONTAINER_ID=abc;K8S_POD_UID=u-1"),
            std::string::npos)
      << env;
}

TEST_F(CniTest, DelRunsInReverseWithTheConfigurationOfAddEvenAfterARestart) {
  {
    const auto cni = Make();
    ASSERT_TRUE(cni->Add(Request()));
  }
  Configure(R"({"cniVersion":"1.0.0","name":"other","type":"missing"})");
  ASSERT_TRUE(base::RemoveTree(dir_ + "/log"));
  const auto cni = Make();
  EXPECT_EQ(cni->Attached().value_or(std::vector<std::string>{}), std::vector<std::string>{"abc"});
  EXPECT_EQ(cni->Cached("abc")->PodIps(), std::vector<std::string>{"10.1.2.3"});
  auto deleted = cni->Del("abc");
  ASSERT_TRUE(deleted) << deleted.error().message;
  EXPECT_EQ(Log(), "second DEL\nfirst DEL\n");
  EXPECT_EQ(Input("first.DEL")["name"], "pods");
  EXPECT_EQ(Input("first.DEL")["prevResult"]["ips"][0]["address"], "10.1.2.3/24");
  EXPECT_TRUE(cni->Attached()->empty());
  EXPECT_TRUE(cni->Del("abc")) << "a second DEL finds nothing to do";
}

TEST_F(CniTest, AGoneNamespaceIsPassedAsEmpty) {
  const auto cni = Make();
  CniRequest request = Request();
  request.netns_path = dir_ + "/gone";
  ASSERT_TRUE(cni->Add(request));
  ASSERT_TRUE(cni->Del("abc"));
  EXPECT_NE(Note("first.DEL.env").find("CNI_NETNS=\n"), std::string::npos) << Note("first.DEL.env");
}

TEST_F(CniTest, AFailedAddIsUndone) {
  Plugin("second", R"(echo '{"cniVersion":"1.0.0","code":7,"msg":"bad config","details":"key x"}'; exit 1)");
  const auto cni = Make();
  auto result = cni->Add(Request());
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("bad config; key x (code 7)"), std::string::npos) << result.error().message;
  EXPECT_EQ(Log(), "first ADD\nsecond ADD\nsecond DEL\nfirst DEL\n");
  EXPECT_TRUE(cni->Attached()->empty());
}

TEST_F(CniTest, APluginThatDiesWithoutJsonIsQuoted) {
  Plugin("first", "echo oops >&2; exit 3");
  auto result = Make()->Add(Request());
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("exit code 3: oops"), std::string::npos) << result.error().message;
}

TEST_F(CniTest, AFailedDelIsKeptForRetryAndDoesNotStopTheOthers) {
  Plugin("second", R"(echo '{"cniVersion":"1.0.0","ips":[{"address":"10.1.2.3/24"}]}')", "exit 1");
  const auto cni = Make();
  ASSERT_TRUE(cni->Add(Request()));
  EXPECT_FALSE(cni->Del("abc"));
  EXPECT_NE(Log().find("second DEL\nfirst DEL\n"), std::string::npos) << Log();
  EXPECT_EQ(cni->Attached()->size(), 1u);
}

TEST_F(CniTest, ASlowPluginIsStopped) {
  Plugin("first", "sleep 30");
  const auto start = base::Now();
  auto result = Make(std::chrono::milliseconds(300))->Add(Request());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kDeadlineExceeded) << result.error().message;
  EXPECT_LT(base::Now() - start, std::chrono::seconds(10));
}

TEST_F(CniTest, MalformedResultsAreErrors) {
  for (const char* output : {"hello", "[]", R"({"ips":[{"address":"10.1.2.3"}]})", R"({"ips":[{"address":"x/24"}]})",
                             R"({"ips":{}})", R"({"ips":[{"address":"10.1.2.3/33"}]})"}) {
    Plugin("first", std::string("echo '") + output + "'");
    EXPECT_FALSE(Make()->Add(Request())) << output;
  }
}

TEST_F(CniTest, RequestsAreChecked) {
  const auto cni = Make();
  CniRequest request = Request();
  request.container_id = "../x";
  EXPECT_EQ(cni->Add(request).error().code, Code::kInvalidArgument);
  request = Request();
  request.pod_name = "a;K8S_POD_NAMESPACE=kube-system";
  EXPECT_EQ(cni->Add(request).error().code, Code::kInvalidArgument);
  request = Request();
  request.port_mappings = {{.host_port = 70000, .container_port = 80}};
  EXPECT_EQ(cni->Add(request).error().code, Code::kInvalidArgument);
  ASSERT_TRUE(cni->Add(Request()));
  EXPECT_EQ(cni->Add(Request()).error().code, Code::kAlreadyExists);
}

TEST_F(CniTest, StatusSaysWhy) {
  EXPECT_TRUE(Make()->Status().ready) << Make()->Status().message;

  Plugin("second", ":", "", "\"0.4.0\"");
  CniStatus status = Make()->Status();
  EXPECT_FALSE(status.ready);
  EXPECT_EQ(status.reason, "NetworkPluginNotReady");
  EXPECT_NE(status.message.find("second does not speak cniVersion 1.0.0"), std::string::npos) << status.message;

  Configure(R"({"cniVersion":"1.0.0","name":"n","plugins":[{"type":"nowhere"}]})");
  EXPECT_NE(Make()->Status().message.find("network plugin nowhere not found"), std::string::npos)
      << Make()->Status().message;

  ASSERT_TRUE(base::RemoveTree(dir_ + "/conf"));
  EXPECT_NE(Make()->Status().message.find("no network configuration in "), std::string::npos)
      << Make()->Status().message;
}

TEST_F(CniTest, TheFolderMayChangeWhileItIsUsed) {
  const auto cni = Make();
  ASSERT_TRUE(base::WriteFileAtomic(dir_ + "/conf/05-broken.conf", "{"));
  CniStatus status = cni->Status();
  EXPECT_TRUE(status.ready);
  EXPECT_EQ(status.network, "pods");
  EXPECT_EQ(status.file, dir_ + "/conf/10.conflist");
  ASSERT_EQ(status.skipped.size(), 1u);
  EXPECT_NE(status.skipped[0].find("05-broken.conf"), std::string::npos);

  ASSERT_TRUE(
      base::WriteFileAtomic(dir_ + "/conf/00.conf", R"({"cniVersion":"1.0.0","name":"sooner","type":"first"})"));
  EXPECT_EQ(cni->Status().network, "sooner");
  ASSERT_TRUE(cni->Add(Request()));
  EXPECT_EQ(Input("first.ADD")["name"], "sooner");

  ASSERT_TRUE(base::RemoveTree(dir_ + "/conf"));
  status = cni->Status();
  EXPECT_FALSE(status.ready);
  EXPECT_EQ(status.file, "");
  CniRequest second = Request();
  second.container_id = "def";
  second.port_mappings.clear();
  const auto refused = cni->Add(second);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("no network configuration in " + dir_), std::string::npos);
  ASSERT_TRUE(cni->Del("abc")) << "with the configuration it was made with";
  EXPECT_EQ(Input("first.DEL")["name"], "sooner");
}

TEST_F(CniTest, OldVersionsAreSpokenAndTheirResultsRead) {
  Plugin("first", R"(echo '{"cniVersion":"0.2.0","ip4":{"ip":"10.1.2.3/24","gateway":"10.1.2.1"}}')", "",
         "\"0.2.0\",\"0.3.1\"");
  Plugin("second", R"(echo '{"cniVersion":"0.3.1","ips":[{"version":"4","address":"10.1.2.4/24"}]}')", "", "\"0.3.1\"");
  Configure(R"({"cniVersion":"0.3.1","name":"pods","plugins":[{"type":"first"},{"type":"second"}]})");
  const auto cni = Make();
  EXPECT_TRUE(cni->Status().ready) << cni->Status().message;
  const auto result = cni->Add(Request());
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->PodIps(), std::vector<std::string>{"10.1.2.4"});
  EXPECT_EQ(Input("first.ADD")["cniVersion"], "0.3.1");
  const Json passed_on = Input("second.ADD")["prevResult"];
  EXPECT_EQ(passed_on["cniVersion"], "0.3.1");
  EXPECT_EQ(passed_on["ips"], Json::parse(R"([{"version":"4","address":"10.1.2.3/24","gateway":"10.1.2.1"}])"));
  EXPECT_EQ(cni->Check("abc").error().code, Code::kUnimplemented) << "CHECK came with 0.4.0";
  ASSERT_TRUE(cni->Del("abc"));
  EXPECT_FALSE(Input("first.DEL").contains("prevResult")) << "so did prevResult for DEL";
}

TEST_F(CniTest, TheNewestVersionThatAllSpeakIsUsed) {
  Plugin("first", R"(echo '{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.1.2.3/24"}]}')", "",
         "\"0.4.0\",\"1.0.0\"");
  Plugin("second", R"(echo '{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.1.2.3/24"}]}')", "",
         "\"0.3.1\",\"0.4.0\"");
  Configure(R"({"cniVersion":"1.1.0","cniVersions":["0.4.0","1.0.0"],"name":"pods",
               "plugins":[{"type":"first"},{"type":"second"}]})");
  const auto cni = Make();
  ASSERT_TRUE(cni->Add(Request()));
  EXPECT_EQ(Input("first.ADD")["cniVersion"], "0.4.0");
  EXPECT_FALSE(Input("first.ADD").contains("cniVersions"));
  EXPECT_EQ(cni->Status().cni_version, "0.4.0");
  const auto later = Make();  // a restart must not ask again to know it
  ASSERT_TRUE(base::RemoveTree(dir_ + "/conf"));
  ASSERT_TRUE(later->Del("abc"));
  EXPECT_EQ(Input("second.DEL")["cniVersion"], "0.4.0");
}

TEST_F(CniTest, FromVersion11OnPluginsAreAskedForTheirStatusAndToCollectGarbage) {
  Plugin("first", R"(echo '{"cniVersion":"1.1.0","ips":[{"address":"10.1.2.3/24"}]}')", "", "\"1.1.0\"");
  Configure(R"({"cniVersion":"1.1.0","name":"pods","plugins":[{"type":"first"}]})");
  const auto cni = Make();
  EXPECT_TRUE(cni->Status().ready);
  EXPECT_NE(Log().find("first STATUS\n"), std::string::npos) << Log();
  ASSERT_TRUE(cni->Add(Request()));
  ASSERT_TRUE(cni->Gc());
  EXPECT_EQ(Input("first.GC")["cni.dev/valid-attachments"], Json::parse(R"([{"containerID":"abc","ifname":"eth0"}])"));

  const std::string script = base::ReadFile(dir_ + "/bin/first").value_or("");
  ASSERT_TRUE(base::WriteFileAtomic(
      dir_ + "/bin/first",
      "#!/bin/sh\n[ $CNI_COMMAND != STATUS ] || { echo '{\"code\":50,\"msg\":\"no agent\"}'; exit 1; }\n" + script,
      0755));
  const CniStatus status = cni->Status();
  EXPECT_FALSE(status.ready);
  EXPECT_NE(status.message.find("no agent (code 50)"), std::string::npos) << status.message;
}

TEST_F(CniTest, OlderVersionsAreNotAskedForEither) {
  const auto cni = Make();
  EXPECT_TRUE(cni->Status().ready);
  EXPECT_TRUE(cni->Gc());
  EXPECT_EQ(Log(), "first VERSION\nsecond VERSION\n");
  EXPECT_TRUE(cni->Status().ready);
  EXPECT_EQ(Log(), "first VERSION\nsecond VERSION\n") << "only when the configuration changed";
}

TEST_F(CniTest, CapabilitiesGetWhatThePodHasForThem) {
  Configure(R"({"cniVersion":"1.0.0","name":"pods","plugins":[
    {"type":"first","capabilities":{"bandwidth":true,"dns":true,"ipRanges":true,"portMappings":false}},
    {"type":"second","capabilities":{"cgroupPath":true,"io.kubernetes.cri.pod-annotations":true,"mac":true}}]})");
  CniRequest request = Request();
  request.bandwidth = {.ingress_bits = 1000000, .egress_bits = 0};
  request.dns = {.nameservers = {"10.0.0.10"}, .domain = "", .search = {"a.b"}, .options = {"ndots:5"}};
  request.ip_ranges = {"10.244.1.0/24", "fd00:244::/64"};
  request.cgroup_path = "/kubepods/pod1";
  request.annotations = {{"a", "b"}};
  const auto cni = Make();
  ASSERT_TRUE(cni->Add(request));
  EXPECT_EQ(Input("first.ADD")["runtimeConfig"], Json::parse(R"({
    "bandwidth":{"ingressRate":1000000,"ingressBurst":4294967295},
    "dns":{"servers":["10.0.0.10"],"searches":["a.b"],"options":["ndots:5"]},
    "ipRanges":[[{"subnet":"10.244.1.0/24"}],[{"subnet":"fd00:244::/64"}]]})"));
  EXPECT_EQ(Input("second.ADD")["runtimeConfig"],
            Json::parse(R"({"cgroupPath":"/kubepods/pod1","io.kubernetes.cri.pod-annotations":{"a":"b"}})"));
  ASSERT_TRUE(Make()->Del("abc"));
  EXPECT_EQ(Input("first.DEL")["runtimeConfig"], Input("first.ADD")["runtimeConfig"]) << "also after a restart";
}

TEST_F(CniTest, FailuresNameNetworkFileAndPlugin) {
  struct Case {
    const char* add;
    const char* part;
  };
  for (const Case& row :
       {Case{"kill -SEGV $$", "killed by signal 11 (SIGSEGV)"}, Case{"echo broken", "result of network plugin second"},
        Case{"exit 4", "exit code 4: no output"},
        Case{"echo '{\"code\":11,\"msg\":\"later\"}'; exit 1", "later (code 11)"},
        Case{"echo '{\"cniVersion\":\"1.0.0\"}'", "the plugins gave the pod no address"}}) {
    Plugin("second", row.add);
    const auto cni = Make();
    const auto result = cni->Add(Request());
    ASSERT_FALSE(result) << row.add;
    for (const std::string& part : {std::string(row.part), "network pods (" + dir_ + "/conf/10.conflist)"})
      EXPECT_NE(result.error().message.find(part), std::string::npos) << result.error().message;
    EXPECT_TRUE(Log().ends_with("second DEL\nfirst DEL\n")) << row.add;
    EXPECT_TRUE(cni->Attached()->empty());
  }
  ASSERT_TRUE(base::RemoveTree(dir_ + "/bin/second"));
  ASSERT_TRUE(base::RemoveTree(dir_ + "/log"));
  const auto missing = Make()->Add(Request());
  EXPECT_NE(
      missing.error().message.find("network pods (" + dir_ + "/conf/10.conflist): network plugin second not found"),
      std::string::npos)
      << missing.error().message;
  EXPECT_EQ(Log(), "") << "nothing ran that could not be undone";
}

// True while a process of the call can be found: a sleep that the plugin started, also one that left its session.
TEST_F(CniTest, WhatAHangingPluginStartedEndsWithIt) {
  Plugin("first", "setsid sh -c 'echo $$ > " + dir_ + "/child; exec sleep 1000' & sleep 1000 & echo $! > " + dir_ +
                      "/grandchild; wait");
  EXPECT_EQ(Make(std::chrono::milliseconds(1500))->Add(Request()).error().code, Code::kDeadlineExceeded);
  for (const char* name : {"/child", "/grandchild"}) {
    const auto pid = base::ParseUint(base::Trim(base::ReadFile(dir_ + name).value_or("")));
    ASSERT_TRUE(pid) << name;
    const std::string stat = base::ReadFile("/proc/" + std::to_string(*pid) + "/stat").value_or("");
    EXPECT_TRUE(stat.empty() || stat.find(") Z ") != std::string::npos) << stat;
  }
}

TEST_F(CniTest, AnAttachmentIsForgottenOnlyWhenItsNamespaceIsGoneAndThePluginFailsForGood) {
  const auto cni = Make();
  CniRequest request = Request();
  ASSERT_TRUE(cni->Add(request));
  const std::string result = R"(echo '{"cniVersion":"1.0.0","ips":[{"address":"10.1.2.3/24"}]}')";
  Plugin("second", result, "exit 1");
  EXPECT_FALSE(cni->DelOrForget("abc")) << "its namespace is there";
  Plugin("second", result);
  ASSERT_TRUE(cni->DelOrForget("abc"));

  request.netns_path = dir_ + "/gone";
  ASSERT_TRUE(cni->Add(request));
  Plugin("second", result, R"(echo '{"code":11,"msg":"agent is starting"}'; exit 1)");
  EXPECT_EQ(cni->DelOrForget("abc").error().code, Code::kUnavailable) << "another time it may work";
  Plugin("second", result, "exit 1");
  EXPECT_FALSE(cni->Del("abc"));
  EXPECT_TRUE(cni->DelOrForget("abc"));
  EXPECT_TRUE(cni->Attached()->empty());
}

// Its addresses would be lost for good.
TEST_F(CniTest, AnAttachmentThatCannotBeReadAtPresentIsNotForgotten) {
  const auto cni = Make();
  ASSERT_TRUE(cni->Add(Request()));
  {
    const NoDescriptors none;
    EXPECT_FALSE(cni->DelOrForget("abc"));
  }
  EXPECT_EQ(cni->Attached()->size(), 1u);
  EXPECT_TRUE(cni->DelOrForget("abc"));
  EXPECT_TRUE(cni->Attached()->empty());
}

TEST_F(CniTest, ADamagedAttachmentIsToldByDelAndForgottenForAPodThatEnds) {
  const auto cni = Make();
  ASSERT_TRUE(cni->Add(Request()));
  ASSERT_TRUE(base::WriteFileAtomic(dir_ + "/cache/abc.json", "{\"containerId\":\"abc\"}"));
  EXPECT_EQ(Make()->Del("abc").error().code, Code::kDataLoss);
  EXPECT_TRUE(Make()->DelOrForget("abc"));
  EXPECT_TRUE(cni->Attached()->empty());
}

TEST_F(CniTest, AnAttachmentOfAnEarlierReleaseIsRead) {
  const auto cni = Make();
  ASSERT_TRUE(cni->Add(Request()));
  Json kept = Json::parse(base::ReadFile(dir_ + "/cache/abc.json").value_or(""));
  kept.erase("capabilityArgs");
  kept.erase("cniVersion");
  ASSERT_TRUE(base::WriteFileAtomic(dir_ + "/cache/abc.json", kept.dump()));
  const auto deleted = Make()->Del("abc");
  ASSERT_TRUE(deleted) << deleted.error().message;
  EXPECT_EQ(Input("second.DEL")["runtimeConfig"], Input("second.ADD")["runtimeConfig"]);
}

TEST_F(CniTest, AHostPortHasOnePodUntilItIsDetached) {
  const auto cni = Make();
  ASSERT_TRUE(cni->Add(Request()));
  CniRequest other = Request();
  other.container_id = "def";
  other.pod_name = "b";
  for (const auto& asked : {cni->Add(other), Make()->Add(other)}) {
    ASSERT_FALSE(asked);
    EXPECT_EQ(asked.error().code, Code::kFailedPrecondition);
    EXPECT_NE(
        asked.error().message.find("host port 8080/tcp of pod default/b is taken by pod default/web (sandbox abc)"),
        std::string::npos)
        << asked.error().message;
  }
  ASSERT_TRUE(cni->Del("abc"));
  EXPECT_TRUE(cni->Add(other));
}

TEST_F(CniTest, CheckAsksEveryPluginInOrder) {
  const auto cni = Make();
  ASSERT_TRUE(cni->Add(Request()));
  ASSERT_TRUE(base::RemoveTree(dir_ + "/log"));
  EXPECT_TRUE(cni->Check("abc"));
  EXPECT_EQ(Log(), "first CHECK\nsecond CHECK\n");
  EXPECT_EQ(cni->Check("unknown").error().code, Code::kNotFound);
}

}  // namespace
}  // namespace portcullis::runtime
