#include "cli/crictl/verbs.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "base/document.h"
#include "base/files.h"
#include "cli/crictl/fake_runtime.h"

namespace portcullis::cli {
namespace {

using nlohmann::json;

constexpr int64_t kMinute = 60'000'000'000;
constexpr int64_t kNow = 1'795'465'559'000'000'000;

std::string Id(char c, int last = 0) { return std::string(63, c) + std::to_string(last); }

class Crictl : public testing::Test {
 protected:
  Crictl() {
    session_.now = [] { return kNow; };
    session_.pause = [](std::chrono::milliseconds) { return true; };
    AddPod(Id('d'), "test-pod", 3);
    AddContainer(Id('a'), "test-container-nginx", cri::ContainerState::kContainerRunning, 2);
    AddContainer(Id('b'), "test-container-redis", cri::ContainerState::kContainerRunning, 1);
    AddContainer(Id('a', 1), "done", cri::ContainerState::kContainerExited, 5);
    cri::Image& image = runtime_.images.emplace_back();
    image.id = "sha256:" + Id('e');
    image.repo_tags = {"docker.io/library/nginx:1.21"};
    image.repo_digests = {"docker.io/library/nginx@sha256:" + Id('f')};
    image.size = 6599469;
    cri::Image& pause = runtime_.images.emplace_back();
    pause.id = "sha256:" + Id('9');
    pause.repo_tags = {"registry.k8s.io/pause:3.10"};
    pause.size = 306598;
    pause.pinned = true;
  }

  void AddPod(const std::string& id, const std::string& name, int age_minutes) {
    cri::PodSandbox& pod = runtime_.pods.emplace_back();
    pod.id = id;
    pod.metadata = cri::PodSandboxMetadata{.name = name, .uid = "u", .namespace_ = "default", .attempt = 1};
    pod.created_at = kNow - age_minutes * kMinute;
  }

  void AddContainer(const std::string& id, const std::string& name, cri::ContainerState state, int age_minutes) {
    cri::Container& container = runtime_.containers.emplace_back();
    container.id = id;
    container.pod_sandbox_id = Id('d');
    container.metadata = cri::ContainerMetadata{.name = name};
    container.image.emplace().image = "docker.io/library/nginx:1.21";
    container.state = state;
    container.created_at = kNow - age_minutes * kMinute;
    container.labels = {{"io.kubernetes.pod.name", "test-pod"}, {"io.kubernetes.pod.namespace", "default"}};
    cri::ContainerStatusResponse response;
    cri::ContainerStatus& status = response.status.emplace();
    status.id = id;
    status.metadata = container.metadata;
    status.state = state;
    status.created_at = container.created_at;
    status.started_at = container.created_at;
    status.image = container.image;
    status.user.emplace().linux.emplace().supplemental_groups = {0};
    status.resources.emplace().linux.emplace();
    response.info["info"] =
        R"({"pid": 42, "runtimeSpec": {"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ERRNO"}}}})";
    response.info["plain"] = "\"text\"";
    runtime_.statuses[id] = response;
  }

  std::string Out() { return std::exchange(out_, std::ostringstream()).str(); }
  json OutJson() {
    auto parsed = base::ParseJson(Out(), "output");
    EXPECT_TRUE(parsed) << parsed.error().message;
    return parsed ? *parsed : json();
  }

