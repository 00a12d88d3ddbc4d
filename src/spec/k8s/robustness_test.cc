// Manifests and configuration are untrusted: whatever stands where, the answer is a value or an error, never an
// exception or a crash.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "base/document.h"
#include "spec/k8s/kubelet_config.h"
#include "spec/k8s/pod_status.h"
#include "spec/k8s/resources.h"
#include "spec/k8s/seccomp_profile.h"
#include "spec/k8s/static_pod.h"

namespace portcullis::k8s {
namespace {

using nlohmann::json;

constexpr char kPod[] =
    R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","labels":{"a":"b"},"annotations":{"a/b":"c",
  "container.apparmor.security.beta.kubernetes.io/c":"localhost/x","seccomp.security.alpha.kubernetes.io/pod":"unconfined"}},
 "spec":{"restartPolicy":"Never","dnsPolicy":"None","dnsConfig":{"nameservers":["1.1.1.1"],"searches":["a.b"],"options":[{"name":"n","value":"v"}]},
  "hostAliases":[{"ip":"1.2.3.4","hostnames":["h"]}],"os":{"name":"linux"},"priority":5,"tolerations":[{}],
  "securityContext":{"runAsUser":1,"supplementalGroups":[1],"seccompProfile":{"type":"Localhost","localhostProfile":"a"}},
  "volumes":[{"name":"e","emptyDir":{"medium":"Memory","sizeLimit":"1Mi"}},{"name":"h","hostPath":{"path":"/x","type":""}}],
  "initContainers":[{"name":"i","image":"a"}],
  "containers":[{"name":"c","image":"a:1","command":["x"],"env":[{"name":"A","value":"b"},{"name":"B","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}},
   {"name":"C","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu","divisor":"1m"}}}],
   "ports":[{"containerPort":80,"hostPort":80,"protocol":"TCP"}],"volumeMounts":[{"name":"e","mountPath":"/e","readOnly":true,"recursiveReadOnly":"Disabled"}],
   "resources":{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"1"}},"livenessProbe":{"httpGet":{"port":80}},
   "securityContext":{"privileged":false,"capabilities":{"add":["A"],"drop":["ALL"]},"seccompProfile":{"type":"Unconfined"},"appArmorProfile":{"type":"Localhost"}}}]}})";

constexpr char kConfig[] =
    R"({"apiVersion":"kubelet.config.k8s.io/v1beta1","kind":"KubeletConfiguration","staticPodPath":"m","maxPods":5,
  "clusterDNS":["1.1.1.1"],"featureGates":{"SeccompDefault":true},"seccompDefault":true,"syncFrequency":"1s","evictionHard":{"memory.available":"1Mi"},
  "authentication":{"anonymous":{"enabled":true},"x509":{"clientCAFile":"x"}},"crashLoopBackOff":{"maxContainerRestartPeriod":"1s"},
  "containerLogMaxSize":"1Mi","reservedMemory":[{"numaNode":0,"limits":{"memory":"1"}}],"staticPodURLHeader":{"a":["b"]},"memoryThrottlingFactor":0.5})";

void UsePod(const std::string& text) {
  const PodLoad load = LoadStaticPod(text, {.file = "f", .node_name = "n"});
  EXPECT_EQ(load.pod.has_value(), load.error.empty()) << text;
  if (!load.pod) return;
  const PodStatus status;
  EXPECT_FALSE(PodListToJson({{&*load.pod, &status}}).empty());
  EXPECT_GE(ResourcesOfPod(*load.pod).cpu_shares, 2);
  for (const Container& container : load.pod->spec.containers) {
    EXPECT_GE(ResourcesOf(*load.pod, container, 1 << 30).cpu_shares, 2);
    const auto profile = ResolveSeccompProfile(load.pod->spec, container, {});
    if (profile && profile->type == SeccompType::kLocalhost) {
      EXPECT_TRUE(profile->localhost_ref.starts_with("/var/lib/kubelet/seccomp")) << profile->localhost_ref;
    }
  }
}

void UseConfig(const std::string& text) {
  KubeletConfigInputs inputs;
  inputs.file = ConfigText{"/f", text};
  inputs.drop_ins.push_back({"/d/a.conf", text});
  const auto config = MergeKubeletConfig(inputs);
  if (config) {
    EXPECT_FALSE(RenderConfigText(*config).empty());
    EXPECT_GT(config->container_log_max_size(), 0);
  }
}

// Puts each of some values in every place of a document.
template <class Use>
void ReplaceEverywhere(const char* text, Use use) {
  const json document = json::parse(text);
  const json flat = document.flatten();
  std::set<std::string> places;
  for (const auto& [pointer, value] : flat.items()) {
    for (std::string place = pointer; !place.empty(); place = place.substr(0, place.rfind('/'))) places.insert(place);
  }
  const std::vector<json> values = {nullptr,
                                    true,
                                    -1,
                                    uint64_t(-1),
                                    1.5,
                                    "",
                                    "x",
                                    "-1e99",
                                    json::array(),
                                    json::object(),
                                    json::array({nullptr}),
                                    json{{"x", nullptr}}};
  for (const std::string& place : places) {
    for (const json& value : values) {
      json changed = document;
      changed[json::json_pointer(place)] = value;
      use(changed.dump());
    }
  }
}

TEST(Robustness, AnyValueInAnyPlaceOfAPod) { ReplaceEverywhere(kPod, UsePod); }

TEST(Robustness, AnyValueInAnyPlaceOfAConfiguration) { ReplaceEverywhere(kConfig, UseConfig); }

TEST(Robustness, DamagedText) {
  std::mt19937 random(7);
  for (const char* seed : {kPod, kConfig}) {
    for (int round = 0; round < 1500; ++round) {
      std::string text = seed;
      const int changes = 1 + static_cast<int>(random() % 4);
      for (int i = 0; i < changes; ++i) {
        const size_t at = random() % text.size();
        switch (random() % 3) {
          case 0:
            text[at] = static_cast<char>(random());
            break;
          case 1:
            text.erase(at, random() % 20);
            break;
          default:
            text.insert(at, text.substr(random() % text.size(), random() % 20));
        }
        if (text.empty()) text = "{";
      }
      UsePod(text);
      UseConfig(text);
    }
  }
}

}  // namespace
}  // namespace portcullis::k8s
