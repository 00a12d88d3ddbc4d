#include "spec/k8s/static_pod.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "spec/k8s/pod_decode.h"
#include "spec/k8s/pod_status.h"
#include "spec/k8s/schema.h"

namespace portcullis::k8s {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr char kManifest[] = R"(apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: c
    image: docker.io/library/busybox:1.36
    command: [sleep, "3600"]
    env:
    - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
    resources:
      limits: {cpu: 100m, memory: 64Mi}
)";

const StaticPodSource kSource{
    .file = "/etc/kubernetes/manifests/web.yaml", .node_name = "peer", .seen = 1795467377518447573};

PodLoad Load(const std::string& text, const StaticPodSource& source = kSource) { return LoadStaticPod(text, source); }

TEST(LoadStaticPod, DefaultsAndIdentity) {
  const PodLoad load = Load(kManifest);
  ASSERT_TRUE(load.pod) << load.error;
  EXPECT_TRUE(load.diagnostics.empty());
  const Pod& pod = *load.pod;
  EXPECT_EQ(pod.metadata.name, "web-peer");
  EXPECT_EQ(pod.metadata.namespace_, "default");
  EXPECT_EQ(pod.metadata.uid.size(), 32u);
  EXPECT_EQ(pod.metadata.uid.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(pod.FullName(), "web-peer_default");
  EXPECT_EQ(pod.metadata.annotations.at("kubernetes.io/config.source"), "file");
  EXPECT_EQ(pod.metadata.annotations.at("kubernetes.io/config.hash"), pod.metadata.uid);
  EXPECT_EQ(pod.metadata.annotations.at("kubernetes.io/config.seen"), "2026-11-23T20:56:17.518447573Z");
  EXPECT_EQ(pod.spec.node_name, "peer");
  EXPECT_EQ(pod.spec.restart_policy, "Always");
  EXPECT_EQ(pod.spec.dns_policy, "ClusterFirst");
  EXPECT_EQ(pod.spec.termination_grace_period_seconds, 1);
  const Container& container = pod.spec.containers.at(0);
  EXPECT_EQ(container.image_pull_policy, "IfNotPresent");
  EXPECT_EQ(container.termination_message_path, "/dev/termination-log");
  EXPECT_EQ(container.resources.requests.at("cpu").MilliValue(), 100);
  EXPECT_EQ(container.resources.requests.at("memory").Value(), 64 << 20);
  EXPECT_EQ(std::get<FieldRef>(*container.env.at(0).from).field_path, "metadata.name");
  EXPECT_EQ((*pod.spec_json)["tolerations"], json::parse(R"([{"operator":"Exists","effect":"NoExecute"}])"));
}

// Same content, host and path: same UID; each of them changes it. The time of reading does not.
TEST(LoadStaticPod, UidDependsOnContentHostAndPath) {
  const auto uid = [](const std::string& text, const StaticPodSource& source) {
    return Load(text, source).pod->metadata.uid;
  };
  const std::string base = uid(kManifest, kSource);
  StaticPodSource other = kSource;
  other.seen = 1;
  EXPECT_EQ(uid(kManifest, other), base);
  other = kSource;
  other.node_name = "peer2";
  EXPECT_NE(uid(kManifest, other), base);
  other = kSource;
  other.file += "2";
  EXPECT_NE(uid(kManifest, other), base);
  EXPECT_NE(uid(std::string(kManifest) + "    workingDir: /tmp\n", kSource), base);
  EXPECT_EQ(uid("# a comment\n" + std::string(kManifest), kSource), base);
  EXPECT_EQ(
      uid("apiVersion: v1\nkind: Pod\nmetadata: {name: p, uid: 12-ab}\nspec: {containers: [{name: c, image: a}]}\n",
          kSource),
      "12-ab");
}

TEST(LoadStaticPod, ReadsJson) {
  const PodLoad load = Load(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"j","creationTimestamp":null},
    "spec":{"containers":[{"name":"c","image":"a"}]},"status":{}})");
  ASSERT_TRUE(load.pod) << load.error;
  EXPECT_EQ(load.pod->spec.containers[0].image_pull_policy, "Always");
  EXPECT_FALSE(load.pod->metadata_json->contains("creationTimestamp"));
}

TEST(DefaultPullPolicy, ByTag) {
  const struct {
    const char* image;
    const char* policy;
  } cases[] = {{"nginx", "Always"},
               {"nginx:latest", "Always"},
               {"nginx:1.21", "IfNotPresent"},
               {"localhost:5000/nginx", "Always"},
               {"localhost:5000/nginx:1", "IfNotPresent"},
               {"nginx@sha256:00", "IfNotPresent"},
               {"nginx:latest@sha256:00", "Always"}};
  for (const auto& c : cases) EXPECT_EQ(DefaultPullPolicy(c.image), c.policy) << c.image;
}