  FakeRuntime runtime_;
  std::ostringstream out_;
  std::ostringstream err_;
  Session session_{.runtime = runtime_, .out = out_, .err = err_};
};

TEST_F(Crictl, PsPrintsTheTable) {
  ASSERT_TRUE(ListContainers(session_, {}));
  EXPECT_EQ(
      Out(),
      "CONTAINER           IMAGE                          CREATED              STATE               NAME           "
      "        "
      "ATTEMPT             POD ID              POD                 NAMESPACE\n"
      "bbbbbbbbbbbbb       docker.io/library/nginx:1.21   About a minute ago   Running             "
      "test-container-redis   "
      "0                   ddddddddddddd       test-pod            default\n"
      "aaaaaaaaaaaaa       docker.io/library/nginx:1.21   2 minutes ago        Running             "
      "test-container-nginx   "
      "0                   ddddddddddddd       test-pod            default\n");
}

struct SelectCase {
  std::string what;
  ContainerFilterOptions filter;
  std::vector<std::string> ids;
};

TEST_F(Crictl, PsQuietSelects) {
  const std::vector<SelectCase> cases = {
      {"running, newest first", {}, {Id('b'), Id('a')}},
      {"all", {.all = true}, {Id('b'), Id('a'), Id('a', 1)}},
      {"name is not anchored", {.name_pattern = "container-ng"}, {Id('a')}},
      {"name is an expression", {.name_pattern = "^test.*(redis|nginx)$"}, {Id('b'), Id('a')}},
      {"state in any case", {.state = "EXITED"}, {Id('a', 1)}},
      {"latest is of all states", {.state = "exited", .latest = true}, {Id('b')}},
      {"last n", {.last = 2}, {Id('b'), Id('a')}},
      {"last n of more", {.last = 9}, {Id('b'), Id('a'), Id('a', 1)}},
      {"id prefix", {.id = "aaa", .all = true}, {Id('a'), Id('a', 1)}},
      {"pod prefix", {.pod = "ddd"}, {Id('b'), Id('a')}},
      {"other pod", {.pod = "e"}, {}},
      {"label", {.labels = {"io.kubernetes.pod.name=test-pod"}}, {Id('b'), Id('a')}},
      {"other label", {.labels = {"a=b"}}, {}},
      {"namespace", {.namespace_pattern = "fault"}, {Id('b'), Id('a')}},
      {"other namespace", {.namespace_pattern = "kube"}, {}},
      {"image by id", {.image = "sha256:" + Id('e')}, {Id('b'), Id('a')}},
      {"unknown image", {.image = "nope"}, {}},
  };
  for (const SelectCase& item : cases) {
    ASSERT_TRUE(ListContainers(session_, {.filter = item.filter, .quiet = true})) << item.what;
    std::string expected;
    for (const std::string& id : item.ids) expected += id + "\n";
    EXPECT_EQ(Out(), expected) << item.what;
  }
}

TEST_F(Crictl, PsTellsWhatIsWrong) {
  EXPECT_EQ(ListContainers(session_, {.filter = {.state = "up"}}).error().message,
            "--state should be one of created, running, exited or unknown, not \"up\"");
  EXPECT_EQ(ListContainers(session_, {.filter = {.labels = {"a"}}}).error().message,
            "incorrectly specified label: a, expected key=value");
  EXPECT_TRUE(ListContainers(session_, {.filter = {.name_pattern = "("}})
                  .error()
                  .message.starts_with("invalid regular expression \"(\""));
  EXPECT_EQ(ListContainers(session_, {.output = {.format = "xml"}}).error().message,
            "unsupported output format \"xml\", use one of table, json, yaml, go-template");
  EXPECT_TRUE(ListContainers(session_, {.output = {.format = "go-template"}})
                  .error()
                  .message.starts_with("template string is empty"));
}

TEST_F(Crictl, PsInOtherForms) {
  ASSERT_TRUE(ListContainers(session_, {.output = {.format = "json"}}));
  const json list = OutJson();
  ASSERT_EQ(list["containers"].size(), 2u);
  EXPECT_EQ(list["containers"][0]["createdAt"], std::to_string(kNow - kMinute));
  EXPECT_EQ(list["containers"][0]["state"], "CONTAINER_RUNNING");
  EXPECT_EQ(list["containers"][0]["podSandboxId"], Id('d'));
  ASSERT_TRUE(ListContainers(session_, {.output = {.format = "yaml"}}));
  EXPECT_TRUE(Out().starts_with("containers:\n- annotations: {}\n"));
  ASSERT_TRUE(ListContainers(
      session_,
      {.output = {.format = "go-template", .template_text = "{{range .containers}}{{.metadata.name}};{{end}}"}}));
  EXPECT_EQ(Out(), "test-container-redis;test-container-nginx;\n");
}

// The words of the issue: crictl inspect ID | jq .info.runtimeSpec.linux.seccomp
TEST_F(Crictl, InspectInlinesInfo) {
  ASSERT_TRUE(InspectContainers(session_, {.inspect = {.ids = {"bb"}}}));
  const json one = OutJson();
  EXPECT_EQ(one["info"]["runtimeSpec"]["linux"]["seccomp"]["defaultAction"], "SCMP_ACT_ERRNO");
  EXPECT_EQ(one["plain"], "text");
  EXPECT_EQ(one["status"]["createdAt"], "2026-11-23T20:24:59Z");
  EXPECT_EQ(one["status"]["finishedAt"], "0001-01-01T00:00:00Z");
  ASSERT_TRUE(InspectContainers(session_, {.inspect = {.ids = {"bb", Id('a')}, .quiet = true}}));
  const json many = OutJson();
  ASSERT_TRUE(many.is_array());
  EXPECT_EQ(many[1]["status"]["id"], Id('a'));
  EXPECT_FALSE(many[0].contains("info"));
  ASSERT_TRUE(
      InspectContainers(session_, {.inspect = {.output = {.format = "table"}}, .filter = {.name_pattern = "redis"}}));
  EXPECT_TRUE(Out().starts_with("ID: " + Id('b') + "\nName: test-container-redis\nState: CONTAINER_RUNNING\n"));
}

TEST_F(Crictl, IdsResolve) {
  EXPECT_EQ(InspectContainers(session_, {.inspect = {.ids = {"aaa"}}}).error().message,
            "2 ids begin with \"aaa\", which is ambiguous: aaaaaaaaaaaaa, aaaaaaaaaaaaa");
  EXPECT_EQ(InspectContainers(session_, {.inspect = {.ids = {"c"}}}).error().code, Code::kNotFound);
  EXPECT_EQ(InspectContainers(session_, {.inspect = {.ids = {""}}}).error().message, "ID cannot be empty");
  EXPECT_EQ(InspectContainers(session_, {.inspect = {.ids = {Id('c')}}}).error().message,
            "get the status of container \"" + Id('c') + "\": container " + Id('c') + " not found");
}

// Every key that containerd and CRI-O show in a status is shown by us too.
void ExpectKeys(const json& sample, const json& ours, const std::string& path) {
  if (!sample.is_object()) return;
  for (const auto& [key, value] : sample.items()) {
    if (path.ends_with("/labels") || path.ends_with("/annotations")) continue;
    ASSERT_TRUE(ours.is_object() && ours.contains(key)) << path << "/" << key;
    ExpectKeys(value, ours[key], path + "/" + key);
  }
}

std::optional<json> Sample(const std::string& name) {
  const char* shared = std::getenv("PORTCULLIS_SHARED");
  const std::string root = shared != nullptr ? shared : PORTCULLIS_SOURCE_DIR "/../shared";
  const auto text = base::ReadFile(root + "/samples/" + name);
  if (!text) return std::nullopt;
  auto parsed = base::ParseJson(*text, name);
  EXPECT_TRUE(parsed) << name;
  return parsed ? std::optional<json>(*parsed) : std::nullopt;
}

TEST_F(Crictl, StatusHasTheKeysOfRealRuntimes) {
  const auto containerd = Sample("containerd/inspect-runtimedefault.json");
  if (!containerd) GTEST_SKIP() << "the samples are not there";
  ASSERT_TRUE(InspectContainers(session_, {.inspect = {.ids = {Id('a')}}}));
  const json inspect = OutJson();
  ExpectKeys((*containerd)["status"], inspect["status"], "containerd");
  if (const auto crio = Sample("crio/inspect-runtimedefault.json")) {
    ExpectKeys((*crio)["status"], inspect["status"], "crio");
  }
  ASSERT_TRUE(InspectPods(session_, {.inspect = {.ids = {"d"}}}));
  const json inspectp = OutJson();
  if (const auto sample = Sample("containerd/inspectp.json")) {
    ExpectKeys((*sample)["status"], inspectp["status"], "inspectp");
  }
  ASSERT_TRUE(ListImages(session_, {.output = {.format = "json"}}));
  const json images = OutJson();
  if (const auto sample = Sample("containerd/images.json")) {
    ExpectKeys((*sample)["images"][0], images["images"][0], "images");
  }
  ASSERT_TRUE(ShowImageFsInfo(session_, {}));
  const json fs = OutJson();
  if (const auto sample = Sample("containerd/imagefsinfo.json")) {
    ExpectKeys((*sample)["status"]["imageFilesystems"][0], fs["status"]["imageFilesystems"][0], "imagefsinfo");
    EXPECT_TRUE(fs["status"]["containerFilesystems"].is_array());
  }
}

TEST_F(Crictl, VersionAndRuntimeConfig) {
  ASSERT_TRUE(ShowVersion(session_, {}));
  EXPECT_EQ(Out(), "Version:  0.1.0\nRuntimeName:  fake\nRuntimeVersion:  1.2.3\nRuntimeApiVersion:  v1\n");
  ASSERT_TRUE(ShowRuntimeConfig(session_, {}));
  EXPECT_EQ(Out(), "cgroup driver:   CGROUPFS\n");
}

TEST_F(Crictl, InfoPutsTheRuntimesKeysAtTheTop) {
  runtime_.status_answer.status.emplace().conditions.push_back({.type = "RuntimeReady", .status = true});
  runtime_.status_answer.info = {{"config", R"({"a": 1})"}, {"golang", "go1.27"}};
  runtime_.status_answer.runtime_handlers.push_back({.name = "runc"});
  runtime_.status_answer.features.emplace().supplemental_groups_policy = true;
  ASSERT_TRUE(ShowInfo(session_, false, {}));
  EXPECT_EQ(OutJson(),
            json({{"config", {{"a", 1}}},
                  {"golang", "go1.27"},
                  {"features", {{"supplemental_groups_policy", true}}},
                  {"runtimeHandlers", json::array({{{"name", "runc"}}})},
                  {"status",
                   {{"conditions",
                     json::array({{{"message", ""}, {"reason", ""}, {"status", true}, {"type", "RuntimeReady"}}})}}}}));
}

TEST_F(Crictl, Pods) {
  ASSERT_TRUE(ListPods(session_, {}));
  EXPECT_EQ(Out(),
            "POD ID              CREATED             STATE               NAME                NAMESPACE           "
            "ATTEMPT       "
            "      RUNTIME\n"
            "ddddddddddddd       3 minutes ago       Ready               test-pod            default             1     "
            "        "
            "      (default)\n");
  ASSERT_TRUE(ListPods(session_, {.filter = {.name_pattern = "test-pod"}, .quiet = true}));
  EXPECT_EQ(Out(), Id('d') + "\n");
  ASSERT_TRUE(ListPods(session_, {.filter = {.state = "notready"}, .quiet = true}));
  EXPECT_EQ(Out(), "");
  ASSERT_TRUE(InspectPods(session_, {.inspect = {.ids = {"dd"}}}));
  const json pod = OutJson();
  EXPECT_TRUE(pod["info"]["runtimeSpec"]["linux"].contains("seccomp"));
  EXPECT_EQ(pod["status"]["network"]["ip"], "198.18.0.6");
}

TEST_F(Crictl, Images) {
  ASSERT_TRUE(ListImages(session_, {.digests = true}));
  EXPECT_EQ(Out(),
            "IMAGE                     TAG                 DIGEST              IMAGE ID            SIZE\n"
            "docker.io/library/nginx   1.21                fffffffffffff       eeeeeeeeeeeee       6.6MB\n"
            "registry.k8s.io/pause     3.10                <none>              9999999999999       307kB\n");
  EXPECT_EQ(InspectImages(session_, {.inspect = {.ids = {"nope"}}}).error().message, "no such image \"nope\" present");
  // The others are removed although one is not there.
  EXPECT_EQ(RemoveImages(session_, {.images = {"nope", "docker.io/library/nginx:1.21"}}).error().message,
            "no such image nope");
  EXPECT_EQ(Out(), "Deleted: docker.io/library/nginx:1.21\n");
  runtime_.images[0].repo_tags.clear();
  ASSERT_TRUE(RemoveImages(session_, {.images = {runtime_.images[0].id}}));
  EXPECT_EQ(Out(), "Deleted: docker.io/library/nginx@sha256:" + Id('f') + "\n");
  runtime_.images[0].repo_tags = {"docker.io/library/nginx:1.21"};
  runtime_.calls.clear();
  ASSERT_TRUE(RemoveImages(session_, {.prune = true}));  // one is in use, the other pinned
  EXPECT_TRUE(runtime_.calls.empty());
  ASSERT_TRUE(RemoveImages(session_, {.all = true}));
  EXPECT_EQ(runtime_.calls.size(), 2u);
}

TEST_F(Crictl, ImagesOnePerLineAndAsStatus) {
  runtime_.images[0].uid = cri::Int64Value{.value = 101};
  runtime_.images[1].username = "nobody";
  const std::string nginx = "ID: sha256:" + Id('e') + "\n";
  ASSERT_TRUE(ListImages(session_, {.verbose = true}));
  EXPECT_EQ(Out(), nginx + "RepoTags: docker.io/library/nginx:1.21\nRepoDigests: docker.io/library/nginx@sha256:" +
                       Id('f') + "\nSize: 6599469\nUid: 101\n\nID: sha256:" + Id('9') +
                       "\nRepoTags: registry.k8s.io/pause:3.10\nSize: 306598\nUsername: nobody\nPinned: true\n\n");
  ASSERT_TRUE(InspectImages(session_, {.inspect = {.output = {.format = "table"}}, .filters = {"reference=nginx"}}));
  EXPECT_EQ(Out(), nginx + "Tag: docker.io/library/nginx:1.21\nDigest: docker.io/library/nginx@sha256:" + Id('f') +
                       "\nSize: 6.6MB\n");
  EXPECT_EQ(InspectImages(session_, {.filters = {"dangling=true"}}).error().code, Code::kNotFound);
  ASSERT_TRUE(ShowImageFsInfo(session_, {.format = "table"}));
  EXPECT_EQ(Out(),
            "Container Filesystem \nImage Filesystem \nTimeStamp[0]: 1\nDisk[0]: 5B\nInodes[0]: 6\n"
            "Mountpoint[0]: /var/lib/x\n");
}

TEST_F(Crictl, ImageFilters) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"dangling=false"}, "eb9"},
      {{"dangling=true"}, ""},
      {{"reference=library/ng"}, "e"},
      {{"before=docker.io/library/nginx:1.21"}, "b9"},
      {{"since=registry.k8s.io/pause:3.10"}, "eb"},
      {{"since=999999"}, "eb"},
      {{"before=docker.io/library/nginx@sha256:fff"}, "b9"},
      {{"before=nope:1"}, "eb9"},
      {{"before=docker.io/library/nginx:1.21", "since=sha256:999"}, "b"},
  };
  cri::Image& middle = runtime_.images.emplace_back();
  middle.id = "sha256:" + Id('b');
  middle.repo_tags = {"docker.io/library/redis:6.2"};
  for (const auto& [filters, expected] : cases) {
    ASSERT_TRUE(ListImages(session_, {.filters = filters, .quiet = true}));
    std::string seen;
    std::istringstream lines(Out());
    for (std::string line; std::getline(lines, line);) seen += line[7];
    EXPECT_EQ(seen, expected) << filters[0];
  }
  EXPECT_EQ(ListImages(session_, {.filters = {"label=x"}}).error().message,
            "unknown filter \"label=x\", use dangling=, reference=, before= or since=");
}

