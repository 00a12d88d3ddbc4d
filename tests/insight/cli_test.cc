// The verbs as a user calls them: portcullis try, tolerate, evidence watch, evidence host.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/files.h"
#include "base/spawn.h"
#include "base/strings.h"
#include "base/unique_fd.h"
#include "insight/evidence/trace_file.h"
#include "subject.h"

namespace portcullis::insight {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// mbind is noise to it, io_uring_setup is what it needs.
const Subject database("database", [] {
  (void)::syscall(SYS_mbind, 0, 0, 1, 0, 0, 0);
  char parameters[120] = {};
  const long ring = ::syscall(SYS_io_uring_setup, 4, parameters);
  return ring < 0 ? 4 : 0;
});

const Subject logged("logged", [] {
  FilterOneCall(SYS_getppid, SECCOMP_RET_LOG);
  for (int i = 0; i < 100; ++i) ::syscall(SYS_getppid);
  // Long enough to be looked at.
  ::usleep(300000);
  return 0;
});

class Cli : public testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/portcullis-cli-XXXXXX";
    ASSERT_NE(::mkdtemp(folder), nullptr);
    folder_ = folder;
  }
  void TearDown() override { ASSERT_TRUE(base::RemoveTree(folder_)); }

  static base::CommandResult Run(std::vector<std::string> args) {
    args.insert(args.begin(), PORTCULLIS_PROGRAM);
    auto done = base::RunCommand({.spawn = {.argv = args}});
    EXPECT_TRUE(done) << done.error().message;
    return done ? *done : base::CommandResult{};
  }
  static std::vector<std::string> With(std::vector<std::string> words, const std::string& subject) {
    words.insert(words.end(), {"--", "env", "PORTCULLIS_SUBJECT=" + subject, SubjectPath()});
    return words;
  }

  std::string folder_;
};

TEST_F(Cli, LintNamesAFileWhoseNameIsNoUtf8) {
  const std::string file = folder_ + "/\xff.json";
  ASSERT_TRUE(base::WriteFileAtomic(file, R"({"defaultAction": "SCMP_ACT_ERRNO", "syscals": []})"));
  for (const auto& [format, name] : {std::pair("json", "\xef\xbf\xbd.json"), std::pair("sarif", "%FF.json")}) {
    const auto run = Run({"profile", "lint", "--format", format, file});
    EXPECT_EQ(run.exit_code, 1) << run.err;
    EXPECT_FALSE(json::parse(run.out, nullptr, false).is_discarded()) << run.out;
    EXPECT_THAT(run.out, HasSubstr(name)) << "replaced in a text, escaped in a URI";
  }
}

TEST_F(Cli, TryTellsDenialsBesideTheSuitesFailures) {
  const std::string report = folder_ + "/r.xml";
  const std::string trace = folder_ + "/t.jsonl.gz";
  const std::string suite = "PORTCULLIS_SUBJECT=database " + SubjectPath() +
                            " && exit 0; echo \"<testsuite><testcase classname='io' name='ring'><failure "
                            "message='no ring'/></testcase></testsuite>\" > " +
                            report + "; exit 4";
  const auto run = Run({"try", "--profile", "RuntimeDefault", "--runtime", "containerd@2.2.4", "--junit", report,
                        "--trace", trace, "-o", "json", "--", "sh", "-c", suite});
  EXPECT_EQ(run.exit_code, 1) << run.err;
  const json told = json::parse(run.out, nullptr, false);
  ASSERT_TRUE(told.is_object()) << run.out;
  EXPECT_EQ(told["exitCode"], 4);
  EXPECT_EQ(told["failures"][0]["name"], "io.ring");
  std::set<std::string> calls;
  for (const json& denial : told["denials"])
    calls.insert(denial["call"].get<std::string>() + " " + denial["answer"].get<std::string>());
  EXPECT_TRUE(calls.contains("io_uring_setup errno EPERM")) << run.out;
  EXPECT_TRUE(calls.contains("mbind(_, _, MPOL_PREFERRED, _, _, 0) errno EPERM")) << run.out;
  const auto evidence = ReadTrace(trace);
  ASSERT_TRUE(evidence) << evidence.error().message;
  EXPECT_EQ(evidence->source, "try");
  EXPECT_EQ(evidence->calls().size(), told["denials"].size());
}

