// kubernetes-seccomp.md 8.3 (V01 to V25) and the usual rules, through manifests as users write them.
#include "spec/k8s/validation.h"

#include <gtest/gtest.h>

#include "spec/k8s/static_pod.h"

namespace portcullis::k8s {
namespace {

std::vector<std::string> ErrorsOf(const std::string& text) {
  const PodLoad load = LoadStaticPod(text, {.file = "p.yaml", .node_name = "n1"});
  std::vector<std::string> errors;
  for (const Diagnostic& diagnostic : load.diagnostics) {
    if (diagnostic.severity == Severity::kError) errors.push_back(FieldErrorText(diagnostic));
  }
  EXPECT_EQ(load.pod.has_value(), errors.empty());
  return errors;
}

struct Case {
  std::string id;
  std::string metadata;  // flow map content besides the name
  std::string spec;      // lines below spec:
  std::vector<std::string> errors;
};

void Check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    SCOPED_TRACE(c.id);
    EXPECT_EQ(ErrorsOf("apiVersion: v1\nkind: Pod\nmetadata: {name: p" + (c.metadata.empty() ? "" : ", " + c.metadata) +
                       "}\nspec:\n" + c.spec),
              c.errors);
  }
}

std::string PodProfile(const std::string& profile) {
  return "  securityContext: {seccompProfile: {" + profile + "}}\n  containers: [{name: c, image: a:1}]\n";
}
std::string ContainerProfile(const std::string& list, const std::string& profile) {
  std::string container = "[{name: c, image: a:1, securityContext: {seccompProfile: {" + profile + "}}}]\n";
  if (list == "containers") return "  containers: " + container;
  return "  " + list + ": " + container + "  containers: [{name: d, image: a:1}]\n";
}
std::string Annotation(const std::string& key, const std::string& value) {
  return "annotations: {\"" + key + "\": \"" + value + "\"}";
}
const std::string kPlain = "  containers: [{name: c, image: a:1}]\n";
const std::string kPodKey = "seccomp.security.alpha.kubernetes.io/pod";
const std::string kContainerKey = "container.seccomp.security.alpha.kubernetes.io/";
const std::string kPath = "spec.securityContext.seccompProfile";
const std::string kContainerPath = "spec.containers[0].securityContext.seccompProfile";

TEST(ValidatePod, AppArmor) {
  const auto container = [](const std::string& profile) {
    return "  containers: [{name: c, image: a:1, securityContext: {appArmorProfile: {" + profile + "}}}]\n";
  };
  const std::string path = "spec.containers[0].securityContext.appArmorProfile";
  const std::string key = "container.apparmor.security.beta.kubernetes.io/";
  Check({
      {"right", "", container("type: Localhost, localhostProfile: a/b"), {}},
      {"right by annotation", Annotation(key + "c", "localhost/a"), kPlain, {}},
      {"right by both", Annotation(key + "c", "localhost/a"), container("type: Localhost, localhostProfile: a"), {}},
      {"no type", "", container(""), {path + ".type: Required value: type is required when appArmorProfile is set"}},
      {"type",
       "",
       container("type: Foo"),
       {path +
        ".type: Unsupported value: \"Foo\": supported values: \"Localhost\", \"RuntimeDefault\", \"Unconfined\""}},
      {"no name",
       "",
       container("type: Localhost"),
       {path + ".localhostProfile: Required value: must be set when AppArmor type is Localhost"}},
      {"padded",
       "",
       container("type: Localhost, localhostProfile: \" a\""),
       {path + ".localhostProfile: Invalid value: \" a\": must not be padded with whitespace"}},
      {"too much",
       "",
       container("type: RuntimeDefault, localhostProfile: a"),
       {path + ".localhostProfile: Invalid value: \"a\": can only be set when AppArmor type is Localhost"}},
      {"of the pod",
       "",
       "  securityContext: {appArmorProfile: {type: localhost}}\n" + kPlain,
       {"spec.securityContext.appArmorProfile.type: Unsupported value: \"localhost\": supported values: \"Localhost\", "
        "\"RuntimeDefault\", \"Unconfined\""}},
      {"annotation of nobody",
       Annotation(key + "d", "unconfined"),
       kPlain,
       {"metadata.annotations[" + key + "d]: Invalid value: \"d\": container not found"}},
      {"annotation",
       Annotation(key + "c", "mine"),
       kPlain,
       {"metadata.annotations[" + key + "c]: Invalid value: \"mine\": invalid AppArmor profile name: \"mine\""}},
      {"annotation against field",
       Annotation(key + "c", "localhost/b"),
       container("type: Localhost, localhostProfile: a"),
       {path + ".localhostProfile: Forbidden: apparmor profile in annotation and field must match"}},
      {"annotation of another type",
       Annotation(key + "c", "unconfined"),
       container("type: RuntimeDefault"),
       {path + ".type: Forbidden: apparmor type in annotation and field must match"}},
  });
}

