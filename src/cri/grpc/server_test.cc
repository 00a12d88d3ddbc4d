#include "cri/grpc/server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>

#include "base/files.h"
#include "base/unique_fd.h"
#include "cri/grpc/client.h"

namespace portcullis::cri {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// A runtime whose ExecSync, ListContainerStats and event stream last until they are released.
class SlowRuntime : public RuntimeApi {
 public:
  ~SlowRuntime() override { Release(); }

  Result<VersionResponse> Version(const VersionRequest&) override { return VersionResponse{.runtime_name = "slow"}; }
  Result<ExecSyncResponse> ExecSync(const ExecSyncRequest& request) override {
    Block();
    return ExecSyncResponse{.stdout = request.container_id};
  }
  Result<ListContainerStatsResponse> ListContainerStats(const ListContainerStatsRequest&) override {
    Block();
    return ListContainerStatsResponse{};
  }
  Result<StopContainerResponse> StopContainer(const StopContainerRequest& request) override {
    return Fail(Code::kNotFound, "container {}: not found", request.container_id);
  }
  Result<void> GetContainerEvents(const GetEventsRequest&, const Sink<ContainerEventResponse>& sink) override {
    for (const char* id : {"a", "b"}) {
      if (!sink({.container_id = id})) return {};
    }
    Block();
    return {};
  }

  void Release() {
    const std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }
  bool WaitBlocked(int calls) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(20), [&] { return blocked_ == calls; });
  }

 private:
  void Block() {
    std::unique_lock lock(mutex_);
    ++blocked_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return released_; });
    --blocked_;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  int blocked_ = 0;
  bool released_ = false;
};

class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = ::testing::TempDir() + "portcullis-server-XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    socket_ = folder_ + "/cri.sock";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Server> MustServe(size_t most_long_calls = 256) {
    auto server = Serve(api_, {.socket_path = socket_, .most_long_calls = most_long_calls});
    EXPECT_TRUE(server.has_value()) << server.error().message;
    return server ? std::move(*server) : nullptr;
  }
  std::unique_ptr<RuntimeApi> MustConnect() {
    auto client = Connect({.endpoint = socket_, .timeout = seconds(20)});
    EXPECT_TRUE(client.has_value()) << client.error().message;
    return client ? std::move(*client) : nullptr;
  }
  std::vector<std::string> Names() const { return base::ListDir(folder_).value(); }

  SlowRuntime api_;
  std::string folder_;
  std::string socket_;
};

std::future<Result<ExecSyncResponse>> Exec(RuntimeApi& client) {
  return std::async(std::launch::async, [&client] { return client.ExecSync({.container_id = "c1"}); });
}

// Listens there without ever accepting, and leaves the name behind.
base::UniqueFd Listen(const std::string& path) {
  base::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << std::strerror(errno);
  EXPECT_EQ(::listen(fd.get(), 1), 0);
  return fd;
}

TEST_F(ServerTest, LongCallsDoNotMakeShortOnesWait) {
  constexpr int kCalls = 40;
  const auto server = MustServe(kCalls);
  const auto client = MustConnect();
  ASSERT_TRUE(server && client);
  std::vector<std::future<Result<ExecSyncResponse>>> calls;
  for (int i = 0; i < kCalls; ++i) calls.push_back(Exec(*client));
  ASSERT_TRUE(api_.WaitBlocked(kCalls));

  const auto version = client->Version({});
  ASSERT_TRUE(version.has_value()) << version.error().message;
  EXPECT_EQ(version->runtime_name, "slow");
  const auto stop = client->StopContainer({.container_id = "c1"});
  ASSERT_FALSE(stop.has_value());
  EXPECT_EQ(stop.error().code, Code::kResourceExhausted) << "one long call too many: " << stop.error().message;

  api_.Release();
  for (auto& call : calls) {
    const auto result = call.get();
    ASSERT_TRUE(result.has_value()) << result.error().message;
    EXPECT_EQ(result->stdout, "c1");
  }
  const auto again = client->StopContainer({.container_id = "c1"});
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, Code::kNotFound) << again.error().message;
}

