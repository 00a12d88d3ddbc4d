#include "host/filter/filters.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "base/files.h"

namespace portcullis::host {
namespace {

bpf::Program Deny(uint32_t number, uint32_t error) {
  return {{bpf::kLoad, 0, 0, bpf::kNrOffset},
          {bpf::kJumpEq, 0, 1, number},
          {bpf::kReturn, 0, 0, 0x00050000 | error},
          {bpf::kReturn, 0, 0, 0x7fff0000}};
}

// A child that does `work`, says so, and then waits in read() until its parent lets go.
class Child {
 public:
  explicit Child(const std::function<bool()>& work) {
    int to_child[2], to_parent[2];
    EXPECT_EQ(::pipe(to_child), 0);
    EXPECT_EQ(::pipe(to_parent), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::alarm(20);
      ::close(to_child[1]);
      char answer = work() ? 'y' : 'n';
      if (::write(to_parent[1], &answer, 1) != 1) ::_exit(1);
      const bool told = ::read(to_child[0], &answer, 1) == 0;
      ::_exit(told ? 7 : 1);
    }
    ::close(to_child[0]);
    ::close(to_parent[1]);
    go_ = to_child[1];
    char answer = 0;
    ready_ = ::read(to_parent[0], &answer, 1) == 1 && answer == 'y';
    ::close(to_parent[0]);
  }
  ~Child() {
    if (pid_ > 0) End();
  }
  // Its exit code once it may go on: 7 when nothing disturbed its read().
  int End() {
    ::close(go_);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  pid_t pid() const { return pid_; }
  bool ready() const { return ready_; }

 private:
  pid_t pid_ = -1;
  int go_ = -1;
  bool ready_ = false;
};

bool MayReadFilters() { return ::geteuid() == 0; }

TEST(Install, DeniesInTheKernel) {
  Child child([] {
    if (!Install(Deny(SYS_getppid, EXDEV), 0)) return false;
    return ::syscall(SYS_getppid) == -1 && errno == EXDEV && ::syscall(SYS_getpid) > 0;
  });
  EXPECT_TRUE(child.ready());
}

TEST(Install, RefusesWhatTheCheckRefuses) {
  const auto refused = Install(bpf::Program{{bpf::kReturn, 0, 0, 0}, {bpf::kLoad, 0, 0, 3}}, 0);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
}

TEST(ReadFilters, NewestFirstAndTheProcessGoesOn) {
  if (!MayReadFilters()) GTEST_SKIP() << "needs root";
  const bpf::Program first = Deny(SYS_getppid, EXDEV);
  const bpf::Program second = Deny(SYS_getuid, ENOSYS);
  Child child([&] { return Install(first, 0) && Install(second, 0); });
  ASSERT_TRUE(child.ready());
  for (int round = 0; round < 3; ++round) {
    const auto filters = ReadFilters(child.pid());
    ASSERT_TRUE(filters) << filters.error().message;
    ASSERT_EQ(filters->size(), 2U);
    EXPECT_EQ((*filters)[0], second);
    EXPECT_EQ((*filters)[1], first);
  }
  EXPECT_EQ(child.End(), 7) << "its read() was disturbed";
}

TEST(ReadFilters, NoneIsAnEmptyList) {
  Child child([] { return true; });
  const auto filters = ReadFilters(child.pid());
  ASSERT_TRUE(filters) << filters.error().message;
  EXPECT_TRUE(filters->empty());
}

TEST(ReadFilters, AStoppedProcessStaysStopped) {
  if (!MayReadFilters()) GTEST_SKIP() << "needs root";
  Child child([] { return static_cast<bool>(Install(Deny(SYS_getppid, EXDEV), 0)); });
  ASSERT_EQ(::kill(child.pid(), SIGSTOP), 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child.pid(), &status, WUNTRACED), child.pid());
  const auto filters = ReadFilters(child.pid());
  ASSERT_TRUE(filters) << filters.error().message;
  EXPECT_EQ(filters->size(), 1U);
  // It wakes to stop again, which takes a moment.
  bool stopped_again = false;
  for (int wait = 0; wait < 1000 && !stopped_again; ++wait) {
    const auto text = base::ReadFile("/proc/" + std::to_string(child.pid()) + "/status");
    stopped_again = text && text->find("State:\tT") != std::string::npos;
    ::poll(nullptr, 0, 1);
  }
  EXPECT_TRUE(stopped_again);
  ::kill(child.pid(), SIGCONT);
  EXPECT_EQ(child.End(), 7);
}

TEST(ReadFilters, SaysWhyNot) {
  const auto missing = ReadFilters(0x3ffffff);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  const auto self = ReadFilters(::getpid());
  ASSERT_FALSE(self);
  EXPECT_EQ(self.error().code, Code::kFailedPrecondition);
}

}  // namespace
}  // namespace portcullis::host