TEST(ValidatePod, SeccompFields) {
  const std::string supported = "supported values: \"Localhost\", \"RuntimeDefault\", \"Unconfined\"";
  const std::string only_localhost = "can only be set when seccomp type is Localhost";
  Check({
      {"V01", "", PodProfile(""), {kPath + ".type: Required value: type is required when seccompProfile is set"}},
      {"V02", "", PodProfile("type: Foo"), {kPath + ".type: Unsupported value: \"Foo\": " + supported}},
      {"V03",
       "",
       PodProfile("type: runtimeDefault"),
       {kPath + ".type: Unsupported value: \"runtimeDefault\": " + supported}},
      {"V03b",
       "",
       PodProfile("type: Localhost"),
       {kPath + ".localhostProfile: Required value: must be set when seccomp type is Localhost"}},
      {"V04", "", PodProfile("type: Localhost, localhostProfile: \"\""), {}},
      {"V05",
       "",
       PodProfile("type: Localhost, localhostProfile: /foo"),
       {kPath + ".localhostProfile: Invalid value: \"/foo\": must be a relative path"}},
      {"V06",
       "",
       PodProfile("type: Localhost, localhostProfile: ../p"),
       {kPath + ".localhostProfile: Invalid value: \"../p\": must not contain '..'"}},
      {"V07",
       "",
       PodProfile("type: Localhost, localhostProfile: a/../../b"),
       {kPath + ".localhostProfile: Invalid value: \"a/../../b\": must not contain '..'"}},
      {"V08",
       "",
       PodProfile("type: Localhost, localhostProfile: /../b"),
       {kPath + ".localhostProfile: Invalid value: \"/../b\": must be a relative path",
        kPath + ".localhostProfile: Invalid value: \"/../b\": must not contain '..'"}},
      {"V09", "", PodProfile("type: Localhost, localhostProfile: a..b/c"), {}},
      {"V10",
       "",
       PodProfile("type: RuntimeDefault, localhostProfile: x"),
       {kPath + ".localhostProfile: Invalid value: {\"Type\":\"RuntimeDefault\",\"LocalhostProfile\":\"x\"}: " +
        only_localhost}},
      {"V11",
       "",
       PodProfile("type: Unconfined, localhostProfile: x"),
       {kPath +
        ".localhostProfile: Invalid value: {\"Type\":\"Unconfined\",\"LocalhostProfile\":\"x\"}: " + only_localhost}},
      {"V12",
       "",
       PodProfile("localhostProfile: x"),
       {kPath + ".localhostProfile: Invalid value: {\"Type\":\"\",\"LocalhostProfile\":\"x\"}: " + only_localhost,
        kPath + ".type: Required value: type is required when seccompProfile is set"}},
      {"V13",
       "",
       ContainerProfile("initContainers", ""),
       {"spec.initContainers[0].securityContext.seccompProfile.type: Required value: type is required when "
        "seccompProfile is set"}},
      {"V14",
       "",
       ContainerProfile("containers", "type: Foo"),
       {kContainerPath + ".type: Unsupported value: \"Foo\": " + supported}},
  });
}

