#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "base/files.h"
#include "insight/moments/announcer.h"
#include "insight/moments/listener.h"
#include "insight/moments/moment.h"

namespace portcullis::insight {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Moment, ComesBackAsItWasWritten) {
  for (const Moment& moment :
       {Moment{.kind = MomentKind::kCreated, .id = "a", .bundle = "/b", .pid = 7, .cgroup = "/c"},
        Moment{.kind = MomentKind::kStopping, .id = "a", .signal = 15},
        Moment{.kind = MomentKind::kExit, .id = "a", .exit_code = 137}}) {
    const auto parsed = ParseMoment(FormatMoment(moment));
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(*parsed, moment);
  }
}

TEST(Moment, BadOnesAreRefusedByField) {
  const auto why = [](std::string_view text) {
    const auto parsed = ParseMoment(text);
    return parsed ? std::string() : parsed.error().message;
  };
  EXPECT_THAT(why(""), HasSubstr("moment"));
  EXPECT_THAT(why("[]"), HasSubstr("is not an object"));
  EXPECT_THAT(why("{}"), HasSubstr("moment: want a string"));
  EXPECT_THAT(why(R"({"moment":"born","id":"a"})"), HasSubstr("\"born\" is not known"));
  EXPECT_THAT(why(R"({"moment":"exit","exitCode":0})"), HasSubstr("id: want a string"));
  EXPECT_THAT(why(R"({"moment":"exit","id":"a","exitCode":256})"), HasSubstr("exitCode"));
  EXPECT_THAT(why(R"({"moment":"exit","id":"a","exitCode":-1})"), HasSubstr("exitCode"));
  EXPECT_THAT(why(R"({"moment":"stopping","id":"a","signal":"TERM"})"), HasSubstr("signal"));
  EXPECT_THAT(why(R"({"moment":"created","id":"a","bundle":"/b","cgroup":"/c","pid":1e30})"), HasSubstr("pid"));
  EXPECT_THAT(why(std::string(kMaxMomentBytes + 1, ' ')), HasSubstr("longer than"));
}

class Sockets : public testing::Test {
 protected:
  Sockets() {
    std::string name = testing::TempDir() + "/mo-XXXXXX";
    root_ = ::mkdtemp(name.data());
  }
  ~Sockets() override { std::filesystem::remove_all(root_); }

  std::string Folder() const { return root_ + "/recorders"; }
  std::vector<std::string> Names() const { return base::ListDir(Folder()).value_or(std::vector<std::string>{}); }

  std::string root_;
};

// Takes what comes until `count` moments were seen.
std::thread TakeAll(const MomentListener& listener, std::vector<std::string>& ids, size_t count) {
  return std::thread([&listener, &ids, count] {
    while (ids.size() < count) {
      pollfd ready{.fd = listener.fd(), .events = POLLIN, .revents = 0};
      ::poll(&ready, 1, -1);
      listener.Take([&ids](const Moment& moment) { ids.push_back(moment.id); }, {});
    }
  });
}

TEST_F(Sockets, WithoutRecordersNothingHappens) {
  MomentAnnouncer(Folder()).OnExit({.id = "a"});
  EXPECT_FALSE(base::Exists(Folder()));
}

TEST_F(Sockets, TheRuntimeGoesOnWhenTheRecorderIsReady) {
  auto listener = MomentListener::Bind(Folder());
  ASSERT_TRUE(listener) << listener.error().message;
  std::vector<std::string> ids;
  std::thread taker = TakeAll(*listener, ids, 3);
  MomentAnnouncer announcer(Folder(), std::chrono::minutes(1));
  announcer.OnCreated({.id = "a", .bundle = "/b", .pid = 1, .cgroup = "/c"});
  announcer.OnStopping({.id = "b", .signal = 15});
  announcer.OnExit({.id = "c"});
  taker.join();
  EXPECT_THAT(ids, ElementsAre("a", "b", "c"));
}

TEST_F(Sockets, ARecorderThatDoesNotAnswerIsNotWaitedForLongAndKnows) {
  auto listener = MomentListener::Bind(Folder());
  ASSERT_TRUE(listener);
  MomentAnnouncer(Folder(), std::chrono::milliseconds(1))
      .OnCreated({.id = "a", .bundle = "/b", .pid = 1, .cgroup = "/c"});
  std::vector<std::string> late;
  listener->Take([](const Moment&) {}, [&late](const Moment& moment) { late.push_back(moment.id); });
  EXPECT_THAT(late, ElementsAre("a"));
}

TEST_F(Sockets, SocketsOfDeadRecordersAreRemoved) {
  std::string left;
  {
    auto listener = MomentListener::Bind(Folder());
    ASSERT_TRUE(listener);
    ASSERT_EQ(Names().size(), 1u);
    left = Folder() + "/1.sock";
    // As one that was killed leaves it: a socket that nobody listens on.
    ASSERT_EQ(::link((Folder() + "/" + Names()[0]).c_str(), left.c_str()), 0);
  }
  EXPECT_THAT(Names(), ElementsAre("1.sock"));
  MomentAnnouncer(Folder()).OnExit({.id = "a"});
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(Sockets, WhereNoRuntimeIsThereIsNothingToHear) {
  const auto listener = MomentListener::Bind(root_ + "/none/recorders");
  ASSERT_FALSE(listener);
  EXPECT_THAT(listener.error().message, HasSubstr("is a node or runtime running?"));
}

TEST_F(Sockets, NobodyElseMayReachTheFolder) {
  const auto listener = MomentListener::Bind(Folder());
  ASSERT_TRUE(listener);
  EXPECT_EQ(std::filesystem::status(Folder()).permissions(), std::filesystem::perms::owner_all);
}

}  // namespace
}  // namespace portcullis::insight
