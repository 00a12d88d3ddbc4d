#include "base/fd_message.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/files.h"
#include "base/unique_fd.h"

namespace portcullis::base {
namespace {

class FdMessage : public testing::Test {
 protected:
  void SetUp() override {
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    ours_.Reset(pair[0]);
    theirs_.Reset(pair[1]);
  }
  static size_t OpenFds() { return ListDir("/proc/self/fd")->size(); }
  UniqueFd ours_;
  UniqueFd theirs_;
};

TEST_F(FdMessage, BringsBytesAndDescriptorsThatAreClosedOnExec) {
  const UniqueFd zero(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  const int sent[] = {zero.get(), zero.get()};
  ASSERT_TRUE(SendWithFds(ours_.get(), "hello", 5, sent, 2));
  char text[8] = {};
  int fds[4];
  size_t count = 9;
  ASSERT_EQ(ReceiveWithFds(theirs_.get(), text, sizeof text, fds, 4, count), 5);
  EXPECT_STREQ(text, "hello");
  ASSERT_EQ(count, 2u);
  for (size_t i = 0; i < count; ++i) {
    const UniqueFd fd(fds[i]);
    EXPECT_EQ(::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    char byte = 1;
    EXPECT_EQ(::read(fd.get(), &byte, 1), 1);
    EXPECT_EQ(byte, 0);
  }
}

TEST_F(FdMessage, WithoutDescriptors) {
  ASSERT_TRUE(SendWithFds(ours_.get(), "x", 1, nullptr, 0));
  char byte = 0;
  size_t count = 9;
  EXPECT_EQ(ReceiveWithFds(theirs_.get(), &byte, 1, nullptr, 0, count), 1);
  EXPECT_EQ(count, 0u);
  ours_.Reset();
  EXPECT_EQ(ReceiveWithFds(theirs_.get(), &byte, 1, nullptr, 0, count), 0) << "the end";
  EXPECT_FALSE(SendWithFds(theirs_.get(), "x", 1, nullptr, 0));
}

TEST_F(FdMessage, MoreThanThereIsRoomForAreClosed) {
  const int sent[] = {ours_.get(), ours_.get(), ours_.get()};
  ASSERT_TRUE(SendWithFds(ours_.get(), "x", 1, sent, 3));
  const size_t before = OpenFds();
  char byte = 0;
  int fd = -1;
  size_t count = 0;
  ASSERT_EQ(ReceiveWithFds(theirs_.get(), &byte, 1, &fd, 1, count), 1);
  EXPECT_EQ(count, 1u);
  EXPECT_EQ(OpenFds(), before + 1);
  ::close(fd);
  EXPECT_FALSE(SendWithFds(ours_.get(), "x", 1, sent, kMostMessageFds + 1));
}

}  // namespace
}  // namespace portcullis::base
