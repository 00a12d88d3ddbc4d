#include "base/spawner.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "base/files.h"
#include "base/sanitizer.h"
#include "base/strings.h"

namespace portcullis::base {
namespace {

// With PORTCULLIS_TEST_SPAWNER set, the tests of spawn_test.cc go through a spawner (ctest: base_through_spawner).
class ThroughSpawner : public testing::Environment {
  void SetUp() override {
    if (std::getenv("PORTCULLIS_TEST_SPAWNER") == nullptr) return;
    ASSERT_TRUE(StartSpawner([] { std::_Exit(70); }));
  }
};
[[maybe_unused]] const testing::Environment* const kThroughSpawner =
    testing::AddGlobalTestEnvironment(new ThroughSpawner);

// A spawner is for a process's whole life, so each test has a process of its own. `body` gives what went wrong, or "".
void InProcess(std::string (*body)()) {
  // It runs a thread of its own from the start, and takes clone(2) with shared memory for a fork.
  if (kThreadSanitizer) GTEST_SKIP() << "no spawner under ThreadSanitizer";
  const pid_t pid = ::fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    const std::string wrong = body();
    if (!wrong.empty()) std::fprintf(stderr, "%s\n", wrong.c_str());
    std::_Exit(wrong.empty() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Spawner, StartsChildrenOfTheDaemonWithoutWhatItGaveUp) {
  InProcess([]() -> std::string {
    if (const auto started = StartSpawner([] {}); !started) return started.error().message;
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    const auto result =
        RunCommand({.spawn = {.argv = {"sh", "-c", "grep NoNewPrivs: /proc/$$/status | tr -d '\\t'; echo $PPID"}}});
    if (!result) return result.error().message;
    const std::string expected = fmt::format("NoNewPrivs:0\n{}\n", ::getpid());
    return result->out == expected ? "" : "got " + result->out + result->err;
  });
}

// The child may wait for its caller, as a container's monitor does: who waits for its end then waits for ever.
TEST(Spawner, AChildThatCannotBeTakenIsEnded) {
  InProcess([]() -> std::string {
    if (const auto started = StartSpawner([] {}); !started) return started.error().message;
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    rlimit tight = before;
    {
      const UniqueFd lowest(::open("/dev/null", O_RDONLY | O_CLOEXEC));
      tight.rlim_cur = static_cast<rlim_t>(lowest.get()) + 1;  // for the request, and not for the answer as well
    }
    ::setrlimit(RLIMIT_NOFILE, &tight);
    ::alarm(60);
    const auto child = Spawn({.argv = {"sleep", "1000"}});
    ::setrlimit(RLIMIT_NOFILE, &before);
    if (child) return "there was a descriptor";
    if (child.error().sys_errno != EMFILE) return child.error().message;
    const auto result = RunCommand({.spawn = {.argv = {"echo", "on"}}});
    return result && result->out == "on\n" ? "" : "it does not go on";
  });
}

TEST(Spawner, ManyThreadsAtOnce) {
  InProcess([]() -> std::string {
    if (const auto started = StartSpawner([] {}); !started) return started.error().message;
    std::vector<std::string> wrong(8);
    std::vector<std::thread> threads;
    for (size_t i = 0; i < wrong.size(); ++i) {
      threads.emplace_back([&wrong, i] {
        for (int round = 0; round < 20; ++round) {
          const std::string word = fmt::format("{}-{}", i, round);
          const auto result = RunCommand({.spawn = {.argv = {"sh", "-c", "cat; exit 3"}}, .input = word});
          if (!result || result->out != word || result->exit_code != 3) {
            wrong[i] = word + (result ? " got " + result->out : " " + result.error().message);
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    return Join(wrong, "");
  });
}

TEST(Spawner, ItsEndIsToldOnceAndEndsNothingElse) {
  InProcess([]() -> std::string {
    static int told = 0;
    if (const auto started = StartSpawner([] { ++told; }); !started) return started.error().message;
    auto child = Spawn({.argv = {"sleep", "60"}});
    if (!child) return child.error().message;
    ::kill(SpawnerPid(), SIGKILL);
    for (int i = 0; i < 2; ++i) {
      const auto after = Spawn({.argv = {"true"}});
      if (after || after.error().code != Code::kUnavailable) return "started without a spawner";
    }
    const bool runs = ::kill(child->pid, 0) == 0;
    Discard(std::move(*child));
    if (!runs) return "a child ended with the spawner";
    return told == 1 ? "" : fmt::format("told {} times", told);
  });
}

TEST(Spawner, EndsWithItsDaemon) {
  if (kThreadSanitizer) GTEST_SKIP() << "no spawner under ThreadSanitizer";
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t daemon = ::fork();
  ASSERT_GE(daemon, 0);
  if (daemon == 0) {
    const bool started = StartSpawner([] {}).has_value();
    const pid_t spawner = SpawnerPid();
    std::_Exit(started && ::write(ends[1], &spawner, sizeof spawner) == sizeof spawner ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(daemon, &status, 0), daemon);
  ASSERT_EQ(WEXITSTATUS(status), 0);
  pid_t spawner = -1;
  ASSERT_EQ(::read(ends[0], &spawner, sizeof spawner), static_cast<ssize_t>(sizeof spawner));
  ::close(ends[0]);
  ::close(ends[1]);
  // Nobody reaps it for us: gone, or a zombie of whoever adopted it.
  for (int tries = 0; tries < 1000; ++tries) {
    const auto state = ReadFile(fmt::format("/proc/{}/stat", spawner));
    if (!state || state->find(") Z ") != std::string::npos) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ADD_FAILURE() << "process " << spawner << " is still there";
}

TEST(Spawner, NotBesideThreads) {
  InProcess([]() -> std::string {
    std::thread waits([] { ::pause(); });
    waits.detach();
    return StartSpawner([] {}) ? "started" : "";
  });
}

}  // namespace
}  // namespace portcullis::base