TEST(ValidatePod, SeccompAnnotations) {
  const std::string pod_field = "metadata.annotations." + kPodKey;
  const std::string types_differ = ".type: Forbidden: seccomp type in annotation and field must match";
  const std::string profiles_differ =
      ".localhostProfile: Forbidden: seccomp profile in annotation and field must match";
  Check({
      {"V15",
       Annotation(kPodKey, "foo"),
       kPlain,
       {pod_field + ": Invalid value: \"foo\": must be a valid seccomp profile"}},
      {"V16",
       Annotation(kContainerKey + "foo", ""),
       kPlain,
       {"metadata.annotations." + kContainerKey + "foo: Invalid value: \"\": must be a valid seccomp profile"}},
      {"V17",
       Annotation(kContainerKey, "unconfined"),
       kPlain,
       {"metadata.annotations: Invalid value: \"" + kContainerKey + "\": name part must be non-empty"}},
      {"V18", Annotation(kPodKey, "unconfined"), PodProfile("type: RuntimeDefault"), {kPath + types_differ}},
      {"V19",
       Annotation(kContainerKey + "c", "unconfined"),
       ContainerProfile("containers", "type: RuntimeDefault"),
       {kContainerPath + types_differ}},
      {"V20",
       Annotation(kPodKey, "localhost//foo"),
       kPlain,
       {pod_field + ": Invalid value: \"/foo\": must be a relative path"}},
      {"V21",
       Annotation(kPodKey, "localhost/../foo"),
       kPlain,
       {pod_field + ": Invalid value: \"../foo\": must not contain '..'"}},
      {"V22",
       Annotation(kPodKey, "localhost/other"),
       PodProfile("type: Localhost, localhostProfile: x"),
       {kPath + profiles_differ}},
      {"V22b", Annotation(kPodKey, "localhost/x"), PodProfile("type: Localhost, localhostProfile: x"), {}},
      {"V22c",
       Annotation(kPodKey, "runtime/default"),
       PodProfile("type: Localhost, localhostProfile: x"),
       {kPath + types_differ}},
      {"V23", Annotation(kPodKey, "docker/default"), PodProfile("type: RuntimeDefault"), {}},
      {"V24", Annotation(kPodKey, "runtime/default"), kPlain, {}},
  });
  // V24's warning, and V25: what is logged for a bad manifest.
  const PodLoad load = LoadStaticPod("apiVersion: v1\nkind: Pod\nmetadata: {name: p, " +
                                         Annotation(kPodKey, "runtime/default") + "}\nspec:\n" + kPlain,
                                     {.file = "p.yaml", .node_name = "n1"});
  // Where the field is set, it decides, and the annotation is not worth a word.
  const struct {
    std::string key;
    std::string spec;
    size_t warnings;
  } fields[] = {{kPodKey, PodProfile("type: RuntimeDefault"), 0},
                {kContainerKey + "c", PodProfile("type: RuntimeDefault"), 1},
                {kContainerKey + "c", ContainerProfile("containers", "type: RuntimeDefault"), 0},
                {kPodKey, ContainerProfile("containers", "type: RuntimeDefault"), 1}};
  for (const auto& c : fields) {
    const PodLoad with_field = LoadStaticPod("apiVersion: v1\nkind: Pod\nmetadata: {name: p, " +
                                                 Annotation(c.key, "runtime/default") + "}\nspec:\n" + c.spec,
                                             {.file = "p.yaml", .node_name = "n1"});
    ASSERT_TRUE(with_field.pod) << with_field.error;
    EXPECT_EQ(with_field.diagnostics.size(), c.warnings) << c.key << "\n" << c.spec;
  }
  ASSERT_EQ(load.diagnostics.size(), 1u);
  EXPECT_EQ(
      FieldErrorText(load.diagnostics[0]),
      "metadata.annotations[" + kPodKey + "]: non-functional in v1.27+; use the \"seccompProfile\" field instead");
  EXPECT_EQ(LoadStaticPod("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n" + PodProfile(""),
                          {.file = "p.yaml", .node_name = "n1"})
                .error,
            "invalid pod: [spec.securityContext.seccompProfile.type: Required value: type is required when "
            "seccompProfile is set]");
}

TEST(ValidatePod, Windows) {
  const auto errors = ErrorsOf("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  os: {name: windows}\n" +
                               PodProfile("type: RuntimeDefault"));
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0], "spec.os.name: this node runs linux pods only, not \"windows\"");
  EXPECT_EQ(errors[1], kPath + ": Forbidden: cannot be set for a windows pod");
}

std::string InContainer(const std::string& fields) { return "  containers: [{name: c, image: a:1, " + fields + "}]\n"; }