TEST_F(Cli, TryBesideAWorkload) {
  const std::string ready = folder_ + "/ready";
  const auto run = Run({"try", "--profile", "containerd@2.2", "--strict", "--workload",
                        "unshare -U true; touch " + ready + "; sleep 60", "--", "sh", "-c",
                        "for i in $(seq 200); do test -e " + ready + " && exit 0; sleep 0.05; done; exit 9"});
  EXPECT_EQ(run.exit_code, 1) << "denials, under --strict: " << run.out << run.err;
  EXPECT_THAT(run.out, HasSubstr("unshare(CLONE_NEWUSER)"));
  EXPECT_THAT(run.out, HasSubstr("suite: exit status 0"));
}

TEST_F(Cli, TolerateTellsNoiseFromNeed) {
  const auto run = Run(With({"tolerate", "--profile", "containerd@2.2.4", "-o", "json"}, "database"));
  EXPECT_EQ(run.exit_code, 1) << run.err;
  const json told = json::parse(run.out, nullptr, false);
  ASSERT_TRUE(told.is_object()) << run.out;
  std::map<std::string, std::string> verdicts;
  for (const json& trial : told["trials"]) verdicts[trial["denied"]] = trial["verdict"];
  EXPECT_EQ(verdicts["mbind"], "survives") << run.out;
  EXPECT_EQ(verdicts["io_uring_setup"], "fails") << run.out;
  EXPECT_EQ(verdicts["all of them"], "fails");
  // A release that still allowed io_uring.
  const auto older = Run(With({"tolerate", "--profile", "containerd@1.6.20", "-o", "json"}, "database"));
  EXPECT_EQ(older.exit_code, 0) << older.out << older.err;
  EXPECT_THAT(older.out, HasSubstr("mbind"));
  EXPECT_THAT(older.out, testing::Not(HasSubstr("io_uring_setup")));
}

TEST_F(Cli, WhatCannotBeJudgedIsAnError) {
  EXPECT_THAT(Run({"tolerate", "--profile", "containerd@2.2", "--", "false"}).err,
              HasSubstr("with nothing denied it ends with exit status 1"));
  EXPECT_EQ(Run({"tolerate", "--profile", "containerd@2.2", "--", "false"}).exit_code, 2);
  EXPECT_EQ(Run({"try", "--", "true"}).exit_code, 2);
  EXPECT_EQ(Run({"try", "--profile", "containerd@2.2", "true"}).exit_code, 2);
  EXPECT_EQ(Run({"try", "--profile", "containerd@2.2", "--junit", folder_ + "/absent", "--", "true"}).exit_code, 2);
  EXPECT_EQ(Run({"__under-filter", "true"}).exit_code, 126);
}

TEST_F(Cli, WatchAndHost) {
  const std::string trace = folder_ + "/w.jsonl";
  const std::string said = folder_ + "/said";
  const base::UniqueFd out(::open(said.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  ASSERT_TRUE(out.valid());
  auto watch = base::Spawn({.argv = {PORTCULLIS_PROGRAM, "evidence", "watch", "-o", trace},
                            .fds = {{out.get(), STDOUT_FILENO}, {out.get(), STDERR_FILENO}}});
  ASSERT_TRUE(watch);
  const auto text = [&said] { return base::ReadFile(said).value_or(""); };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (text().find("watching seccomp records") == std::string::npos && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const auto logs = base::RunCommand({.spawn = {.argv = {SubjectPath()}, .env = SubjectEnvironment("logged")}});
  EXPECT_TRUE(logs && logs->exit_code == 0);
  ASSERT_EQ(::kill(watch->pid, SIGTERM), 0);
  ASSERT_TRUE(base::Wait(*watch, std::chrono::minutes(1))) << text();
  const auto evidence = ReadTrace(trace);
  ASSERT_TRUE(evidence) << text();
  uint64_t count = 0;
  for (const auto& [call, facts] : evidence->calls()) {
    if (call.executable == SubjectPath() && call.number == SYS_getppid) count += facts.count;
  }
  EXPECT_EQ(count, 100u) << text();
  const auto host = Run({"evidence", "host", "-o", "json"});
  const json findings = json::parse(host.out, nullptr, false);
  ASSERT_TRUE(findings.is_array()) << host.out;
  EXPECT_FALSE(findings.empty());
}

}  // namespace
}  // namespace portcullis::insight
