#include "runtime/network/cni_result.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace portcullis::runtime {
namespace {

using Json = nlohmann::json;
using Ips = std::vector<std::string>;

constexpr char kNew[] = R"({"cniVersion":"1.0.0",
  "interfaces":[{"name":"br0","mac":"aa"},{"name":"eth0","sandbox":"/run/netns/x"}],
  "ips":[{"interface":1,"address":"10.1.2.3/24","gateway":"10.1.2.1"},{"interface":1,"address":"fd00::3/64"}],
  "routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0","gw":"fd00::1"}],"dns":{"nameservers":["10.1.2.1"],"domain":"d"}})";
constexpr char kOldest[] = R"({"cniVersion":"0.2.0",
  "ip4":{"ip":"10.1.2.3/24","gateway":"10.1.2.1","routes":[{"dst":"0.0.0.0/0"}]},
  "ip6":{"ip":"fd00::3/64","routes":[{"dst":"::/0","gw":"fd00::1"}]},"dns":{"nameservers":["10.1.2.1"],"domain":"d"}})";

TEST(CniResult, OneMeaningInEveryVersion) {
  for (const char* written : {kNew, kOldest}) {
    for (const char* version : {"0.1.0", "0.2.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"}) {
      const auto result = ParseCniResult(written, "p", version);
      ASSERT_TRUE(result) << version << result.error().message;
      EXPECT_EQ(result->PodIps(), (Ips{"10.1.2.3", "fd00::3"})) << version;
      EXPECT_EQ(result->ips[0].gateway, "10.1.2.1");
      EXPECT_EQ(result->dns.nameservers, Ips{"10.1.2.1"});
      EXPECT_EQ(result->dns.domain, "d");
      EXPECT_EQ(Json::parse(result->json)["cniVersion"], version);
      const auto again = ParseCniResult(result->json, "p", "1.0.0");
      ASSERT_TRUE(again) << version;
      EXPECT_EQ(again->PodIps(), result->PodIps()) << version;
    }
  }
}

TEST(CniResult, Shapes) {
  const auto in = [](const char* text, const char* version) {
    return Json::parse(ParseCniResult(text, "p", version)->json);
  };
  EXPECT_EQ(in(kNew, "0.2.0"), Json::parse(kOldest));
  const Json middle = in(kNew, "0.4.0");
  EXPECT_EQ(middle["ips"][0]["version"], "4");
  EXPECT_EQ(middle["ips"][1]["version"], "6");
  EXPECT_EQ(middle["interfaces"], Json::parse(kNew)["interfaces"]);
  const Json newer = in(middle.dump().c_str(), "1.0.0");
  EXPECT_EQ(newer, Json::parse(kNew)) << "and back";
}

TEST(CniResult, AnAnswerWithoutVersionIsOfTheNetworks) {
  const auto result = ParseCniResult(R"({"ip4":{"ip":"10.1.2.3/24"}})", "p", "0.2.0");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->PodIps(), Ips{"10.1.2.3"});
}

TEST(CniResult, AddressesOfTheHostsInterfacesAreNotThePods) {
  const auto result = ParseCniResult(R"({"interfaces":[{"name":"br0"},{"name":"eth0","sandbox":"/x"}],
    "ips":[{"interface":0,"address":"10.1.2.1/24"},{"interface":1,"address":"10.1.2.3/24"},{"address":"10.1.2.4/24"}]})",
                                     "p", "1.0.0");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->PodIps(), (Ips{"10.1.2.3", "10.1.2.4"}));
}

TEST(CniResult, RefusesMalformed) {
  for (const char* text :
       {"", "[]", R"({"cniVersion":"3.0.0"})", R"({"cniVersion":1})", R"({"ips":7})", R"({"ips":[7]})",
        R"({"ips":[{"address":"10.1.2.3/24","interface":0}]})", R"({"ips":[{"address":"10.1.2.3/24","interface":-1}]})",
        R"({"ips":[{"address":"10.1.2.3/24","interface":"0"}]})", R"({"interfaces":{}})",
        R"({"cniVersion":"0.2.0","ip4":1})", R"({"cniVersion":"0.2.0","ip4":{}})",
        R"({"cniVersion":"0.2.0","ip4":{"ip":"1.2.3.4/24","routes":1}})", R"({"ips":[{"address":"fd00::1/129"}]})"}) {
    EXPECT_FALSE(ParseCniResult(text, "p", "1.0.0")) << text;
  }
  EXPECT_FALSE(ParseCniResult(R"({"cniVersion":"1.0.0","routes":[1]})", "p", "0.2.0"));
}

}  // namespace
}  // namespace portcullis::runtime