TEST_F(Crictl, StopAndRemove) {
  ASSERT_TRUE(StopContainers(session_, {.ids = {"b"}, .grace_seconds = 5}));
  EXPECT_EQ(Out(), Id('b') + "\n");
  EXPECT_EQ(runtime_.calls, std::vector<std::string>{"StopContainer " + Id('b') + " 5"});
  const auto running = RemoveContainers(session_, {.ids = {"b"}});
  EXPECT_EQ(running.error().message, "container \"" + Id('b') + "\" is running, please stop it first (or use --force)");
  runtime_.calls.clear();
  ASSERT_TRUE(RemoveContainers(session_, {.ids = {"b"}, .force = true}));
  EXPECT_EQ(runtime_.calls, (std::vector<std::string>{"ContainerStatus " + Id('b'), "StopContainer " + Id('b') + " 0",
                                                      "RemoveContainer " + Id('b')}));
  EXPECT_FALSE(RemovePods(session_, {.ids = {"d"}}));
  Out();
  ASSERT_TRUE(RemovePods(session_, {.ids = {"d"}, .force = true}));
  EXPECT_EQ(Out(), "Stopped sandbox " + Id('d') + "\nRemoved sandbox " + Id('d') + "\n");
}

// One container that cannot be removed does not keep the others.
TEST_F(Crictl, RemoveAllGoesOnAfterAnError) {
  const auto removed = RemoveContainers(session_, {.all = true});
  ASSERT_FALSE(removed);
  EXPECT_EQ(Out(), Id('a', 1) + "\n");
  EXPECT_NE(removed.error().message.find("; "), std::string::npos);
}

