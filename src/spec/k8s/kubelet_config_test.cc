#include "spec/k8s/kubelet_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/strings.h"
#include "spec/k8s/schema.h"

namespace portcullis::k8s {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using ::testing::HasSubstr;

const std::string kHead = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";

KubeletConfigInputs File(const std::string& fields) {
  KubeletConfigInputs inputs;
  inputs.file = ConfigText{"/etc/p/k.yaml", kHead + fields};
  return inputs;
}

std::string ErrorOf(const KubeletConfigInputs& inputs) {
  const auto config = MergeKubeletConfig(inputs);
  return config ? "" : config.error().message;
}

TEST(KubeletConfig, Defaults) {
  const auto config = MergeKubeletConfig({});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->static_pod_path(), "");
  EXPECT_EQ(config->file_check_frequency(), seconds(20));
  EXPECT_EQ(config->sync_frequency(), seconds(60));
  EXPECT_EQ(config->runtime_request_timeout(), seconds(120));
  EXPECT_EQ(config->max_container_restart_period(), seconds(300));
  EXPECT_EQ(config->pod_logs_dir(), "/var/log/pods");
  EXPECT_EQ(config->container_runtime_endpoint(), "");
  EXPECT_EQ(config->healthz_port(), 10248);
  EXPECT_EQ(config->healthz_bind_address(), "127.0.0.1");
  EXPECT_EQ(config->address(), "127.0.0.1");
  EXPECT_EQ(config->container_log_max_size(), 10 << 20);
  EXPECT_EQ(config->container_log_max_files(), 5);
  EXPECT_EQ(config->max_pods(), 110);
  EXPECT_EQ(config->pod_pids_limit(), -1);
  EXPECT_EQ(config->cgroup_driver(), "cgroupfs");
  EXPECT_TRUE(config->cpu_cfs_quota());
  EXPECT_TRUE(config->serialize_image_pulls());
  EXPECT_FALSE(config->seccomp_default().enabled);
  EXPECT_TRUE(config->warnings.empty());
  EXPECT_EQ(config->OriginOf("maxPods"), "default");
}

TEST(KubeletConfig, PrecedenceAndOrigins) {
  KubeletConfigInputs inputs = File(
      "staticPodPath: manifests\ncgroupRoot: /a\nclusterDNS: [10.0.0.10]\nhealthzPort: 1\nfeatureGates:\n  "
      "SeccompDefault: true\n  NodeSwap: true\n"
      "seccompDefault: true\ncrashLoopBackOff: {maxContainerRestartPeriod: 10s}\n");
  inputs.drop_ins = {
      {"/etc/p/d/20.conf", kHead + "healthzPort: 3\n"},
      {"/etc/p/d/10.conf",
       kHead +
           "healthzPort: 2\nclusterDNS: [10.0.0.11, 10.0.0.12]\ncgroupRoot: null\nfeatureGates: {NodeSwap: false}\n"},
      {"/etc/p/d/README", "not yaml: ["}};
  inputs.flags.fields["clusterDomain"] = "c.local";
  inputs.flags.feature_gates["SeccompDefault"] = true;
  const auto config = MergeKubeletConfig(inputs);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->static_pod_path(), "/etc/p/manifests");
  EXPECT_EQ(config->OriginOf("staticPodPath"), "/etc/p/k.yaml:3");
  EXPECT_EQ(config->healthz_port(), 3);
  EXPECT_EQ(config->OriginOf("healthzPort"), "/etc/p/d/20.conf:3");
  EXPECT_EQ(config->cluster_dns(), (std::vector<std::string>{"10.0.0.11", "10.0.0.12"}));
  EXPECT_EQ(config->cgroup_root(), "");
  EXPECT_EQ(config->OriginOf("cgroupRoot"), "default");
  EXPECT_EQ(config->cluster_domain(), "c.local");
  EXPECT_EQ(config->OriginOf("clusterDomain"), "flag --cluster-domain");
  EXPECT_EQ(config->OriginOf("featureGates.SeccompDefault"), "flag --feature-gates");
  EXPECT_EQ(config->OriginOf("featureGates.NodeSwap"), "/etc/p/d/10.conf:6");
  EXPECT_EQ(config->max_container_restart_period(), seconds(10));
  EXPECT_TRUE(config->seccomp_default().enabled);
  EXPECT_FALSE(config->feature_gates().Enabled("NodeSwap"));
}