TEST(LoadStaticPod, ErrorsNamePositionFieldAndNearestName) {
  const PodLoad load = Load(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: c\n    image: a\n    "
      "imagePullPolici: Never\n");
  ASSERT_FALSE(load.pod);
  ASSERT_EQ(load.diagnostics.size(), 1u);
  const Diagnostic& d = load.diagnostics[0];
  EXPECT_EQ(d.line, 8);
  EXPECT_EQ(d.field, "spec.containers[0].imagePullPolici");
  EXPECT_EQ(d.message, "unknown field");
  EXPECT_EQ(d.hint, "did you mean \"imagePullPolicy\"?");
  EXPECT_EQ(load.error, "invalid pod: [spec.containers[0].imagePullPolici: unknown field]");
  // Validation errors have positions, too.
  const PodLoad invalid = Load(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - {name: c, image: a}\n  - name: c\n    "
      "image: a\n");
  ASSERT_EQ(invalid.diagnostics.size(), 1u);
  EXPECT_EQ(invalid.diagnostics[0].line, 7);
}

TEST(LoadStaticPod, WrongTypes) {
  const auto first_error = [](const std::string& spec) {
    const PodLoad load = Load("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: " + spec + "\n");
    EXPECT_FALSE(load.pod) << spec;
    return load.diagnostics.empty() ? "" : load.diagnostics[0].field + ": " + load.diagnostics[0].message;
  };
  EXPECT_EQ(first_error("{containers: {}}"), "spec.containers: expected a list of objects, found an object");
  EXPECT_EQ(first_error("{containers: [x]}"), "spec.containers[0]: expected an object, found the string \"x\"");
  EXPECT_EQ(first_error("{containers: [{name: c, image: 1.21}]}"),
            "spec.containers[0].image: expected a string, found the number 1.21");
  EXPECT_EQ(first_error("{hostNetwork: \"true\", containers: [{name: c, image: a}]}"),
            "spec.hostNetwork: expected true or false, found the string \"true\"");
  EXPECT_EQ(first_error("{containers: [{name: c, image: a, ports: [{containerPort: 99999999999}]}]}"),
            "spec.containers[0].ports[0].containerPort: expected an integer from -2147483648 to 2147483647, found the "
            "number 99999999999");
  EXPECT_THAT(first_error("{containers: [{name: c, image: a, resources: {limits: {cpu: 1x}}}]}"),
              HasSubstr("spec.containers[0].resources.limits[cpu]: quantity \"1x\" must be"));
  EXPECT_EQ(first_error("x"), "spec: expected an object, found the string \"x\"");
  EXPECT_EQ(first_error("null"), "spec: Required value");
}

TEST(LoadStaticPod, NotAPod) {
  const struct {
    const char* text;
    const char* problem;
  } cases[] = {
      {"", "the file is empty"},
      {"# nothing\n", "the file is empty"},
      {"just text", "expected a Pod, found the string \"just text\""},
      {"metadata: {}", "Object 'Kind' is missing"},
      {"kind: Pod", "Object 'apiVersion' is missing"},
      {"apiVersion: v1\nkind: PodList\nitems: []",
       "expected apiVersion v1, kind Pod, found apiVersion \"v1\", kind \"PodList\""},
      {"apiVersion: v1\nkind: Pod\nkind: Pod", "web.yaml:3:1: duplicate key"},
      {"apiVersion: [", ""},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    const PodLoad load = Load(c.text);
    EXPECT_FALSE(load.pod);
    EXPECT_THAT(load.error, ::testing::StartsWith("/etc/kubernetes/manifests/web.yaml: couldn't parse as pod("));
    EXPECT_THAT(load.error, HasSubstr(c.problem));
    EXPECT_THAT(load.error, HasSubstr("please check config file"));
  }
}