TEST_F(Crictl, ExecSync) {
  runtime_.exec_answer = {.stdout = "out\n", .stderr = "err\n", .exit_code = 7};
  const auto code = Exec(session_, {.id = "b", .command = {"ls", "-l"}, .sync = true, .timeout_seconds = 3});
  ASSERT_TRUE(code);
  EXPECT_EQ(*code, 7);
  EXPECT_EQ(Out(), "out\n");
  EXPECT_EQ(err_.str(), "err\n");
  EXPECT_EQ(runtime_.calls, std::vector<std::string>{"ExecSync " + Id('b') + " ls 3"});
  EXPECT_EQ(Exec(session_, {.id = "b", .command = {"sh"}, .stream = {.transport = "udp"}}).error().message,
            "--transport=udp: expected spdy or websocket");
}

TEST_F(Crictl, ExecWhere) {
  runtime_.exec_answer = {.stdout = "out\n", .exit_code = 7};
  const auto code = Exec(session_, {.filter = {.name_pattern = "nginx|redis"}, .command = {"ls"}, .sync = true});
  ASSERT_TRUE(code) << code.error().message;
  EXPECT_EQ(*code, 7);
  EXPECT_EQ(Out(), Id('b') + ":\nout\n" + Id('a') + ":\nout\n");
  EXPECT_EQ(*Exec(session_,
                  {.filter = {.latest = true}, .quiet = true, .ignore_errors = true, .command = {"ls"}, .sync = true}),
            0);
  EXPECT_EQ(Out(), "out\n");
  const auto none = Exec(session_, {.filter = {.name_pattern = "nope"}, .command = {"ls"}, .sync = true});
  EXPECT_EQ(none.error().code, Code::kNotFound);
}