// As Go walks a folder: `a` (a folder) comes before `a.conf`, although '/' is above '.'; then `a0.conf`, `b`.
TEST(KubeletConfig, DropInsFolderByFolder) {
  const std::vector<std::string> walked = {"/d/a/x/y.conf", "/d/a/z.conf", "/d/a-b.conf",
                                           "/d/a.conf",     "/d/a0.conf",  "/d/b/a.conf"};
  for (size_t last = 1; last < walked.size(); ++last) {
    KubeletConfigInputs inputs;
    for (size_t i = 0; i <= last; ++i) {
      inputs.drop_ins.insert(inputs.drop_ins.begin(), {walked[i], kHead + fmt::format("healthzPort: {}\n", i + 1)});
    }
    const auto config = MergeKubeletConfig(inputs);
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->OriginOf("healthzPort"), walked[last] + ":3");
  }
}

TEST(KubeletConfig, HowManyImagesArePulledAtATime) {
  for (const auto& [fields, parallel] :
       std::vector<std::pair<std::string, int>>{{"", 1},
                                                {"serializeImagePulls: false", 0},
                                                {"maxParallelImagePulls: 1", 1},
                                                {"maxParallelImagePulls: 3", 3},
                                                {"serializeImagePulls: false\nmaxParallelImagePulls: 5", 5}}) {
    const auto config = MergeKubeletConfig(File(fields + "\n"));
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->parallel_image_pulls(), parallel) << fields;
    EXPECT_TRUE(config->warnings.empty()) << fields;
  }
}

TEST(KubeletConfig, FlagsBeatEverything) {
  KubeletConfigInputs inputs = File("maxPods: 10\nserializeImagePulls: true\n");
  inputs.flags.fields = {
      {"maxPods", "7"}, {"serializeImagePulls", "f"}, {"clusterDNS", "1.1.1.1,::1"}, {"fileCheckFrequency", "500ms"}};
  const auto config = MergeKubeletConfig(inputs);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->max_pods(), 7);
  EXPECT_FALSE(config->serialize_image_pulls());
  EXPECT_EQ(config->cluster_dns(), (std::vector<std::string>{"1.1.1.1", "::1"}));
  EXPECT_EQ(config->file_check_frequency(), std::chrono::milliseconds(500));
  inputs.flags.fields = {{"maxPods", "many"}};
  EXPECT_EQ(ErrorOf(inputs), "invalid argument \"many\" for flag --max-pods: expected an integer, found \"many\"");
}

TEST(KubeletConfig, FlagsNameExistingFields) {
  for (const ConfigFlagName& flag : ConfigFlagNames()) {
    const ObjectSchema* object = FindObject(KubeletConfigSchema(), "KubeletConfiguration");
    ASSERT_NE(object, nullptr);
    EXPECT_NE(FindField(*object, flag.field), nullptr) << flag.flag;
  }
}