// A container with a million files, or a disk that does not answer: statistics wait for it, and nothing else does.
TEST_F(ServerTest, StatisticsMakeNothingElseWait) {
  constexpr int kCalls = 40;  // more than there are threads for them
  const auto server = MustServe();
  const auto client = MustConnect();
  ASSERT_TRUE(server && client);
  std::vector<std::future<Result<ListContainerStatsResponse>>> calls;
  for (int i = 0; i < kCalls; ++i) {
    calls.push_back(std::async(std::launch::async, [&client] { return client->ListContainerStats({}); }));
  }
  ASSERT_TRUE(api_.WaitBlocked(16));

  const auto version = client->Version({});
  EXPECT_TRUE(version.has_value()) << version.error().message;
  EXPECT_EQ(client->StopContainer({.container_id = "c1"}).error().code, Code::kNotFound);

  api_.Release();
  for (auto& call : calls) EXPECT_TRUE(call.get().has_value());
}

TEST_F(ServerTest, StopLetsARunningCallEnd) {
  const auto server = MustServe();
  const auto client = MustConnect();
  ASSERT_TRUE(server && client);
  auto call = Exec(*client);
  ASSERT_TRUE(api_.WaitBlocked(1));
  auto stopped = std::async(std::launch::async, [&server] { return server->Stop(seconds(20)); });
  EXPECT_EQ(stopped.wait_for(milliseconds(50)), std::future_status::timeout);
  api_.Release();
  EXPECT_TRUE(stopped.get());
  EXPECT_TRUE(call.get().has_value());
}

TEST_F(ServerTest, StopDoesNotWaitForABlockedCall) {
  const auto server = MustServe();
  const auto client = MustConnect();
  ASSERT_TRUE(server && client);
  auto call = Exec(*client);
  ASSERT_TRUE(api_.WaitBlocked(1));
  const auto start = steady_clock::now();
  EXPECT_FALSE(server->Stop(milliseconds(100)));
  EXPECT_LT(steady_clock::now() - start, seconds(10));
  const auto result = call.get();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Code::kUnavailable) << result.error().message;
  EXPECT_FALSE(server->Stop(milliseconds(0))) << "the thread is still inside";
  api_.Release();
  while (!server->Stop(milliseconds(0))) {
  }
}

TEST_F(ServerTest, StopDoesNotWaitForAStream) {
  const auto server = MustServe();
  const auto client = MustConnect();
  ASSERT_TRUE(server && client);
  std::vector<std::string> seen;
  std::promise<void> seen_both;
  auto stream = std::async(std::launch::async, [&] {
    return client->GetContainerEvents({}, [&](const ContainerEventResponse& event) {
      seen.push_back(event.container_id);
      if (seen.size() == 2) seen_both.set_value();
      return true;
    });
  });
  ASSERT_EQ(seen_both.get_future().wait_for(seconds(20)), std::future_status::ready);
  ASSERT_TRUE(api_.WaitBlocked(1));
  const auto start = steady_clock::now();
  EXPECT_FALSE(server->Stop(milliseconds(100)));
  EXPECT_LT(steady_clock::now() - start, seconds(10));
  EXPECT_FALSE(stream.get().has_value());
  EXPECT_EQ(seen, (std::vector<std::string>{"a", "b"}));
  api_.Release();
}

TEST_F(ServerTest, AClientThatHasGoneDoesNotEndTheWork) {
  const auto server = MustServe();
  {
    const auto client = Connect({.endpoint = socket_, .timeout = milliseconds(100)});
    ASSERT_TRUE(client.has_value());
    const auto result = (*client)->ExecSync({.container_id = "c1", .timeout = 1});
    ASSERT_FALSE(result.has_value());
  }
  ASSERT_TRUE(api_.WaitBlocked(1));
  api_.Release();
  EXPECT_TRUE(server->Stop(seconds(20)));
}