TEST_F(Crictl, RuntimeSettingsAndCheckpoints) {
  ASSERT_TRUE(UpdatePodCidr(session_, "10.1.0.0/24"));
  ASSERT_TRUE(CheckpointContainers(session_, {.ids = {"b"}, .archive = "/tmp/b.tar"}));
  EXPECT_EQ(Out(), Id('b') + "\n");
  EXPECT_EQ(runtime_.calls, (std::vector<std::string>{"UpdateRuntimeConfig 10.1.0.0/24",
                                                      "CheckpointContainer " + Id('b') + " /tmp/b.tar"}));
  EXPECT_EQ(CheckpointContainers(session_, {.ids = {"b"}}).error().message,
            "no destination given, use --export=/path/to/checkpoint.tar");
}

TEST_F(Crictl, EventsAndMetrics) {
  ASSERT_TRUE(ShowEvents(session_, {.format = "go-template", .template_text = "{{.containerId}}"}));
  EXPECT_EQ(Out(), "c1\nc2\n");
  EXPECT_FALSE(ShowEvents(session_, {.format = "table"}));
  ASSERT_TRUE(ShowMetricDescriptors(session_, {}));
  EXPECT_EQ(OutJson()["descriptors"][0]["name"], "container_memory_rss");
  ASSERT_TRUE(ShowPodMetrics(session_, false, {}));
  EXPECT_EQ(OutJson()["podMetrics"][0]["podSandboxId"], Id('d'));
  EXPECT_FALSE(ShowPodMetrics(session_, false, {.format = "table"}));
}