TEST(KubeletConfig, RefusedDocuments) {
  const struct {
    std::string text;
    const char* error;
  } cases[] = {
      {"",
       "failed to load kubelet config file, path: /etc/p/k.yaml, error: kubelet config file \"/etc/p/k.yaml\" was "
       "empty"},
      {"# only a comment\n", "kubelet config file \"/etc/p/k.yaml\" was empty"},
      {"seccompDefault: true\n", "failed to decode: Object 'Kind' is missing"},
      {"kind: KubeletConfiguration\n", "failed to decode: Object 'apiVersion' is missing"},
      {"kind: KubeletConfiguration\napiVersion: v1\n",
       "failed to decode: no kind \"KubeletConfiguration\" is registered for version \"v1\""},
      {"kind: CredentialProviderConfig\napiVersion: kubelet.config.k8s.io/v1beta1\n",
       "failed to cast object to KubeletConfiguration, unexpected type: CredentialProviderConfig"},
      {kHead + "seccompdefault: true\n",
       "failed to decode: /etc/p/k.yaml:3:17: error: seccompdefault: unknown field (did you mean \"seccompDefault\"?)"},
      {kHead + "maxPods: 1\nmaxPods: 2\n", "failed to decode: /etc/p/k.yaml:4:1: duplicate key \"maxPods\""},
      {kHead + "port: \"10250\"\n", "port: expected an integer, found the string \"10250\" (write it without quotes)"},
      {kHead + "syncFrequency: 10\n", "syncFrequency: expected a duration such as \"1m30s\", found the number 10"},
      {kHead + "syncFrequency: 10x\n",
       "syncFrequency: expected a duration such as \"1m30s\", found the string \"10x\""},
      {kHead + "authentication: {anonymus: {enabled: true}}\n",
       "authentication.anonymus: unknown field (did you mean \"anonymous\"?)"},
      {kHead + "featureGates: {SeccompDefault: 1}\n",
       "featureGates[SeccompDefault]: expected true or false, found the number 1"},
      {kHead + "featureGates: {SecompDefault: true}\n",
       "failed to set feature gates from initial flags-based config: unrecognized feature gate: SecompDefault (did you "
       "mean \"SeccompDefault\"?)"},
      {kHead + "---\n" + kHead, "more than one document"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    KubeletConfigInputs inputs;
    inputs.file = ConfigText{"/etc/p/k.yaml", c.text};
    EXPECT_THAT(ErrorOf(inputs), HasSubstr(c.error));
    EXPECT_NE(ErrorOf(inputs), "");
  }
  KubeletConfigInputs drop_in;
  drop_in.drop_ins = {{"/d/a.conf", "maxPods: 1\n"}};
  EXPECT_THAT(
      ErrorOf(drop_in),
      HasSubstr(
          "failed to merge kubelet configs: failed to load kubelet dropin file, path: /d/a.conf, no apiVersion/kind"));
  drop_in.drop_ins = {{"/d/a.conf", "kind: A\napiVersion: b/v1\n"}};
  EXPECT_THAT(ErrorOf(drop_in), HasSubstr("path: /d/a.conf, unknown apiVersion/kind: b/v1, Kind=A"));
  drop_in.drop_ins = {{"/d/a.conf", ""}};
  EXPECT_THAT(ErrorOf(drop_in), HasSubstr("path: /d/a.conf, error: kubelet config file \"/d/a.conf\" was empty"));
}

TEST(KubeletConfig, AllProblemsAreReported) {
  const std::string error = ErrorOf(File("seccompdefault: true\nmaxpods: 1\n"));
  EXPECT_THAT(error, HasSubstr("2 problems:\n"));
  EXPECT_THAT(error, HasSubstr("seccompDefault"));
  EXPECT_THAT(error, HasSubstr("maxPods"));
}

TEST(KubeletConfig, Validation) {
  const struct {
    const char* fields;
    const char* error;
  } cases[] = {
      {"maxPods: -1", "invalid configuration: maxPods (--max-pods) -1 must not be a negative number"},
      {"readOnlyPort: 65536",
       "invalid configuration: readOnlyPort (--read-only-port) 65536 must be between 0 and 65535, inclusive"},
      {"containerLogMaxFiles: 1", "invalid configuration: containerLogMaxFiles must be greater than 1"},
      {"containerLogMonitorInterval: 1s",
       "invalid configuration: containerLogMonitorInterval must be a positive time duration greater than or equal to "
       "3s"},
      {"podLogsDir: \"\"", "invalid configuration: podLogsDir was not specified"},
      {"podLogsDir: /var/../log", "invalid configuration: pod logs path \"/var/../log\" must be normalized"},
      {"runOnce: true",
       "invalid configuration: runOnce (--runOnce) true, Runonce mode has been deprecated and should not be set"},
      {"crashLoopBackOff: {maxContainerRestartPeriod: 301s}",
       "invalid configuration: CrashLoopBackOff.MaxContainerRestartPeriod (got: 301 seconds) must be set between 1s "
       "and 300s"},
      {"imageGCLowThresholdPercent: 90\nimageGCHighThresholdPercent: 85",
       "invalid configuration: imageGCLowThresholdPercent (--image-gc-low-threshold) 90 must be less than "
       "imageGCHighThresholdPercent "
       "(--image-gc-high-threshold) 85"},
      {"imageGCHighThresholdPercent: 101",
       "invalid configuration: imageGCHighThresholdPercent (--image-gc-high-threshold) 101 must be between 0 and 100, "
       "inclusive"},
      {"imageGCLowThresholdPercent: -1",
       "invalid configuration: imageGCLowThresholdPercent (--image-gc-low-threshold) -1 must be between 0 and 100, "
       "inclusive"},
      {"imageMinimumGCAge: -1s", "invalid configuration: imageMinimumGCAge -1s must not be negative"},
      {"imageMaximumGCAge: -1s", "invalid configuration: imageMaximumGCAge -1s must not be negative"},
      {"imageMaximumGCAge: 1m",
       "invalid configuration: imageMaximumGCAge 1m0s must be greater than imageMinimumGCAge 2m0s"},
      {"systemReserved: {gpu: \"1\"}", "--system-reserved value failed to parse: cannot reserve \"gpu\" resource"},
      {"kubeReserved: {cpu: -1m}",
       "--kube-reserved value failed to parse: resource quantity for \"cpu\" cannot be negative: -1m"},
      {"enforceNodeAllocatable: [pods, pods]",
       "invalid configuration: duplicated enforcements \"pods\" in enforceNodeAllocatable "
       "(--enforce-node-allocatable)"},
      {"enforceNodeAllocatable: [none, pods]",
       "invalid configuration: enforceNodeAllocatable (--enforce-node-allocatable) may not contain additional "
       "enforcements when \"none\" is specified"},
      {"enforceNodeAllocatable: [all]",
       "invalid configuration: option \"all\" specified for enforceNodeAllocatable (--enforce-node-allocatable). Valid "
       "options are \"pods\", \"system-reserved\", \"system-reserved-compressible\", \"kube-reserved\", "
       "\"kube-reserved-compressible\" or \"none\""},
      {"enforceNodeAllocatable: [system-reserved]",
       "invalid configuration: systemReservedCgroup (--system-reserved-cgroup) must be specified when "
       "\"system-reserved\" or \"system-reserved-compressible\" included in enforceNodeAllocatable "
       "(--enforce-node-allocatable)"},
      {"enforceNodeAllocatable: [kube-reserved, kube-reserved-compressible]\nkubeReservedCgroup: /kube",
       "invalid configuration: both \"kube-reserved\" and \"kube-reserved-compressible\" cannot be specified together "
       "in enforceNodeAllocatable (--enforce-node-allocatable)"},
      {"cgroupsPerQOS: false",
       "invalid configuration: cgroupsPerQOS (--cgroups-per-qos) must be set to true when \"pods\" contained in "
       "enforceNodeAllocatable (--enforce-node-allocatable)"},
      {"maxParallelImagePulls: 0", "invalid configuration: maxParallelImagePulls 0 must be a positive number"},
      {"maxParallelImagePulls: 2\nserializeImagePulls: true",
       "invalid configuration: maxParallelImagePulls cannot be larger than 1 unless SerializeImagePulls == false"},
      {"cgroupDriver: cgroup",
       "invalid configuration: cgroupDriver (--cgroup-driver) \"cgroup\" must be \"cgroupfs\" or \"systemd\""},
      {"clusterDNS: [x]",
       "invalid configuration: clusterDNS \"x\" must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"},
  };
  for (const auto& c : cases) EXPECT_EQ(ErrorOf(File(std::string(c.fields) + "\n")), c.error) << c.fields;

  // The gate of this field does not exist in 1.22, where the field is taken as it is; from 1.32 on the gate decides.
  KubeletConfigInputs inputs = File("crashLoopBackOff: {maxContainerRestartPeriod: 10s}\n");
  EXPECT_EQ(ErrorOf(inputs), "");
  inputs.emulated_version = {1, 32};
  EXPECT_THAT(ErrorOf(inputs), HasSubstr("FeatureGate KubeletCrashLoopBackOffMax not enabled"));
  inputs.emulated_version = {1, 35};
  EXPECT_EQ(ErrorOf(inputs), "");
  inputs = File("imageMaximumGCAge: 1h\n");
  EXPECT_EQ(ErrorOf(inputs), "");
  inputs.emulated_version = {1, 29};
  EXPECT_EQ(ErrorOf(inputs),
            "invalid configuration: ImageMaximumGCAge feature gate is required for Kubelet configuration option "
            "imageMaximumGCAge");
  inputs.flags.feature_gates["ImageMaximumGCAge"] = true;
  EXPECT_EQ(ErrorOf(inputs), "");
}

TEST(KubeletConfig, ReservedResourcesAndImageGc) {
  KubeletConfigInputs inputs = File(
      "systemReserved: {cpu: 200m, memory: 100Mi}\nsystemReservedCgroup: /system\n"
      "enforceNodeAllocatable: [pods, system-reserved]\nimageGCHighThresholdPercent: 70\n"
      "imageGCLowThresholdPercent: 60\nimageMaximumGCAge: 24h\n");
  inputs.flags.fields["kubeReserved"] = "cpu=100m,pid=500";
  inputs.flags.fields["imageMinimumGCAge"] = "3m";
  const auto config = MergeKubeletConfig(inputs);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->warnings, std::vector<std::string>());
  const Reservations reservations = config->reservations();
  EXPECT_EQ(reservations.system.at("cpu").MilliValue(), 200);
  EXPECT_EQ(reservations.system.at("memory").Value(), 100 << 20);
  EXPECT_EQ(reservations.kube.at("cpu").MilliValue(), 100);
  EXPECT_EQ(reservations.kube.at("pid").Value(), 500);
  EXPECT_EQ(reservations.system_cgroup, "/system");
  EXPECT_TRUE(reservations.Enforces("pods"));
  EXPECT_TRUE(reservations.Enforces("system-reserved"));
  EXPECT_TRUE(config->cgroups_per_qos());
  EXPECT_EQ(config->image_gc_high_threshold_percent(), 70);
  EXPECT_EQ(config->image_gc_low_threshold_percent(), 60);
  EXPECT_EQ(config->image_minimum_gc_age(), std::chrono::minutes(3));
  EXPECT_EQ(config->image_maximum_gc_age(), std::chrono::hours(24));
  inputs.flags.fields["kubeReserved"] = "cpu";
  EXPECT_EQ(ErrorOf(inputs), "invalid argument \"cpu\" for flag --kube-reserved: malformed pair, expect string=string");
}

