// Cni against plugins that are small shell scripts: what they are called with, in which order, and what happens when
// they fail.
#include "runtime/network/cni.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/files.h"
#include "base/strings.h"

namespace portcullis::runtime {
namespace {

using Json = nlohmann::json;

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

  Cni Make(std::chrono::milliseconds timeout = std::chrono::seconds(20)) const {
    return Cni({.conf_dir = dir_ + "/conf",
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
  Cni cni = Make();
  auto result = cni.Add(Request());
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(Log(), "first ADD\nsecond ADD\n");
  EXPECT_EQ(result->PodIps(), std::vector<std::string>{"10.1.2.3"});
  EXPECT_EQ(result->ips[0].gateway, "10.1.2.1");
  EXPECT_EQ(result->interfaces, std::vector<std::string>{"eth0"});

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
    Cni cni = Make();
    ASSERT_TRUE(cni.Add(Request()));
  }
  Configure(R"({"cniVersion":"1.0.0","name":"other","type":"missing"})");
  ASSERT_TRUE(base::RemoveTree(dir_ + "/log"));
  Cni cni = Make();
  EXPECT_EQ(cni.Attached().value_or(std::vector<std::string>{}), std::vector<std::string>{"abc"});
  EXPECT_EQ(cni.Cached("abc")->PodIps(), std::vector<std::string>{"10.1.2.3"});
  auto deleted = cni.Del("abc");
  ASSERT_TRUE(deleted) << deleted.error().message;
  EXPECT_EQ(Log(), "second DEL\nfirst DEL\n");
  EXPECT_EQ(Input("first.DEL")["name"], "pods");
  EXPECT_EQ(Input("first.DEL")["prevResult"]["ips"][0]["address"], "10.1.2.3/24");
  EXPECT_TRUE(cni.Attached()->empty());
  EXPECT_TRUE(cni.Del("abc")) << "a second DEL finds nothing to do";
}

TEST_F(CniTest, AGoneNamespaceIsPassedAsEmpty) {
  Cni cni = Make();
  CniRequest request = Request();
  request.netns_path = dir_ + "/gone";
  ASSERT_TRUE(cni.Add(request));
  ASSERT_TRUE(cni.Del("abc"));
  EXPECT_NE(Note("first.DEL.env").find("CNI_NETNS=\n"), std::string::npos) << Note("first.DEL.env");
}

TEST_F(CniTest, AFailedAddIsUndone) {
  Plugin("second", R"(echo '{"cniVersion":"1.0.0","code":7,"msg":"bad config","details":"key x"}'; exit 1)");
  Cni cni = Make();
  auto result = cni.Add(Request());
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("bad config; key x (code 7)"), std::string::npos) << result.error().message;
  EXPECT_EQ(Log(), "first ADD\nsecond ADD\nsecond DEL\nfirst DEL\n");
  EXPECT_TRUE(cni.Attached()->empty());
}

TEST_F(CniTest, APluginThatDiesWithoutJsonIsQuoted) {
  Plugin("first", "echo oops >&2; exit 3");
  auto result = Make().Add(Request());
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("exit code 3: oops"), std::string::npos) << result.error().message;
}

TEST_F(CniTest, AFailedDelIsKeptForRetryAndDoesNotStopTheOthers) {
  Plugin("second", R"(cat > /dev/null; echo '{"cniVersion":"1.0.0"}')", "exit 1");
  Cni cni = Make();
  ASSERT_TRUE(cni.Add(Request()));
  EXPECT_FALSE(cni.Del("abc"));
  EXPECT_NE(Log().find("second DEL\nfirst DEL\n"), std::string::npos) << Log();
  EXPECT_EQ(cni.Attached()->size(), 1u);
}

TEST_F(CniTest, ASlowPluginIsStopped) {
  Plugin("first", "sleep 30");
  const auto start = base::Now();
  auto result = Make(std::chrono::milliseconds(300)).Add(Request());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kDeadlineExceeded) << result.error().message;
  EXPECT_LT(base::Now() - start, std::chrono::seconds(10));
}

TEST_F(CniTest, MalformedResultsAreErrors) {
  for (const char* output : {"hello", "[]", R"({"ips":[{"address":"10.1.2.3"}]})", R"({"ips":[{"address":"x/24"}]})",
                             R"({"ips":{}})", R"({"ips":[{"address":"10.1.2.3/33"}]})"}) {
    Plugin("first", std::string("echo '") + output + "'");
    EXPECT_FALSE(Make().Add(Request())) << output;
  }
}

TEST_F(CniTest, RequestsAreChecked) {
  Cni cni = Make();
  CniRequest request = Request();
  request.container_id = "../x";
  EXPECT_EQ(cni.Add(request).error().code, Code::kInvalidArgument);
  request = Request();
  request.pod_name = "a;K8S_POD_NAMESPACE=kube-system";
  EXPECT_EQ(cni.Add(request).error().code, Code::kInvalidArgument);
  request = Request();
  request.port_mappings = {{.host_port = 70000, .container_port = 80}};
  EXPECT_EQ(cni.Add(request).error().code, Code::kInvalidArgument);
  ASSERT_TRUE(cni.Add(Request()));
  EXPECT_EQ(cni.Add(Request()).error().code, Code::kAlreadyExists);
}

TEST_F(CniTest, StatusSaysWhy) {
  EXPECT_TRUE(Make().Status().ready) << Make().Status().message;

  Plugin("second", ":", "", "\"0.4.0\"");
  CniStatus status = Make().Status();
  EXPECT_FALSE(status.ready);
  EXPECT_EQ(status.reason, "NetworkPluginNotReady");
  EXPECT_NE(status.message.find("second does not speak cniVersion 1.0.0"), std::string::npos) << status.message;

  Configure(R"({"cniVersion":"1.0.0","name":"n","type":"nowhere"})");
  EXPECT_NE(Make().Status().message.find("network plugin nowhere not found"), std::string::npos)
      << Make().Status().message;

  ASSERT_TRUE(base::RemoveTree(dir_ + "/conf"));
  EXPECT_NE(Make().Status().message.find("no network configuration in "), std::string::npos) << Make().Status().message;
}

TEST_F(CniTest, CheckAsksEveryPluginInOrder) {
  Cni cni = Make();
  ASSERT_TRUE(cni.Add(Request()));
  ASSERT_TRUE(base::RemoveTree(dir_ + "/log"));
  EXPECT_TRUE(cni.Check("abc"));
  EXPECT_EQ(Log(), "first CHECK\nsecond CHECK\n");
  EXPECT_EQ(cni.Check("unknown").error().code, Code::kNotFound);
}

}  // namespace
}  // namespace portcullis::runtime