TEST_F(Crictl, StatsTakesTwoSamples) {
  cri::ContainerStats& stats = runtime_.stats.emplace_back();
  stats.attributes.emplace().id = Id('a');
  stats.attributes->metadata = cri::ContainerMetadata{.name = "web"};
  stats.cpu.emplace().usage_core_nano_seconds.emplace();
  stats.memory.emplace().working_set_bytes.emplace().value = 602112;
  ASSERT_TRUE(ShowContainerStats(session_, {}));
  EXPECT_EQ(Out(),
            "CONTAINER           NAME                CPU %               MEM                 DISK                "
            "INODES        "
            "      SWAP\n"
            "aaaaaaaaaaaaa       web                 10.00               602.1kB             0B                  0     "
            "        "
            "      0B\n");
}

class CrictlFiles : public Crictl {
 protected:
  CrictlFiles() {
    std::string pattern = (std::filesystem::temp_directory_path() / "crictl-test-XXXXXX").string();
    dir_ = mkdtemp(pattern.data());
  }
  ~CrictlFiles() override { std::filesystem::remove_all(dir_); }

  std::string File(const std::string& name, const std::string& text) {
    const std::string path = (dir_ / name).string();
    std::ofstream(path) << text;
    return path;
  }

  std::filesystem::path dir_;
};