TEST(KubeletConfig, OneWarningPerFieldWithoutEffect) {
  const auto config =
      MergeKubeletConfig(File("authentication:\n  anonymous: {enabled: false}\n  webhook: {enabled: "
                              "true}\nrotateCertificates: true\nregisterNode: false\nmaxOpenFiles: 9\n"
                              "logging: {format: json}\nhealthzPort: 1\n"));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->warnings, (std::vector<std::string>{
                                  "/etc/p/k.yaml:4: authentication has no effect here",
                                  "/etc/p/k.yaml:9: logging has no effect here",
                                  "/etc/p/k.yaml:8: maxOpenFiles has no effect here",
                                  "/etc/p/k.yaml:7: registerNode has no effect here",
                                  "/etc/p/k.yaml:6: rotateCertificates has no effect here",
                              }));
}

TEST(KubeletConfig, StaticPodUrlAndItsHeaders) {
  KubeletConfigInputs inputs = File("staticPodURL: http://x/\nstaticPodURLHeader: {X-A: [one], X-B: [two]}\n");
  auto config = MergeKubeletConfig(inputs);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->static_pod_url(), "http://x/");
  EXPECT_EQ(config->http_check_frequency(), std::chrono::seconds(20));
  EXPECT_THAT(config->warnings, ::testing::IsEmpty());
  inputs.flags.fields = {{"staticPodURLHeader", "a:hello,b:again, c:world,b:beautiful:one"},
                         {"httpCheckFrequency", "1s"}};
  config = MergeKubeletConfig(inputs);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->static_pod_url_header(),
            (std::map<std::string, std::vector<std::string>>{
                {"a", {"hello"}}, {"b", {"again", "beautiful:one"}}, {"c", {"world"}}}))
      << "a flag replaces the file's map";
  EXPECT_EQ(config->http_check_frequency(), std::chrono::seconds(1));
  const std::string text = RenderConfigText(*config);
  EXPECT_THAT(text, ::testing::ContainsRegex("\n  a: ..<masked>.. +# flag --manifest-url-header\n"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("hello")));
  EXPECT_EQ(RenderConfigJson(*config)["kubeletconfig"]["staticPodURLHeader"]["b"], nlohmann::json({"<masked>"}));

  inputs.flags.fields = {{"staticPodURL", "https://me:pass@host:1/a@b"}};
  config = MergeKubeletConfig(inputs);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(RenderConfigJson(*config)["kubeletconfig"]["staticPodURL"], "https://<masked>@host:1/a@b");

  inputs.flags.fields = {{"staticPodURLHeader", "nonsense"}};
  EXPECT_THAT(ErrorOf(inputs), HasSubstr("malformed pair, expect string:string"));
  inputs.flags.fields = {{"staticPodURLHeader", "a b:c"}};
  EXPECT_THAT(ErrorOf(inputs), HasSubstr("\"a b\" is not the name of an HTTP header"));
  inputs.flags.fields = {{"staticPodURLHeader", "a:b\r\nc"}};
  EXPECT_THAT(ErrorOf(inputs), HasSubstr("a has a value of more than one line"));
  inputs.flags.fields = {{"staticPodURL", "file:///etc/passwd"}};
  EXPECT_THAT(ErrorOf(inputs), HasSubstr("must begin with http:// or https://"));
  inputs.flags.fields = {{"httpCheckFrequency", "0s"}};
  EXPECT_THAT(ErrorOf(inputs), HasSubstr("httpCheckFrequency 0s must be a positive time duration"));
}

