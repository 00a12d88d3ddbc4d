#include "runtime/store/store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "base/strings.h"

namespace portcullis::runtime {
namespace {

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = std::filesystem::temp_directory_path() / ("store-test-" + base::RandomHex(6));
    std::filesystem::create_directory(dir_);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::string Path() const { return dir_ / "state.db"; }
  std::unique_ptr<Store> Open() const {
    auto store = Store::Open(Path());
    EXPECT_TRUE(store) << store.error().message;
    return store ? std::move(store).value() : nullptr;
  }

  std::filesystem::path dir_;
};

SandboxRow FullSandbox(const std::string& id) {
  SandboxRow row;
  row.id = id;
  row.config.metadata = cri::PodSandboxMetadata{.name = "test-pod", .uid = "u1", .namespace_ = "default", .attempt = 2};
  row.config.labels = {{"io.kubernetes.pod.name", "test-pod"}};
  row.config.linux.emplace().security_context.emplace().seccomp.emplace();  // present and empty is RuntimeDefault
  row.runtime_handler = "runc";
  row.step = SandboxStep::kReady;
  row.created_at = 1795465559392865529;
  row.pid = 4242;
  row.image_id = "sha256:aa";
  row.netns_path = "/run/netns/x";
  row.ips = {"10.88.0.2", "fd00::2"};
  row.network_result = R"({"ips":[]})";
  row.cgroup_parent = "/kubepods/podu1";
  row.seccomp = "RuntimeDefault (containerd@2.2.4)";
  row.warnings = {"with \"quotes\"", "and\nlines"};
  return row;
}

ContainerRow FullContainer(const std::string& id, const std::string& sandbox) {
  ContainerRow row;
  row.id = id;
  row.sandbox_id = sandbox;
  row.config.metadata = cri::ContainerMetadata{.name = "web", .attempt = 1};
  row.config.envs = {{.key = "BYTES", .value = std::string("\x00\xff\x01", 3)}};
  row.step = ContainerStep::kExited;
  row.created_at = 1;
  row.started_at = 2;
  row.finished_at = 3;
  row.exit_code = 137;
  row.reason = "OOMKilled";
  row.message = "m";
  row.pid = 7;
  row.image_id = "sha256:bb";
  row.image_ref = "docker.io/library/nginx@sha256:cc";
  row.log_path = "/var/log/pods/x/web/1.log";
  row.stop_signal = "SIGQUIT";
  row.user = {.uid = 101, .gid = 101, .supplemental_groups = {101, 5}};
  row.seccomp = "Unconfined";
  row.warnings = {"w"};
  return row;
}

TEST_F(StoreTest, RowsComeBackAsTheyWentInAfterReopening) {
  const SandboxRow sandbox = FullSandbox("s1");
  const ContainerRow container = FullContainer("c1", "s1");
  {
    auto store = Open();
    ASSERT_TRUE(store->Add(sandbox));
    ASSERT_TRUE(store->Add(container));
  }
  auto store = Open();
  auto sandboxes = store->Sandboxes();
  ASSERT_TRUE(sandboxes) << sandboxes.error().message;
  ASSERT_EQ(sandboxes->size(), 1u);
  EXPECT_EQ(sandboxes->front(), sandbox);
  auto containers = store->Containers();
  ASSERT_TRUE(containers) << containers.error().message;
  ASSERT_EQ(containers->size(), 1u);
  EXPECT_EQ(containers->front(), container);
}

TEST_F(StoreTest, AbsentSeccompIsNotAnEmptyOne) {
  auto store = Open();
  SandboxRow row = FullSandbox("s1");
  row.config.linux->security_context->seccomp.reset();
  ASSERT_TRUE(store->Add(row));
  EXPECT_FALSE(store->Sandboxes()->front().config.linux->security_context->seccomp.has_value());
}

TEST_F(StoreTest, EveryStepIsKept) {
  auto store = Open();
  SandboxRow sandbox = FullSandbox("s1");
  ASSERT_TRUE(store->Add(sandbox));
  for (auto step : {SandboxStep::kCreating, SandboxStep::kReady, SandboxStep::kNotReady, SandboxStep::kRemoving}) {
    sandbox.step = step;
    ASSERT_TRUE(store->Update(sandbox));
    EXPECT_EQ(store->Sandboxes()->front().step, step);
  }
  ContainerRow container = FullContainer("c1", "s1");
  ASSERT_TRUE(store->Add(container));
  for (auto step : {ContainerStep::kCreating, ContainerStep::kCreated, ContainerStep::kRunning, ContainerStep::kExited,
                    ContainerStep::kRemoving}) {
    container.step = step;
    ASSERT_TRUE(store->Update(container));
    EXPECT_EQ(store->Containers()->front().step, step);
  }
}

TEST_F(StoreTest, SandboxNamesAreReservedUntilRemoval) {
  auto store = Open();
  ASSERT_TRUE(store->Add(FullSandbox("s1")));
  auto again = store->Add(FullSandbox("s2"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kAlreadyExists);
  EXPECT_EQ(again.error().message, "sandbox name \"test-pod_default_u1_2\" is reserved for \"s1\"");
  SandboxRow next_attempt = FullSandbox("s2");
  next_attempt.config.metadata->attempt = 3;
  EXPECT_TRUE(store->Add(next_attempt));
  ASSERT_TRUE(store->RemoveSandbox("s1"));
  EXPECT_TRUE(store->Add(FullSandbox("s3")));
}

TEST_F(StoreTest, ContainerNamesAreReservedPerSandbox) {
  auto store = Open();
  ASSERT_TRUE(store->Add(FullSandbox("s1")));
  SandboxRow other = FullSandbox("s2");
  other.config.metadata->uid = "u2";
  ASSERT_TRUE(store->Add(other));
  ASSERT_TRUE(store->Add(FullContainer("c1", "s1")));
  EXPECT_TRUE(store->Add(FullContainer("c2", "s2")));
  auto again = store->Add(FullContainer("c3", "s1"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kAlreadyExists);
  EXPECT_NE(again.error().message.find("reserved for \"c1\""), std::string::npos) << again.error().message;
}

TEST_F(StoreTest, ASandboxWithContainersStays) {
  auto store = Open();
  ASSERT_TRUE(store->Add(FullSandbox("s1")));
  ASSERT_TRUE(store->Add(FullContainer("c1", "s1")));
  EXPECT_EQ(store->RemoveSandbox("s1").error().code, Code::kFailedPrecondition);
  ASSERT_TRUE(store->RemoveContainer("c1"));
  EXPECT_TRUE(store->RemoveSandbox("s1"));
  EXPECT_TRUE(store->RemoveSandbox("s1")) << "removing what is absent is fine";
}

TEST_F(StoreTest, UpdatingWhatIsAbsentIsAnError) {
  auto store = Open();
  EXPECT_EQ(store->Update(FullSandbox("s1")).error().code, Code::kNotFound);
  EXPECT_EQ(store->Update(FullContainer("c1", "s1")).error().code, Code::kNotFound);
}

TEST_F(StoreTest, AContainerNeedsItsSandbox) {
  auto store = Open();
  EXPECT_FALSE(store->Add(FullContainer("c1", "nowhere")));
}

TEST_F(StoreTest, SettingsAndCgroups) {
  auto store = Open();
  EXPECT_EQ(*store->Setting("boot_id"), std::nullopt);
  ASSERT_TRUE(store->SetSetting("boot_id", "a"));
  ASSERT_TRUE(store->SetSetting("boot_id", "b"));
  EXPECT_EQ(*store->Setting("boot_id"), "b");
  ASSERT_TRUE(store->AddCgroup("/x"));
  ASSERT_TRUE(store->AddCgroup("/x"));
  ASSERT_TRUE(store->AddCgroup("/x/y"));
  EXPECT_EQ(*store->Cgroups(), (std::vector<std::string>{"/x", "/x/y"}));
  ASSERT_TRUE(store->RemoveCgroup("/x"));
  EXPECT_EQ(*store->Cgroups(), (std::vector<std::string>{"/x/y"}));
}

TEST_F(StoreTest, TheFileIsPrivate) {
  auto store = Open();
  struct stat st = {};
  ASSERT_EQ(::stat(Path().c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600u);
}

TEST_F(StoreTest, ADatabaseOfANewerProgramIsRefused) {
  {
    auto db = Database::Open(Path());
    ASSERT_TRUE(db);
    ASSERT_TRUE(db->Execute("PRAGMA user_version=99"));
  }
  auto store = Store::Open(Path());
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::kFailedPrecondition);
}

TEST_F(StoreTest, AFailedMigrationLeavesTheOldVersion) {
  auto db = Database::Open(Path());
  ASSERT_TRUE(db);
  const std::string_view steps[] = {"CREATE TABLE a(x TEXT)", "CREATE TABLE b(y TEXT); CREATE TABLE a(again TEXT)"};
  EXPECT_FALSE(db->Migrate(steps));
  auto version = db->Prepare("PRAGMA user_version");
  ASSERT_TRUE(version && version->Next());
  EXPECT_EQ(version->Number(0), 1);
  EXPECT_FALSE(db->Prepare("SELECT y FROM b")) << "the half of the failed step must be undone";
  EXPECT_TRUE(db->Prepare("SELECT x FROM a"));
}

TEST_F(StoreTest, ManyThreadsWriteAtOnce) {
  auto store = Open();
  ASSERT_TRUE(store->Add(FullSandbox("s")));
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&store, t] {
      for (int i = 0; i < 20; ++i) {
        ContainerRow row = FullContainer(fmt::format("c{}-{}", t, i), "s");
        row.config.metadata->name = row.id;
        EXPECT_TRUE(store->Add(row));
        row.step = ContainerStep::kRunning;
        EXPECT_TRUE(store->Update(row));
        if (i % 2 == 1) {
          EXPECT_TRUE(store->RemoveContainer(row.id));
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(store->Containers()->size(), 80u);
}

}  // namespace
}  // namespace portcullis::runtime
