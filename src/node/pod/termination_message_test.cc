#include "node/pod/termination_message.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "node/pod/cri_config.h"

namespace portcullis::node {
namespace {

class TerminationMessageTest : public ::testing::Test {
 protected:
  TerminationMessageTest()
      : dir_(std::filesystem::temp_directory_path().string() + "/termination-" + std::to_string(::getpid())) {
    std::filesystem::create_directories(dir_ + "/root/pods/u/containers/c");
    std::filesystem::create_directories(dir_ + "/logs/p/c");
    settings_.root_dir = dir_ + "/root";
    settings_.pod_logs_dir = dir_ + "/logs";
    status_.annotations[std::string(kTerminationPathAnnotation)] = "/dev/termination-log";
    status_.exit_code = 1;
    Mount(dir_ + "/root/pods/u/containers/c/x");
    status_.log_path = dir_ + "/logs/p/c/0.log";
  }
  ~TerminationMessageTest() override { std::filesystem::remove_all(dir_); }

  void Mount(const std::string& host_path) {
    cri::Mount mount;
    mount.container_path = "/dev/termination-log";
    mount.host_path = host_path;
    status_.mounts = {mount};
  }
  static void Write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }
  void FallBack() { status_.annotations[std::string(kTerminationPolicyAnnotation)] = "FallbackToLogsOnError"; }

  std::string dir_;
  PodSettings settings_;
  cri::ContainerStatus status_;
};

TEST_F(TerminationMessageTest, ReadsTheStartOfTheLog) {
  EXPECT_EQ(TerminationMessage(status_, settings_), "");
  Write(dir_ + "/root/pods/u/containers/c/x", std::string(5000, 'm'));
  EXPECT_EQ(TerminationMessage(status_, settings_), std::string(4096, 'm'));
}

TEST_F(TerminationMessageTest, ReadsNothingOutsideTheNodesFolders) {
  Write(dir_ + "/secret", "s");
  for (const std::string& path : {dir_ + "/secret", dir_ + "/root/pods/../../secret"}) {
    Mount(path);
    EXPECT_EQ(TerminationMessage(status_, settings_), "");
  }
  std::filesystem::create_symlink(dir_ + "/secret", dir_ + "/root/pods/u/containers/c/link");
  Mount(dir_ + "/root/pods/u/containers/c/link");
  EXPECT_EQ(TerminationMessage(status_, settings_), "");
}

TEST_F(TerminationMessageTest, FallsBackToTheLogOnlyAfterAnError) {
  Write(status_.log_path,
        "2026-11-23T20:00:00.1Z stdout F one\n2026-11-23T20:00:00.2Z stderr P tw\n2026-11-23T20:00:00.3Z stderr F o\n");
  EXPECT_EQ(TerminationMessage(status_, settings_), "");
  FallBack();
  EXPECT_EQ(TerminationMessage(status_, settings_), "one\ntwo\n");
  status_.exit_code = 0;
  EXPECT_EQ(TerminationMessage(status_, settings_), "");
}

TEST(TailOfCriLog, KeepsTheLastLines) {
  std::string log;
  for (int i = 0; i < 100; ++i) log += "t stdout F line" + std::to_string(i) + "\n";
  std::string tail = TailOfCriLog(log);
  EXPECT_TRUE(tail.starts_with("line20\n")) << tail.substr(0, 20);
  EXPECT_EQ(TailOfCriLog("t stdout F " + std::string(3000, 'x') + "\n").size(), 2048u);
  EXPECT_EQ(TailOfCriLog("garbage\n\n"), "");
}

}  // namespace
}  // namespace portcullis::node