TEST(KubeletConfig, CheckConfigRendering) {
  KubeletConfigInputs inputs = File(
      "clusterDomain: \"yes\"\nfeatureGates: {SeccompDefault: true}\nauthentication: {anonymous: {enabled: false}}\n");
  inputs.flags.seccomp_default = true;
  const auto config = MergeKubeletConfig(inputs);
  ASSERT_TRUE(config) << config.error().message;
  const std::string text = RenderConfigText(*config);
  EXPECT_THAT(text, HasSubstr("# SeccompDefault is on"));
  EXPECT_THAT(text, HasSubstr("# warning: /etc/p/k.yaml:5: authentication has no effect here"));
  EXPECT_THAT(text, ::testing::ContainsRegex("\nclusterDomain: \"yes\" +# /etc/p/k.yaml:3\n"));
  EXPECT_THAT(text, ::testing::ContainsRegex("\nfeatureGates:\n  SeccompDefault: true +# /etc/p/k.yaml:4\n"));
  EXPECT_THAT(text, ::testing::ContainsRegex("\nmaxPods: 110 +# default\n"));
  EXPECT_THAT(text, ::testing::ContainsRegex("\nseccompDefault: true +# flag --seccomp-default\n"));
  // The text is YAML that reads back as the same configuration.
  const auto back = base::ParseYaml(text, "check");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->root(), config->json());

  const json rendered = RenderConfigJson(*config);
  EXPECT_EQ(rendered["kubeletconfig"]["clusterDomain"], "yes");
  EXPECT_EQ(rendered["origins"]["featureGates.SeccompDefault"], "/etc/p/k.yaml:4");
  EXPECT_EQ(rendered["origins"]["maxPods"], "default");
  EXPECT_EQ(rendered["seccompDefault"]["enabled"], true);
  EXPECT_EQ(rendered["warnings"].size(), 1u);

  // The file's own switch stays the origin; a `false` that the flag overrules does not.
  inputs = File("featureGates: {SeccompDefault: true}\nseccompDefault: true\n");
  inputs.flags.seccomp_default = true;
  EXPECT_EQ(MergeKubeletConfig(inputs)->OriginOf("seccompDefault"), "/etc/p/k.yaml:4");
  inputs = File("featureGates: {SeccompDefault: true}\nseccompDefault: false\n");
  inputs.flags.seccomp_default = true;
  EXPECT_EQ(MergeKubeletConfig(inputs)->OriginOf("seccompDefault"), "flag --seccomp-default");
}

