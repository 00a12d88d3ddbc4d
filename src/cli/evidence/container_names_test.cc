#include "cli/evidence/container_names.h"

#include <gtest/gtest.h>

namespace portcullis::cli {
namespace {

class Runtime : public cri::RuntimeApi {
 public:
  bool fails = false;
  Result<cri::ListContainersResponse> ListContainers(const cri::ListContainersRequest&) override {
    if (fails) return Fail(Code::kUnavailable, "gone");
    cri::ListContainersResponse out;
    cri::Container container{.id = "c1"};
    container.labels = {{"io.kubernetes.pod.namespace", "default"},
                        {"io.kubernetes.pod.name", "web"},
                        {"io.kubernetes.pod.uid", "u1"},
                        {"io.kubernetes.container.name", "nginx"}};
    out.containers = {container};
    return out;
  }
  Result<cri::ListPodSandboxResponse> ListPodSandbox(const cri::ListPodSandboxRequest&) override {
    cri::ListPodSandboxResponse out;
    cri::PodSandbox pod{.id = "p1"};
    pod.metadata.emplace();
    pod.metadata->name = "web";
    pod.metadata->uid = "u1";
    out.items = {pod};
    return out;
  }
};

TEST(ContainerNames, WhatTheRuntimeKnows) {
  Runtime runtime;
  ContainerNames names(&runtime);
  EXPECT_EQ(
      names.Describe({.container_id = "c1"}),
      (insight::Workload{
          .pod_namespace = "default", .pod = "web", .pod_uid = "u1", .container = "nginx", .container_id = "c1"}));
  EXPECT_EQ(names.Describe({.container_id = "p1"}),
            (insight::Workload{.pod = "web", .pod_uid = "u1", .container_id = "p1"}));
  EXPECT_EQ(names.Describe({.pod_uid = "u9", .container_id = "c9"}),
            (insight::Workload{.pod_uid = "u9", .container_id = "c9"}));
  EXPECT_EQ(names.error(), "");
  runtime.fails = true;
  EXPECT_FALSE(names.Describe({.container_id = "c1"})) << "to be asked again";
  EXPECT_EQ(names.error(), "gone");
  EXPECT_EQ(ContainerNames(nullptr).Describe({.container_id = "c1"})->container_id, "c1");
}

}  // namespace
}  // namespace portcullis::cli