// What Kubernetes knows and this node does not do is never passed over: an error where it would change behaviour or
// security, else a warning.
TEST(LoadStaticPod, UnsupportedIsNeverSilent) {
  struct Case {
    const char* spec;       // of the pod, besides a plain container
    const char* container;  // fields of the container
    Severity severity;
    const char* text;
  };
  const Severity kE = Severity::kError;
  const Severity kW = Severity::kWarning;
  const std::vector<Case> cases = {
      {"", "livenessProbe: {httpGet: {port: 80}}", kW,
       "spec.containers[0].livenessProbe: is not run yet: the container is never restarted for it"},
      {"", "readinessProbe: {tcpSocket: {port: web}}", kW, "spec.containers[0].readinessProbe: is not run yet"},
      {"", "lifecycle: {preStop: {sleep: {seconds: 1}}}", kE, "spec.containers[0].lifecycle: is not supported yet"},
      {"", "restartPolicy: Always", kE, "spec.containers[0].restartPolicy: is not supported yet"},
      {"", "envFrom: [{prefix: A_}]", kE,
       "spec.containers[0].envFrom[0]: Invalid value: \"\": must specify one of: `configMapRef` or `secretRef`"},
      {"", "envFrom: [{configMapRef: {name: x}}]", kE, "static pods may not reference configmaps"},
      {"", "env: [{name: a, valueFrom: {secretKeyRef: {name: x, key: y}}}]", kE,
       "static pods may not reference secrets"},
      {"", "securityContext: {seLinuxOptions: {level: s0}}", kE, "seLinuxOptions: is not supported"},
      {"", "resources: {limits: {nvidia.com/gpu: 1}}", kE,
       "spec.containers[0].resources.limits[nvidia.com/gpu]: this resource is not supported here"},
      {"", "resources: {limits: {ephemeral-storage: 1Gi}}", kW, "is not enforced"},
      {"serviceAccountName: x", "", kE, "static pods may not reference serviceaccounts"},
      {"imagePullSecrets: [{name: x}]", "", kE, "static pods may not reference secrets"},
      {"volumes: [{name: v, configMap: {name: x}}]", "", kE,
       "static pods may not reference configmaps (via configmap volumes)"},
      {"volumes: [{name: v, nfs: {server: x, path: /}}]", "", kE, "this type of volume is not supported yet"},
      {"volumes: [{name: v, emptyDir: {medium: HugePages}}]", "", kE, "huge pages are not supported here"},
      {"volumes: [{name: v, emptyDir: {sizeLimit: 1Gi}}]", "", kW, "is enforced for medium Memory only"},
      {"runtimeClassName: gvisor", "", kE, "spec.runtimeClassName: is not supported here"},
      {"hostUsers: false", "", kE, "user namespaces are not supported yet"},
      {"ephemeralContainers: [{name: e}]", "", kE, "Forbidden: cannot be set on create"},
      {"securityContext: {sysctls: [{name: a, value: b}]}", "", kE, "sysctls: is not supported yet"},
      {"securityContext: {fsGroupChangePolicy: Always}", "", kW, "spec.securityContext.fsGroupChangePolicy"},
      {"nodeSelector: {a: b}", "", kW, "static pods are not scheduled"},
      {"nodeName: elsewhere", "", kW, "is replaced by this node's name peer"},
      {"schedulerName: mine", "", kW, "static pods are not scheduled"},
      {"subdomain: s", "", kW, "spec.subdomain: is for the pod's own /etc/hosts alone"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.spec) + c.container);
    const std::string pod = std::string(c.spec).empty() ? "" : std::string(", ") + c.spec;
    const std::string container = std::string(c.container).empty() ? "" : std::string(", ") + c.container;
    const PodLoad load = Load("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: a" +
                              container + "}]" + pod + "}\n");
    ASSERT_FALSE(load.diagnostics.empty());
    const Diagnostic& d = load.diagnostics[0];
    EXPECT_EQ(d.severity == kE, c.severity == kE);
    EXPECT_THAT(d.field + ": " + d.message, HasSubstr(c.text));
    EXPECT_GT(d.line, 0);
    EXPECT_EQ(load.pod.has_value(), c.severity == kW);
  }
}