// A configuration file as a kubelet of today shows it starts. /configz leaves out what is empty: that kubelet, which
// has no cgroups for classes, ran with an empty enforceNodeAllocatable (with the default it would not have started).
TEST(KubeletConfig, TodaysFileStarts) {
  std::ifstream file(std::string(PORTCULLIS_SOURCE_DIR) + "/../shared/samples/kubelet/10250-configz.json");
  if (!file) GTEST_SKIP() << "samples not present";
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  auto configz = base::ParseJson(text, "configz");
  ASSERT_TRUE(configz);
  json config = (*configz)["kubeletconfig"];
  config["featureGates"] = {{"SeccompDefault", true}, {"PLEGOnDemandRelist", true}};
  ASSERT_FALSE(config.contains("enforceNodeAllocatable"));
  config["enforceNodeAllocatable"] = json::array();
  KubeletConfigInputs inputs;
  inputs.file = ConfigText{"/etc/p/k.json", config.dump()};
  const auto merged = MergeKubeletConfig(inputs);
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_TRUE(merged->seccomp_default().enabled);
  EXPECT_EQ(merged->static_pod_path(), "/var/lib/peer-kubelet/manifests");
}

// Go's type as the specification writes it, in the words of our table.
std::string TypeOf(std::string go) {
  static const std::map<std::string, std::string> kNames = {{"string", "string"},
                                                            {"bool", "bool"},
                                                            {"int32", "int32"},
                                                            {"int64", "int64"},
                                                            {"float64", "float64"},
                                                            {"metav1.Duration", "duration"},
                                                            {"v1.ResourceList", "map:quantity"},
                                                            {"v1.Taint", "any"},
                                                            {"logsapi.LoggingConfiguration", "any"},
                                                            {"tracingapi.TracingConfiguration", "any"},
                                                            {"ImagePullCredentialsVerificationPolicy", "string"},
                                                            {"ResourceChangeDetectionStrategy", "string"},
                                                            {"MemoryReservationPolicy", "string"},
                                                            {"KubeletAuthorizationMode", "string"}};
  if (go.starts_with("*")) go.erase(0, 1);
  if (go.starts_with("[]")) return "[]" + TypeOf(go.substr(2));
  if (go.starts_with("map[string]")) return "map:" + TypeOf(go.substr(11));
  const auto it = kNames.find(go);
  return it == kNames.end() ? go : it->second;
}