TEST_F(CrictlFiles, CreateReadsFiles) {
  const std::string pod = File("pod.yaml", "metadata: {name: p, namespace: default}\nlog_directory: /tmp\nlinux: {}\n");
  const std::string container = File("container.json", R"({"metadata": {"name": "c"}, "image": {"image": "busybox"},
    "command": ["sleep", "1"], "envs": [{"key": "A", "value": "b c"}], "linux": {"security_context": {"seccomp": {"profile_type": 1}}}})");
  ASSERT_TRUE(CreateContainer(session_, {.pod = "d", .container_file = container, .pod_file = pod}));
  EXPECT_EQ(Out(), "newcontainer\n");
  const cri::ContainerConfig& config = *runtime_.created.config;
  ASSERT_EQ(config.envs.size(), 1u);
  EXPECT_EQ(config.envs[0].value, "b c");
  EXPECT_EQ(config.linux->security_context->seccomp->profile_type, cri::SecurityProfileProfileType::kUnconfined);
  EXPECT_EQ(config.image->user_specified_image, "busybox");
  EXPECT_FALSE(runtime_.created.sandbox_config->metadata->uid.empty());
  EXPECT_EQ(runtime_.created.pod_sandbox_id, Id('d'));
  ASSERT_TRUE(RunContainer(session_,
                           {.create = {.container_file = container, .pod_file = pod, .pull = PullPolicy::kIfAbsent}}));
  EXPECT_EQ(runtime_.calls,
            (std::vector<std::string>{"CreateContainer " + Id('d'), "RunPodSandbox p ", "PullImage busybox",
                                      "CreateContainer newpod", "StartContainer newcontainer"}));
  EXPECT_EQ(Out(), "newcontainer\n");
}

TEST_F(CrictlFiles, BadFilesAreTold) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{}", "metadata is not set"},
      {"metadata: {name: x}", "metadata has no name or no namespace"},
      {"[]", "expected an object"},
      {"metadata: {name: x, namespace: y}\nlogdir: z", "logdir"},
  };
  for (const auto& [text, part] : cases) {
    const auto run = RunPod(session_, {.config_file = File("pod.yaml", text)});
    ASSERT_FALSE(run) << text;
    EXPECT_NE(run.error().message.find(part), std::string::npos) << run.error().message;
  }
  EXPECT_EQ(RunPod(session_, {.config_file = "/nonexistent/x"}).error().code, Code::kNotFound);
}

constexpr char kLog[] =
    "2026-11-23T20:00:00.5Z stdout F one\n"
    "2026-11-23T20:00:01+00:00 stdout P tw\n"
    "2026-11-23T20:00:01.5Z stderr F problem\n"
    "2026-11-23T20:00:02Z stdout F o\n"
    "2026-11-23T20:00:03Z stdout F three\n";