TEST_F(ServerTest, TheSocketHasItsModeAndNothingIsLeftBesideIt) {
  const mode_t mask = ::umask(0);
  const auto server = MustServe();
  ::umask(mask);
  ASSERT_TRUE(server);
  struct stat info{};
  ASSERT_EQ(::lstat(socket_.c_str(), &info), 0);
  EXPECT_TRUE(S_ISSOCK(info.st_mode));
  EXPECT_EQ(info.st_mode & 07777, 0660u);
  EXPECT_EQ(info.st_uid, ::geteuid());
  struct stat folder{};
  ASSERT_EQ(::stat(folder_.c_str(), &folder), 0);
  EXPECT_EQ(info.st_gid, (folder.st_mode & S_ISGID) != 0 ? folder.st_gid : ::getegid());
  EXPECT_EQ(Names(), std::vector<std::string>{"cri.sock"});
  EXPECT_TRUE(server->Stop());
  EXPECT_EQ(Names(), std::vector<std::string>{});
}

TEST_F(ServerTest, AStaleSocketIsReplaced) {
  Listen(socket_).Reset();
  ASSERT_TRUE(base::Exists(socket_));
  const auto server = MustServe();
  const auto client = MustConnect();
  ASSERT_TRUE(server && client);
  EXPECT_TRUE(client->Version({}).has_value());
  EXPECT_EQ(Names(), std::vector<std::string>{"cri.sock"});
}

TEST_F(ServerTest, ALivingServerIsRefused) {
  const auto server = MustServe();
  ASSERT_TRUE(server);
  const auto second = Serve(api_, {.socket_path = socket_});
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Code::kFailedPrecondition) << second.error().message;
  const auto client = MustConnect();
  ASSERT_TRUE(client);
  EXPECT_TRUE(client->Version({}).has_value());
  EXPECT_EQ(Names(), std::vector<std::string>{"cri.sock"});
}

TEST_F(ServerTest, AServerThatIsBehindWithAcceptingIsALivingOne) {
  const base::UniqueFd other = Listen(socket_);
  std::vector<std::unique_ptr<base::UniqueFd>> waiting;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket_.c_str(), sizeof address.sun_path - 1);
  do {
    waiting.push_back(
        std::make_unique<base::UniqueFd>(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
  } while (::connect(waiting.back()->get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  const auto server = Serve(api_, {.socket_path = socket_});
  ASSERT_FALSE(server.has_value());
  EXPECT_EQ(server.error().code, Code::kFailedPrecondition) << server.error().message;
}

TEST_F(ServerTest, WhatIsNoSocketIsLeftAlone) {
  std::ofstream(socket_) << "text";
  const auto server = Serve(api_, {.socket_path = socket_});
  ASSERT_FALSE(server.has_value());
  EXPECT_EQ(server.error().code, Code::kFailedPrecondition) << server.error().message;
  EXPECT_EQ(base::ReadFile(socket_).value(), "text");
}

TEST_F(ServerTest, StopLeavesTheSocketOfASuccessor) {
  const auto server = MustServe();
  ASSERT_TRUE(server);
  ASSERT_EQ(::rename(socket_.c_str(), (socket_ + ".old").c_str()), 0);
  const base::UniqueFd successor = Listen(socket_);
  EXPECT_TRUE(server->Stop());
  EXPECT_TRUE(base::Exists(socket_));
}

TEST_F(ServerTest, APathThatNoClientCanNameIsRefused) {
  const auto server = Serve(api_, {.socket_path = folder_ + "/" + std::string(120, 'x')});
  ASSERT_FALSE(server.has_value());
  EXPECT_EQ(server.error().code, Code::kInvalidArgument);
  EXPECT_EQ(Names(), std::vector<std::string>{});
}

}  // namespace
}  // namespace portcullis::cri