TEST(ValidatePod, UsualRules) {
  const std::string label =
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
      "with an "
      "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
      "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
  Check({
      {"no containers", "", "  containers: []\n", {"spec.containers: Required value"}},
      {"container without a name", "", "  containers: [{image: a}]\n", {"spec.containers[0].name: Required value"}},
      {"bad container name",
       "",
       "  containers: [{name: A_b, image: a}]\n",
       {"spec.containers[0].name: Invalid value: \"A_b\": " + label}},
      {"duplicate containers",
       "",
       "  containers: [{name: c, image: a}, {name: c, image: a}]\n",
       {"spec.containers[1].name: Duplicate value: \"c\""}},
      {"init with a container's name",
       "",
       "  initContainers: [{name: c, image: a}]\n" + kPlain,
       {"spec.initContainers[0].name: Duplicate value: \"c\""}},
      {"no image", "", "  containers: [{name: c}]\n", {"spec.containers[0].image: Required value"}},
      {"image with a blank",
       "",
       "  containers: [{name: c, image: \" a\"}]\n",
       {"spec.containers[0].image: Invalid value: \" a\": must not have leading or trailing whitespace"}},
      {"restartPolicy",
       "",
       "  restartPolicy: Sometimes\n" + kPlain,
       {"spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"Never\", "
        "\"OnFailure\""}},
      {"imagePullPolicy",
       "",
       InContainer("imagePullPolicy: always"),
       {"spec.containers[0].imagePullPolicy: Unsupported value: \"always\": supported values: \"Always\", "
        "\"IfNotPresent\", \"Never\""}},
      {"dnsPolicy",
       "",
       "  dnsPolicy: Host\n" + kPlain,
       {"spec.dnsPolicy: Unsupported value: \"Host\": supported values: \"ClusterFirst\", \"ClusterFirstWithHostNet\", "
        "\"Default\", \"None\""}},
      {"dnsPolicy None",
       "",
       "  dnsPolicy: None\n" + kPlain,
       {"spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"}},
      {"unknown volume",
       "",
       InContainer("volumeMounts: [{name: v, mountPath: /v}]"),
       {"spec.containers[0].volumeMounts[0].name: Not found: \"v\""}},
      {"mount without path",
       "",
       "  volumes: [{name: v}]\n" + InContainer("volumeMounts: [{name: v}]"),
       {"spec.containers[0].volumeMounts[0].mountPath: Required value"}},
      {"mounts at one path",
       "",
       "  volumes: [{name: v}]\n" + InContainer("volumeMounts: [{name: v, mountPath: /v}, {name: v, mountPath: /v}]"),
       {"spec.containers[0].volumeMounts[1].mountPath: Invalid value: \"/v\": must be unique"}},
      {"subPath",
       "",
       "  volumes: [{name: v}]\n" + InContainer("volumeMounts: [{name: v, mountPath: /v, subPath: ../x}]"),
       {"spec.containers[0].volumeMounts[0].subPath: Invalid value: \"../x\": must not contain '..'"}},
      {"propagation",
       "",
       "  volumes: [{name: v}]\n" +
           InContainer("volumeMounts: [{name: v, mountPath: /v, mountPropagation: Bidirectional}]"),
       {"spec.containers[0].volumeMounts[0].mountPropagation: Forbidden: Bidirectional mount propagation is available "
        "only to privileged containers"}},
      {"duplicate volumes",
       "",
       "  volumes: [{name: v}, {name: v}]\n" + kPlain,
       {"spec.volumes[1].name: Duplicate value: \"v\""}},
      {"two sources",
       "",
       "  volumes: [{name: v, emptyDir: {}, hostPath: {path: /x}}]\n" + kPlain,
       {"spec.volumes[0]: Forbidden: may not specify more than 1 volume type"}},
      {"hostPath type",
       "",
       "  volumes: [{name: v, hostPath: {path: /x, type: Dir}}]\n" + kPlain,
       {"spec.volumes[0].hostPath.type: Unsupported value: \"Dir\": supported values: \"\", \"BlockDevice\", "
        "\"CharDevice\", \"Directory\", "
        "\"DirectoryOrCreate\", \"File\", \"FileOrCreate\", \"Socket\""}},
      {"hostPath ..",
       "",
       "  volumes: [{name: v, hostPath: {path: /x/../y}}]\n" + kPlain,
       {"spec.volumes[0].hostPath.path: Invalid value: \"/x/../y\": must not contain '..'"}},
      {"port range",
       "",
       InContainer("ports: [{containerPort: 70000}]"),
       {"spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"}},
      {"port missing",
       "",
       InContainer("ports: [{name: web}]"),
       {"spec.containers[0].ports[0].containerPort: Required value"}},
      {"port protocol",
       "",
       InContainer("ports: [{containerPort: 1, protocol: tcp}]"),
       {"spec.containers[0].ports[0].protocol: Unsupported value: \"tcp\": supported values: \"SCTP\", \"TCP\", "
        "\"UDP\""}},
      {"port names",
       "",
       InContainer("ports: [{containerPort: 1, name: a}, {containerPort: 2, name: a}]"),
       {"spec.containers[0].ports[1].name: Duplicate value: \"a\""}},
      {"host ports",
       "",
       InContainer("ports: [{containerPort: 1, hostPort: 80}, {containerPort: 2, hostPort: 80}]"),
       {"spec.containers[0].ports[1].hostPort: Duplicate value: \"TCP//80\""}},
      {"host network port",
       "",
       "  hostNetwork: true\n" + InContainer("ports: [{containerPort: 1, hostPort: 80}]"),
       {"spec.containers[0].ports[0].containerPort: Invalid value: 1: must match `hostPort` when `hostNetwork` is "
        "true"}},
      {"env name",
       "",
       InContainer("env: [{name: \"a=b\"}, {value: x}]"),
       {"spec.containers[0].env[0].name: Invalid value: \"a=b\": a valid environment variable name must consist only "
        "of printable ASCII "
        "characters other than '='",
        "spec.containers[0].env[1].name: Required value"}},
      {"env sources",
       "",
       InContainer("env: [{name: a, value: x, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]"),
       {"spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty"}},
      {"env field",
       "",
       InContainer("env: [{name: a, valueFrom: {fieldRef: {fieldPath: spec.hostname}}}]"),
       {"spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: \"spec.hostname\": supported "
        "values: \"metadata.name\", "
        "\"metadata.namespace\", \"metadata.uid\", \"spec.nodeName\", \"spec.serviceAccountName\", \"status.hostIP\", "
        "\"status.hostIPs\", "
        "\"status.podIP\", \"status.podIPs\""}},
      {"privileged without escalation",
       "",
       InContainer("securityContext: {privileged: true, allowPrivilegeEscalation: false}"),
       {"spec.containers[0].securityContext: Invalid value: cannot set `allowPrivilegeEscalation` to false and "
        "`privileged` to true"}},
      {"user range",
       "",
       InContainer("securityContext: {runAsUser: -1}"),
       {"spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, "
        "inclusive"}},
      {"request over limit",
       "",
       InContainer("resources: {requests: {cpu: 2}, limits: {cpu: 1}}"),
       {"spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1"}},
      {"shared and host pid",
       "",
       "  hostPID: true\n  shareProcessNamespace: true\n" + kPlain,
       {"spec.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled"}},
      {"uid with a path",
       "uid: ../../x",
       kPlain,
       {"metadata.uid: Invalid value: \"../../x\": must be at most 64 letters, digits and '-'"}},
      {"label value",
       "labels: {a: \"b c\"}",
       kPlain,
       {"metadata.labels: Invalid value: \"b c\": a valid label must be an empty string or consist of alphanumeric "
        "characters, '-', '_' or '.', "
        "and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex "
        "used for validation is "
        "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"}},
      {"a whole valid pod",
       "labels: {app.kubernetes.io/name: web}",
       "  restartPolicy: OnFailure\n  volumes: [{name: d}, {name: h, hostPath: {path: /srv, type: Directory}}]\n" +
           InContainer("ports: [{containerPort: 80, name: http}], env: [{name: A, value: b}], volumeMounts: [{name: d, "
                       "mountPath: /d}], "
                       "resources: {limits: {cpu: 100m, memory: 1Gi}}"),
       {}},
  });
}

TEST(ValidatePod, Names) {
  EXPECT_EQ(ErrorsOf("apiVersion: v1\nkind: Pod\nmetadata: {}\nspec:\n" + kPlain),
            (std::vector<std::string>{"metadata.name: Required value: name or generateName is required"}));
  EXPECT_NE(CheckDns1123Subdomain(std::string(254, 'a')), "");
  EXPECT_EQ(CheckDns1123Subdomain("a.b-c.1"), "");
  EXPECT_NE(CheckDns1123Subdomain("a..b"), "");
  EXPECT_NE(CheckDns1123Label("a.b"), "");
  EXPECT_NE(CheckDns1123Label("-a"), "");
  EXPECT_NE(CheckDns1123Label(""), "");
}

}  // namespace
}  // namespace portcullis::k8s