class CrictlLogs : public CrictlFiles {
 protected:
  void Read(LogsOptions options, const std::string& name = "0.log") {
    options.id = "b";
    runtime_.statuses[Id('b')].status->log_path = (dir_ / name).string();
    const auto shown = ShowLogs(session_, options);
    EXPECT_TRUE(shown) << shown.error().message;
  }
};

TEST_F(CrictlLogs, JoinsPartialLinesAndSplitsStreams) {
  File("0.log", kLog);
  Read({});
  EXPECT_EQ(Out(), "one\ntwo\nthree\n");
  EXPECT_EQ(err_.str(), "problem\n");
}

TEST_F(CrictlLogs, Options) {
  File("0.log", kLog);
  const std::vector<std::pair<LogsOptions, std::string>> cases = {
      {{.tail = 1}, "three\n"},
      {{.tail = 0}, ""},
      {{.tail = 3}, "two\nthree\n"},
      {{.limit_bytes = 5}, "one\nt"},
      {{.since = "2026-11-23T20:00:02.5Z"}, "three\n"},
      {{.timestamps = true, .tail = 1}, "2026-11-23T20:00:03Z three\n"},
      {{.since = "1795464003"}, "three\n"},
      {{.stream = "stderr"}, ""},
      {{.stream = "stdout"}, "one\ntwo\nthree\n"},
      {{.reopen = true, .tail = 1}, "three\n"},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    Read(cases[i].first);
    EXPECT_EQ(Out(), cases[i].second) << "case " << i;
  }
  EXPECT_EQ(std::count(runtime_.calls.begin(), runtime_.calls.end(), "ReopenContainerLog " + Id('b')), 1);
  err_.str("");
  Read({.stream = "stdout"});
  EXPECT_EQ(err_.str(), "");
  EXPECT_FALSE(ShowLogs(session_, {.id = "b", .since = "yesterday"}));
  EXPECT_EQ(ShowLogs(session_, {.id = "b", .stream = "stdin"}).error().message,
            "invalid stream \"stdin\", must be \"stdout\" or \"stderr\"");
  EXPECT_FALSE(ShowLogs(session_, {.id = "b", .tail = 1, .stream = "stdout"}));
}

TEST_F(CrictlLogs, PreviousIsTheFileOfTheAttemptBefore) {
  File("0.log", "2026-11-23T20:00:00Z stdout F before\n");
  File("1.log", "2026-11-23T20:00:00Z stdout F now\n");
  runtime_.statuses[Id('b')].status->metadata->attempt = 1;
  Read({.previous = true}, "1.log");
  EXPECT_EQ(Out(), "before\n");
  runtime_.statuses[Id('b')].status->metadata->attempt = 0;
  EXPECT_EQ(ShowLogs(session_, {.id = "b", .previous = true}).error().code, Code::kNotFound);
}

// The container ends at the second look; what it wrote in between and in a rotated file is still shown.
TEST_F(CrictlLogs, FollowsThroughRotationToTheEnd) {
  File("0.log", "2026-11-23T20:00:00Z stdout F first\n");
  class Ending : public FakeRuntime {
   public:
    explicit Ending(const FakeRuntime& base) : FakeRuntime(base) {}
    std::filesystem::path log;
    int looks = 0;
    Result<cri::ContainerStatusResponse> ContainerStatus(const cri::ContainerStatusRequest& request) override {
      auto response = FakeRuntime::ContainerStatus(request);
      ++looks;
      if (looks == 2) {
        std::ofstream(log, std::ios::app) << "2026-11-23T20:00:01Z stdout F second\n";
        std::filesystem::rename(log, log.string() + ".1");
        std::ofstream(log) << "2026-11-23T20:00:02Z stdout F third\n";
      }
      if (looks >= 3) response->status->state = cri::ContainerState::kContainerExited;
      return response;
    }
  };
  Ending ending(runtime_);
  ending.log = dir_ / "0.log";
  ending.statuses[Id('b')].status->log_path = ending.log.string();
  Session session{.runtime = ending, .out = out_, .err = err_};
  ASSERT_TRUE(ShowLogs(session, {.id = "b", .follow = true}));
  EXPECT_EQ(Out(), "first\nsecond\nthird\n");
}

}  // namespace
}  // namespace portcullis::cli
