#include "runtime/service/registry.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "base/files.h"
#include "base/strings.h"

namespace portcullis::runtime {
namespace {

class RegistryTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = testing::TempDir() + "portcullis-registry-" + base::RandomHex(6);
    ASSERT_TRUE(base::MakeDirs(dir_));
    auto store = Store::Open(dir_ + "/state.db");
    ASSERT_TRUE(store) << store.error().message;
    auto registry = Registry::Load(std::move(*store));
    ASSERT_TRUE(registry) << registry.error().message;
    registry_ = std::move(*registry);
  }
  void TearDown() override {
    registry_.reset();
    EXPECT_TRUE(base::RemoveTree(dir_));
  }

  std::string dir_;
  std::unique_ptr<Registry> registry_;
};

TEST_F(RegistryTest, LocksOfPodsAreForgottenWhenNobodyHoldsThem) {
  {
    const PodLock one = registry_->LockPod("one");
    for (int i = 0; i < 100; ++i) registry_->LockPod("passing-" + std::to_string(i));
    const PodLock two = registry_->LockPod("two");
    EXPECT_EQ(registry_->LockedPods(), 2u);
  }
  EXPECT_EQ(registry_->LockedPods(), 0u);
}

TEST_F(RegistryTest, AHeldPodIsNotWaitedFor) {
  {
    const PodLock held = registry_->LockPod("one");
    std::thread([&] { EXPECT_FALSE(registry_->TryLockPod("one")); }).join();
    EXPECT_TRUE(registry_->TryLockPod("two"));
  }
  EXPECT_TRUE(registry_->TryLockPod("one"));
  EXPECT_EQ(registry_->LockedPods(), 0u);
}

// A disk that does not answer for a while: here, a database that somebody else has locked.
TEST_F(RegistryTest, WhoReadsDoesNotWaitForTheDisk) {
  SandboxRow row;
  row.id = "one";
  ASSERT_TRUE(registry_->Add(row));
  auto other = Database::Open(dir_ + "/state.db");
  ASSERT_TRUE(other) << other.error().message;
  ASSERT_TRUE(other->Execute("BEGIN IMMEDIATE"));
  auto change = std::async(std::launch::async, [&] {
    return registry_->ChangeSandbox("one", [](SandboxRow& changing) { changing.step = SandboxStep::kReady; })
        .has_value();
  });
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(registry_->Sandbox("one")->step, SandboxStep::kCreating);
    EXPECT_FALSE(registry_->LockPod("one").IsHeld() && registry_->Sandboxes().empty());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(change.wait_for(std::chrono::seconds(0)), std::future_status::timeout) << "it waits for the disk";
  ASSERT_TRUE(other->Execute("COMMIT"));
  EXPECT_TRUE(change.get());
  EXPECT_EQ(registry_->Sandbox("one")->step, SandboxStep::kReady);
}

TEST_F(RegistryTest, OneAtATimeInAPod) {
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        const PodLock lock = registry_->LockPod("pod");
        most = std::max<int>(most, ++inside);
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(most, 1);
}

}  // namespace
}  // namespace portcullis::runtime
