// For tests: pods from short manifests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "spec/k8s/static_pod.h"

namespace portcullis::node {

// `spec` is YAML, indented by two blanks; the pod's name is web-n1, its UID "uid-1" unless given.
inline std::shared_ptr<const k8s::Pod> PodForTest(const std::string& spec, const std::string& uid = "uid-1",
                                                  const std::string& name = "web",
                                                  const std::string& more_metadata = "") {
  std::string text = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: " + name + "\n  uid: " + uid + "\n" +
                     more_metadata + "spec:\n" + spec;
  k8s::PodLoad load = k8s::LoadStaticPod(text, {.file = "/m/" + name + ".yaml", .node_name = "n1", .seen = 1});
  EXPECT_TRUE(load.pod.has_value()) << load.error << "\n" << text;
  return load.pod ? std::make_shared<const k8s::Pod>(std::move(*load.pod)) : nullptr;
}

}  // namespace portcullis::node
