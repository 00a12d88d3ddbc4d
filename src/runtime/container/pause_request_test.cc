#include "runtime/container/pause_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/strings.h"

namespace portcullis::runtime {
namespace {

using oci::NamespaceType;

oci::Spec PodSpec() {
  oci::Spec spec;
  spec.process.args = {"/pause"};
  spec.process.user = {.uid = 65535, .gid = 65535, .additional_gids = {65535, 7}};
  spec.process.capabilities = oci::Capabilities{};
  spec.process.no_new_privileges = true;
  spec.process.oom_score_adj = -998;
  spec.root = {"/run/portcullis/pause-root", true};
  spec.hostname = "web";
  spec.linux_.namespaces = {{NamespaceType::kPid, ""},
                            {NamespaceType::kIpc, ""},
                            {NamespaceType::kUts, ""},
                            {NamespaceType::kNetwork, "/run/portcullis/netns/1"},
                            {NamespaceType::kMount, ""}};
  spec.linux_.sysctl = {{"net.ipv4.ping_group_range", "0 2147483647"}};
  spec.linux_.resources = oci::Resources{.devices = {{.allow = false, .access = "rwm"}}, .cpu_shares = 2};
  return spec;
}

std::vector<std::string> Entries(const std::string& request) {
  std::vector<std::string> entries = base::Split(request, '\0');
  EXPECT_EQ(entries.back(), "") << "ends with a NUL";
  entries.pop_back();
  return entries;
}

TEST(PauseRequest, SaysAllOfTheSpec) {
  const auto request = PauseRequest(PodSpec(), {.device_cgroup = "/sys/fs/cgroup/pod/1"});
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_THAT(Entries(*request),
              testing::ElementsAre("unshare=pid", "unshare=ipc", "unshare=uts", "network=/run/portcullis/netns/1",
                                   "unshare=mount", "root=/run/portcullis/pause-root", "hostname=web",
                                   "sysctl=net.ipv4.ping_group_range=0 2147483647", "oom-score-adj=-998", "uid=65535",
                                   "gid=65535", "group=65535", "group=7", "device-cgroup=/sys/fs/cgroup/pod/1"));
}

TEST(PauseRequest, TheFilterGoesWithTheProfile) {
  oci::Spec spec = PodSpec();
  EXPECT_FALSE(PauseRequest(spec, {.filter_flags = 4})) << "a filter that the spec does not show";
  spec.linux_.seccomp.emplace();
  EXPECT_FALSE(PauseRequest(spec, {})) << "a profile without its filter";
  const auto request = PauseRequest(spec, {.filter_flags = 4});
  ASSERT_TRUE(request);
  EXPECT_THAT(Entries(*request), testing::Contains("filter=4"));
}

TEST(PauseRequest, WhatTheHelperDoesNotDoIsNotAskedOfIt) {
  const std::vector<std::pair<std::string, std::function<void(oci::Spec&)>>> changes = {
      {"terminals", [](oci::Spec& s) { s.process.terminal = true; }},
      {"a working directory", [](oci::Spec& s) { s.process.cwd = "/tmp"; }},
      {"capabilities", [](oci::Spec& s) { s.process.capabilities->bounding = {"CAP_CHOWN"}; }},
      {"capabilities", [](oci::Spec& s) { s.process.capabilities.reset(); }},
      {"new privileges", [](oci::Spec& s) { s.process.no_new_privileges = false; }},
      {"resource limits of a process", [](oci::Spec& s) { s.process.rlimits = {{"RLIMIT_NOFILE", 1, 1}}; }},
      {"security labels", [](oci::Spec& s) { s.process.selinux_label = "a:b:c:d"; }},
      {"security labels", [](oci::Spec& s) { s.process.apparmor_profile = "p"; }},
      {"mounts, devices", [](oci::Spec& s) { s.mounts = {{"/proc", "proc", "proc", {}}}; }},
      {"mounts, devices", [](oci::Spec& s) { s.linux_.devices = {{"/dev/null", "c", 1, 3, {}, {}, {}}}; }},
      {"mounts, devices", [](oci::Spec& s) { s.linux_.masked_paths = {"/proc/kcore"}; }},
      {"a writable root", [](oci::Spec& s) { s.root.readonly = false; }},
      {"user namespaces", [](oci::Spec& s) { s.linux_.namespaces.push_back({NamespaceType::kUser, ""}); }},
      {"joining namespaces", [](oci::Spec& s) { s.linux_.namespaces[0].path = "/proc/1/ns/pid"; }},
      {"mount namespace", [](oci::Spec& s) { s.linux_.namespaces.pop_back(); }},
      {"hostname", [](oci::Spec& s) { s.linux_.namespaces.erase(s.linux_.namespaces.begin() + 2); }},
      {"device rules", [](oci::Spec& s) { s.linux_.resources.reset(); }},
      {"device rules", [](oci::Spec& s) { s.linux_.resources->devices[0].allow = true; }},
      {"these resource limits", [](oci::Spec& s) { s.linux_.resources->unified = {{"memory.high", "1"}}; }},
      {"sysctl", [](oci::Spec& s) { s.linux_.sysctl["kernel.domainname"] = "x"; }},
      {"sysctl", [](oci::Spec& s) { s.linux_.sysctl["net/../kernel/core_pattern"] = "x"; }},
      {"sysctl", [](oci::Spec& s) { s.linux_.sysctl["net...kernel.core_pattern"] = "x"; }},
      {"sysctl", [](oci::Spec& s) { s.linux_.namespaces.erase(s.linux_.namespaces.begin() + 3); }},
      {"that length", [](oci::Spec& s) { s.linux_.sysctl["net.x"] = std::string(40000, '1'); }},
  };
  for (const auto& [what, change] : changes) {
    oci::Spec spec = PodSpec();
    change(spec);
    const auto request = PauseRequest(spec, {});
    ASSERT_FALSE(request) << what;
    EXPECT_EQ(request.error().code, Code::kUnimplemented);
    EXPECT_THAT(request.error().message, testing::HasSubstr(what));
  }
}

TEST(PauseRequest, LimitsAreTheSpecs) {
  oci::Spec spec = PodSpec();
  spec.linux_.resources->memory_limit = 1 << 20;
  spec.linux_.resources->pids_limit = 5;
  const Cgroups::Limits limits = PauseLimits(spec);
  EXPECT_EQ(limits.cpu_shares, 2u);
  EXPECT_EQ(limits.memory_bytes, 1 << 20);
  EXPECT_EQ(limits.pids, 5);
}

}  // namespace
}  // namespace portcullis::runtime