TEST(LoadStaticPod, ADeadlineIsKept) {
  const PodLoad load = Load(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {activeDeadlineSeconds: 5, containers: [{name: c, image: "
      "a}]}\n");
  ASSERT_TRUE(load.pod);
  EXPECT_EQ(load.pod->spec.active_deadline_seconds, 5);
  EXPECT_TRUE(load.diagnostics.empty());
}

TEST(LoadStaticPod, FurtherDocumentsAreReported) {
  const PodLoad load = Load(std::string(kManifest) + "---\nkind: Pod\n");
  ASSERT_TRUE(load.pod);
  ASSERT_EQ(load.diagnostics.size(), 1u);
  EXPECT_EQ(load.diagnostics[0].severity, Severity::kWarning);
}

TEST(LoadStaticPod, TooLarge) {
  EXPECT_THAT(Load(std::string(kMaxManifestBytes + 1, '#')).error, HasSubstr("at most 10485760 are allowed"));
}

// The sample is what a real kubelet answers on /pods for this manifest; the order of keys aside, ours has the same
// shape.
TEST(PodListToJson, HasTheShapeOfAKubelet) {
  const PodLoad load = Load(kManifest);
  ASSERT_TRUE(load.pod);
  PodStatus status;
  status.phase = "Running";
  status.pod_ips = {"10.88.0.5"};
  status.start_time = kSource.seen;
  status.conditions = {
      {.type = "Ready", .status = true, .reason = "", .message = "", .last_transition_time = kSource.seen}};
  status.container_statuses = {{.name = "c",
                                .state = StateRunning{kSource.seen},
                                .last_state = {},
                                .ready = true,
                                .restart_count = 0,
                                .image = "docker.io/library/busybox:1.36",
                                .image_id = "sha256:0",
                                .container_id = "portcullis://1",
                                .started = true,
                                .user = ContainerUser{0, 0, {0}}}};
  const json list = PodListToJson({{&*load.pod, &status}});
  const json& item = list["items"][0];
  EXPECT_EQ(list["kind"], "PodList");
  EXPECT_EQ(item["metadata"]["name"], "web-peer");
  EXPECT_EQ(item["spec"]["containers"][0]["terminationMessagePolicy"], "File");
  EXPECT_EQ(item["spec"]["schedulerName"], "default-scheduler");
  EXPECT_EQ(item["status"]["qosClass"], "Guaranteed");
  EXPECT_EQ(item["status"]["podIPs"], json::parse(R"([{"ip":"10.88.0.5"}])"));
  EXPECT_EQ(item["status"]["startTime"], "2026-11-23T20:56:17Z");
  EXPECT_EQ(
      item["status"]["conditions"][0],
      json::parse(
          R"({"type":"Ready","status":"True","lastProbeTime":null,"lastTransitionTime":"2026-11-23T20:56:17Z"})"));
  EXPECT_EQ(
      item["status"]["containerStatuses"][0],
      json::parse(
          R"({"name":"c","state":{"running":{"startedAt":"2026-11-23T20:56:17Z"}},"lastState":{},"ready":true,"restartCount":0,
      "image":"docker.io/library/busybox:1.36","imageID":"sha256:0","containerID":"portcullis://1","started":true,
      "user":{"linux":{"uid":0,"gid":0,"supplementalGroups":[0]}}})"));
}

TEST(PodPhase, Table) {
  const ContainerState running = StateRunning{1};
  const ContainerState waiting = StateWaiting{"ContainerCreating", ""};
  const auto exited = [](int code) { return ContainerState(StateTerminated{.exit_code = code}); };
  const auto status = [](const ContainerState& state, const ContainerState& last = {}) {
    ContainerStatus out;
    out.state = state;
    out.last_state = last;
    return out;
  };
  struct Case {
    const char* policy;
    std::vector<ContainerStatus> init;
    std::vector<ContainerStatus> containers;
    const char* phase;
  };
  const std::vector<Case> cases = {
      {"Always", {}, {status(waiting)}, "Pending"},
      {"Always", {}, {status(running)}, "Running"},
      {"Always", {}, {status(running), status(waiting)}, "Pending"},
      {"Always", {}, {status(running), status(StateWaiting{"CrashLoopBackOff", ""}, exited(1))}, "Running"},
      {"Always", {}, {status(exited(0))}, "Running"},
      {"OnFailure", {}, {status(exited(0))}, "Succeeded"},
      {"OnFailure", {}, {status(exited(1))}, "Running"},
      {"Never", {}, {status(exited(0)), status(exited(0))}, "Succeeded"},
      {"Never", {}, {status(exited(0)), status(exited(3))}, "Failed"},
      {"Never", {status(exited(1))}, {status(waiting)}, "Failed"},
      {"Always", {status(exited(1))}, {status(waiting)}, "Pending"},
      {"Always", {status(exited(0))}, {status(running)}, "Running"},
      {"Always", {status(running)}, {status(waiting)}, "Pending"},
      {"Always", {}, {}, "Pending"},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    PodSpec spec;
    spec.restart_policy = cases[i].policy;
    spec.init_containers.resize(cases[i].init.size());
    spec.containers.resize(std::max<size_t>(1, cases[i].containers.size()));
    EXPECT_EQ(PodPhase(spec, cases[i].init, cases[i].containers), cases[i].phase) << "case " << i;
  }
}

TEST(PodHostname, CutAndTrimmed) {
  Pod pod;
  pod.metadata.name = std::string(62, 'a') + "-bc";
  EXPECT_EQ(PodHostname(pod), std::string(62, 'a'));
  pod.spec.hostname = "h";
  EXPECT_EQ(PodHostname(pod), "h");
}

// Every object that a field names is in its table, so that no part of a document goes unchecked.
TEST(Schema, TablesAreClosed) {
  for (SchemaTable table : {PodSchema(), KubeletConfigSchema()}) {
    for (const ObjectSchema& object : table) {
      for (const FieldSchema& field : object.fields) {
        if (field.kind == FieldKind::kObject) {
          EXPECT_NE(FindObject(table, field.object), nullptr) << object.name << "." << field.name;
        }
      }
    }
  }
}

}  // namespace
}  // namespace portcullis::k8s
