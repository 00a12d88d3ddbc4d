#include "cri/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace portcullis::cri {
namespace {

using nlohmann::json;

TEST(ProtoJson, LooksLikeCrictl) {
  ContainerStats stats;
  stats.attributes.emplace().id = "ab";
  stats.cpu.emplace().timestamp = 5;
  stats.cpu->usage_core_nano_seconds.emplace().value = 34030469;
  const json out = ToProtoJson(stats);
  EXPECT_EQ(out["cpu"], json::parse(R"({"timestamp":"5","usageCoreNanoSeconds":{"value":"34030469"}})"));
  EXPECT_EQ(out["attributes"], json::parse(R"({"id":"ab","labels":{},"annotations":{}})"));
  EXPECT_FALSE(out.contains("memory")) << "absent messages are left out";
  PodSandboxStatus status;
  status.state = PodSandboxState::kSandboxNotready;
  EXPECT_EQ(ToProtoJson(status)["state"], "SANDBOX_NOTREADY");
  EXPECT_EQ(ToProtoJson(status)["createdAt"], "0");
}

TEST(GoJson, LeavesDefaultsOutAndKeepsPresence) {
  ContainerConfig config;
  config.metadata.emplace().name = "busybox";
  config.linux.emplace().security_context.emplace().seccomp.emplace();
  config.linux->security_context->namespace_options.emplace().pid = NamespaceMode::kContainer;
  EXPECT_EQ(ToGoJson(config), json::parse(R"({"metadata":{"name":"busybox"},
    "linux":{"security_context":{"namespace_options":{"pid":1},"seccomp":{}}}})"));
}

TEST(FromJson, ReadsBothStyles) {
  const auto go = FromJson<PodSandboxConfig>(json::parse(R"({"metadata":{"name":"p","attempt":1},"log_directory":"/l",
    "linux":{"security_context":{"namespace_options":{"network":2}}}})"));
  ASSERT_TRUE(go) << go.error().message;
  EXPECT_EQ(go->metadata->attempt, 1u);
  EXPECT_EQ(go->linux->security_context->namespace_options->network, NamespaceMode::kNode);
  const auto proto = FromJson<PodSandboxConfig>(
      json::parse(R"({"logDirectory":"/l","linux":{"securityContext":{"namespaceOptions":{"network":"NODE"}}}})"));
  ASSERT_TRUE(proto) << proto.error().message;
  EXPECT_EQ(proto->log_directory, "/l");
  EXPECT_EQ(proto->linux->security_context->namespace_options->network, NamespaceMode::kNode);
}

TEST(FromJson, RoundTripsEveryKindOfField) {
  ContainerConfig config;
  config.metadata.emplace() = {.name = "c", .attempt = 3};
  config.envs = {{.key = "K", .value = std::string("\x00\xffv", 3)}};
  config.labels = {{"a", "b"}};
  config.linux.emplace().resources.emplace().cpu_quota = -1;
  config.mounts.emplace_back().propagation = MountPropagation::kPropagationBidirectional;
  const auto go = FromJson<ContainerConfig>(ToGoJson(config));
  ASSERT_TRUE(go) << go.error().message;
  EXPECT_EQ(*go, config);
  const auto proto = FromJson<ContainerConfig>(ToProtoJson(config));
  ASSERT_TRUE(proto) << proto.error().message;
  EXPECT_EQ(*proto, config);
}

TEST(FromJson, ErrorsNameThePath) {
  struct Case {
    const char* text;
    const char* expected;
  };
  for (const Case& c :
       {Case{R"({"metadata":{"nam":"x"}})", ".metadata.nam: unknown field"},
        Case{R"({"metadata":{"attempt":-1}})", ".metadata.attempt: -1 is out of range"},
        Case{R"({"mounts":[{"readonly":"yes"}]})", ".mounts[0].readonly: expected true or false, got string"},
        Case{R"({"stop_signal":"SIGWHAT"})", ".stop_signal: unknown value \"SIGWHAT\""},
        Case{"[]", ".: expected an object, got array"}}) {
    const auto bad = FromJson<ContainerConfig>(json::parse(c.text));
    ASSERT_FALSE(bad) << c.text;
    EXPECT_EQ(bad.error().message, c.expected);
  }
}

}  // namespace
}  // namespace portcullis::cri