std::string TypeOf(const FieldSchema& field) {
  static const std::map<FieldKind, std::string> kNames = {{FieldKind::kString, "string"},
                                                          {FieldKind::kBool, "bool"},
                                                          {FieldKind::kInt32, "int32"},
                                                          {FieldKind::kInt64, "int64"},
                                                          {FieldKind::kFloat64, "float64"},
                                                          {FieldKind::kDuration, "duration"},
                                                          {FieldKind::kQuantity, "quantity"},
                                                          {FieldKind::kIntOrString, "intOrString"},
                                                          {FieldKind::kAny, "any"}};
  const std::string base = field.kind == FieldKind::kObject ? std::string(field.object) : kNames.at(field.kind);
  switch (field.shape) {
    case FieldShape::kOne:
      return base;
    case FieldShape::kList:
      return "[]" + base;
    case FieldShape::kMap:
      return "map:" + base;
    case FieldShape::kMapOfLists:
      return "map:[]" + base;
  }
  return "";
}

// Every field of the specification's table is in ours with its type, and ours has no other.
TEST(KubeletConfigSchema, AgreesWithTheSpecification) {
  std::ifstream file(std::string(PORTCULLIS_SOURCE_DIR) + "/../shared/docs/kubelet-config-fields.tsv");
  if (!file) GTEST_SKIP() << "specification not present";
  std::map<std::string, std::map<std::string, std::string>> specified;
  std::string line;
  while (std::getline(file, line)) {
    const auto columns = base::Split(line, '\t');
    if (columns.size() != 4 || columns[0] == "struct") continue;
    if (columns[1] == "(inline)") {
      specified[columns[0]]["apiVersion"] = "string";
      specified[columns[0]]["kind"] = "string";
    } else {
      specified[columns[0]][columns[1]] = TypeOf(columns[2]);
    }
  }
  for (const ObjectSchema& object : KubeletConfigSchema()) {
    std::map<std::string, std::string> ours;
    for (const FieldSchema& field : object.fields) ours[std::string(field.name)] = TypeOf(field);
    EXPECT_EQ(ours, specified[std::string(object.name)]) << object.name;
  }
}

}  // namespace
}  // namespace portcullis::k8s
