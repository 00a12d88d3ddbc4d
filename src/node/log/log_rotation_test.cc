#include "node/log/log_rotation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/files.h"

namespace portcullis::node {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kNow = 1'796'058'900 * kSecond;  // 2026-11-30T17:15:00Z

// Running containers whose logs are files; reopening makes an empty one.
class Logs : public cri::RuntimeApi {
 public:
  Result<cri::ListContainersResponse> ListContainers(const cri::ListContainersRequest& request) override {
    if (down) return Fail(Code::kUnavailable, "nobody answers");
    EXPECT_EQ(request.filter->state->state, cri::ContainerState::kContainerRunning);
    cri::ListContainersResponse response;
    for (const auto& [id, path] : paths) response.containers.push_back({.id = id});
    return response;
  }
  Result<cri::ContainerStatusResponse> ContainerStatus(const cri::ContainerStatusRequest& request) override {
    ++asked;
    cri::ContainerStatusResponse response;
    response.status.emplace().log_path = paths.at(request.container_id);
    return response;
  }
  Result<cri::ReopenContainerLogResponse> ReopenContainerLog(const cri::ReopenContainerLogRequest& request) override {
    if (request.container_id == stuck) return Fail(Code::kDeadlineExceeded, "conmon does not answer");
    reopened.push_back(request.container_id);
    EXPECT_TRUE(base::WriteFileAtomic(paths.at(request.container_id), ""));
    return cri::ReopenContainerLogResponse{};
  }

  bool down = false;
  std::map<std::string, std::string> paths;
  std::string stuck;
  std::vector<std::string> reopened;
  int asked = 0;
};

class LogRotationTest : public testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/portcullis-rotation-XXXXXX";
    ASSERT_NE(::mkdtemp(folder), nullptr);
    folder_ = folder;
  }
  void TearDown() override { ASSERT_TRUE(base::RemoveTree(folder_)); }

  void Add(const std::string& id) {
    runtime_.paths[id] = folder_ + "/" + id + "/0.log";
    ASSERT_TRUE(base::MakeDirs(folder_ + "/" + id));
    Fill(id, "");
  }
  void Fill(const std::string& id, const std::string& text) {
    ASSERT_TRUE(base::WriteFileAtomic(runtime_.paths[id], text));
  }
  std::vector<std::string> Names(const std::string& id) const { return base::ListDir(folder_ + "/" + id).value(); }

  std::string folder_;
  Logs runtime_;
  LogRotation rotation_{{.max_bytes = 100, .max_files = 4}, runtime_};
};

TEST_F(LogRotationTest, AFullLogIsRenamedAndOthersAreLeftAlone) {
  Add("full");
  Add("small");
  Fill("full", std::string(100, 'f'));
  Fill("small", std::string(99, 's'));
  ASSERT_TRUE(rotation_.Rotate(kNow));
  EXPECT_THAT(Names("full"), ElementsAre("0.log", "0.log.20261130-171500"));
  EXPECT_THAT(Names("small"), ElementsAre("0.log"));
  EXPECT_THAT(runtime_.reopened, ElementsAre("full"));
  ASSERT_TRUE(rotation_.Rotate(kNow + kSecond));
  EXPECT_EQ(runtime_.asked, 2) << "a log's path is asked for once";
}

TEST_F(LogRotationTest, NeverMoreFilesThanAskedFor) {
  Add("c");
  for (int i = 0; i < 6; ++i) {
    Fill("c", std::string(200, static_cast<char>('0' + i)));
    ASSERT_TRUE(rotation_.Rotate(kNow + i * kSecond));
  }
  EXPECT_THAT(Names("c"),
              ElementsAre("0.log", "0.log.20261130-171503.gz", "0.log.20261130-171504.gz", "0.log.20261130-171505"));
}

TEST_F(LogRotationTest, TwiceInASecondLosesNothing) {
  Add("c");
  Fill("c", std::string(100, 'a'));
  ASSERT_TRUE(rotation_.Rotate(kNow));
  Fill("c", std::string(100, 'b'));
  ASSERT_TRUE(rotation_.Rotate(kNow));
  EXPECT_THAT(Names("c"), ElementsAre("0.log", "0.log.20261130-171500"));
  EXPECT_EQ(base::ReadFile(folder_ + "/c/0.log.20261130-171500").value().front(), 'a');
}

TEST_F(LogRotationTest, WhatCannotBeReopenedKeepsItsLog) {
  Add("stuck");
  Add("well");
  runtime_.stuck = "stuck";
  for (const char* id : {"stuck", "well"}) Fill(id, std::string(100, 'x'));
  ASSERT_TRUE(rotation_.Rotate(kNow));
  EXPECT_THAT(Names("stuck"), ElementsAre("0.log"));
  EXPECT_EQ(base::ReadFile(runtime_.paths["stuck"]).value().size(), 100u);
  EXPECT_THAT(runtime_.reopened, ElementsAre("well"));
}

TEST_F(LogRotationTest, ALogThatIsNotThereIsReopened) {
  Add("c");
  ASSERT_TRUE(base::RemoveTree(runtime_.paths["c"]));
  ASSERT_TRUE(rotation_.Rotate(kNow));
  EXPECT_THAT(Names("c"), ElementsAre("0.log"));
}

TEST_F(LogRotationTest, WhatIsNoRegularFileStays) {
  Add("c");
  Add("none");
  runtime_.paths["none"] = "";
  ASSERT_TRUE(base::WriteFileAtomic(folder_ + "/c/elsewhere", std::string(200, 'x')));
  ASSERT_TRUE(base::RemoveTree(runtime_.paths["c"]));
  ASSERT_EQ(::symlink("elsewhere", runtime_.paths["c"].c_str()), 0);
  ASSERT_TRUE(rotation_.Rotate(kNow));
  EXPECT_THAT(Names("c"), ElementsAre("0.log", "elsewhere"));
  EXPECT_THAT(runtime_.reopened, IsEmpty());
}

TEST_F(LogRotationTest, ARuntimeThatIsDownIsAnError) {
  runtime_.down = true;
  EXPECT_EQ(rotation_.Rotate(kNow).error().message, "nobody answers");
}

}  // namespace
}  // namespace portcullis::node
