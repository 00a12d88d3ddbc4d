#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/files.h"
#include "insight/hostcheck/findings.h"
#include "insight/hostcheck/gather.h"

namespace portcullis::insight {
namespace {

const std::vector<std::string> kAllActions{"kill_process", "kill_thread", "trap", "errno",
                                           "user_notif",   "trace",       "log"};

HostFacts Good() {
  HostFacts facts;
  facts.kernel_release = "6.1.0-28-amd64";
  facts.kernel = Version{6, 1, 0};
  facts.has_seccomp_filters = true;
  facts.actions_available = kAllActions;
  facts.actions_logged = kAllActions;
  facts.audit = AuditStatus{.enabled = 1, .pid = 77, .backlog_limit = 8192};
  facts.exclude_rules.emplace();
  facts.has_auditd = true;
  facts.programs = {
      {.name = "containerd", .path = "/usr/bin/containerd", .version_text = "v2.2.0", .version = Version{2, 2, 0}}};
  facts.cgroups = CgroupLayout::kUnified;
  return facts;
}

// id=severity of everything that is not good.
std::vector<std::string> Bad(const HostFacts& facts) {
  std::vector<std::string> out;
  for (const HostFinding& finding : JudgeHost(facts)) {
    EXPECT_FALSE(finding.text.empty());
    if (finding.severity != Severity::kGood && finding.id != "program") {
      out.push_back(finding.id + "=" + std::string(NameOf(finding.severity)));
    }
    if (finding.severity == Severity::kProblem) {
      EXPECT_FALSE(finding.remedy.empty()) << finding.id;
    }
  }
  return out;
}

TEST(Findings, AGoodHostHasNone) { EXPECT_THAT(Bad(Good()), testing::IsEmpty()); }

TEST(Findings, Table) {
  struct Case {
    const char* name;
    void (*change)(HostFacts&);
    std::vector<std::string> want;
  };
  const Case cases[] = {
      {"no filters", [](HostFacts& f) { f.has_seccomp_filters = false; }, {"kernel-seccomp=problem"}},
      {"4.9",
       [](HostFacts& f) {
         f.kernel = Version{4, 9, 0};
         f.actions_available.reset();
         f.actions_logged.reset();
       },
       {"kernel-log=problem", "kernel-bitmap=note", "kernel-ssbd=warning"}},
      {"5.10", [](HostFacts& f) { f.kernel = Version{5, 10, 0}; }, {"kernel-bitmap=note", "kernel-ssbd=warning"}},
      {"5.15", [](HostFacts& f) { f.kernel = Version{5, 15, 0}; }, {"kernel-ssbd=warning"}},
      {"odd release", [](HostFacts& f) { f.kernel.reset(); }, {"kernel-version=warning"}},
      {"errno unlogged", [](HostFacts& f) { std::erase(*f.actions_logged, "errno"); }, {"actions-logged=warning"}},
      {"log unlogged", [](HostFacts& f) { std::erase(*f.actions_logged, "log"); }, {"actions-logged=problem"}},
      {"nothing logged",
       [](HostFacts& f) { f.actions_logged->clear(); },
       {"actions-logged=problem", "actions-logged=warning"}},
      {"unreadable", [](HostFacts& f) { f.actions_logged.reset(); }, {"actions-logged=warning"}},
      {"no log action", [](HostFacts& f) { std::erase(*f.actions_available, "log"); }, {"actions-available=problem"}},
      {"audit=0", [](HostFacts& f) { f.audit_off_at_boot = true; }, {"audit-off=problem"}},
      {"not asked",
       [](HostFacts& f) {
         f.audit.reset();
         f.exclude_rules.reset();
         f.audit_error = "no right";
       },
       {"audit-status=warning"}},
      {"rate", [](HostFacts& f) { f.audit->rate_limit = 100; }, {"audit-rate-limit=warning"}},
      {"backlog", [](HostFacts& f) { f.audit->backlog_limit = 64; }, {"audit-backlog=note"}},
      {"lost", [](HostFacts& f) { f.audit->lost = 7; }, {"audit-lost=note"}},
      {"rules",
       [](HostFacts& f) {
         f.exclude_rules = {{"-a never,exclude -F msgtype=SECCOMP", true}, {"-a never,exclude -F uid=0", false}};
       },
       {"audit-excluded=problem", "audit-excluded=warning"}},
      {"rules unreadable", [](HostFacts& f) { f.exclude_rules.reset(); }, {"audit-excluded=warning"}},
      {"no multicast", [](HostFacts& f) { f.multicast_error = "no right"; }, {"audit-live=warning"}},
      {"printk",
       [](HostFacts& f) {
         f.has_auditd = false;
         f.has_rsyslogd = true;
       },
       {"log-printk=warning"}},
      {"printk without limit",
       [](HostFacts& f) {
         f.has_auditd = false;
         f.printk_interval_seconds = 0;
       },
       {"log-printk=note"}},
      {"old runc",
       [](HostFacts& f) { f.programs.push_back({"runc", "/r", "1.0.1", Version{1, 0, 1}}); },
       {"runc-clone3=problem"}},
      {"runc 1.1",
       [](HostFacts& f) { f.programs.push_back({"runc", "/r", "1.1.5", Version{1, 1, 5}}); },
       {"runc-flags=warning"}},
      {"runc 1.2", [](HostFacts& f) { f.programs.push_back({"runc", "/r", "1.2.0", Version{1, 2, 0}}); }, {}},
      {"libseccomp 2.4",
       [](HostFacts& f) { f.programs.push_back({"libseccomp", "/l", "2.4.1", Version{2, 4, 1}}); },
       {"libseccomp-old=warning"}},
      {"libseccomp 2.5",
       [](HostFacts& f) { f.programs.push_back({"libseccomp", "/l", "2.5.4", Version{2, 5, 4}}); },
       {"libseccomp-merge=note"}},
      {"libseccomp 2.6.1",
       [](HostFacts& f) { f.programs.push_back({"libseccomp", "/l", "2.6.1", Version{2, 6, 1}}); },
       {}},
      {"v1", [](HostFacts& f) { f.cgroups = CgroupLayout::kV1; }, {"cgroups=note"}},
      {"hybrid", [](HostFacts& f) { f.cgroups = CgroupLayout::kHybrid; }, {"cgroups=note"}},
      {"none", [](HostFacts& f) { f.cgroups = CgroupLayout::kUnknown; }, {"cgroups=warning"}},
  };
  for (const Case& one : cases) {
    HostFacts facts = Good();
    one.change(facts);
    EXPECT_THAT(Bad(facts), testing::ElementsAreArray(one.want)) << one.name;
  }
}

TEST(Versions, Parsed) {
  EXPECT_EQ(ParseVersion("6.1.0-28-amd64"), (Version{6, 1, 0}));
  EXPECT_EQ(ParseVersion("v1.7.13"), (Version{1, 7, 13}));
  EXPECT_EQ(ParseVersion("2.5.4-1+deb12u1"), (Version{2, 5, 4}));
  EXPECT_EQ(ParseVersion("6.18"), (Version{6, 18, 0}));
  EXPECT_EQ(ParseVersion("7"), (Version{7, 0, 0}));
  for (const char* bad : {"", "v", "x1", "(version not known)", "-1.2"}) EXPECT_FALSE(ParseVersion(bad)) << bad;
}

class Tree : public testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/portcullis-host-XXXXXX";
    ASSERT_NE(::mkdtemp(folder), nullptr);
    root_ = folder;
  }
  void TearDown() override { ASSERT_TRUE(base::RemoveTree(root_)); }
  void Write(const std::string& path, const std::string& text) {
    ASSERT_TRUE(base::MakeDirs(root_ + path.substr(0, path.rfind('/'))));
    ASSERT_TRUE(base::WriteFileAtomic(root_ + path, text));
  }
  std::string root_;
};

TEST_F(Tree, IsGathered) {
  Write("/proc/sys/kernel/osrelease", "5.15.0-91-generic\n");
  Write("/proc/sys/kernel/seccomp/actions_avail", "kill_process kill_thread trap errno user_notif trace log allow\n");
  Write("/proc/sys/kernel/seccomp/actions_logged", "kill_process log\n");
  Write("/proc/sys/kernel/printk_ratelimit", "5\n");
  Write("/proc/sys/kernel/printk_ratelimit_burst", "10\n");
  Write("/proc/cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/sda1 audit=0 quiet\n");
  Write("/proc/1/comm", "systemd\n");
  Write("/proc/20/comm", "systemd-journal\n");
  Write("/proc/21/comm", "rsyslogd\n");
  Write("/proc/self/mounts",
        "cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n");
  Write("/usr/bin/containerd", "");
  Write("/usr/sbin/runc", "");
  Write("/usr/bin/crun", "");
  Write("/usr/lib/x86_64-linux-gnu/libseccomp.so.2", "");
  Write("/usr/lib/x86_64-linux-gnu/libseccomp.so.2.5.4", "");
  const HostFacts facts = GatherHost({
      .root = root_,
      .run = [](const std::vector<std::string>& argv) -> Result<std::string> {
        if (argv[0] == "/usr/bin/containerd")
          return std::string("containerd github.com/containerd/containerd v1.7.13 7c3aca7\n");
        if (argv[0] == "/usr/sbin/runc") return std::string("runc version 1.1.5+ds1\ncommit: x\n");
        return Fail(Code::kUnknown, "broken");
      },
      .audit_status = []() -> Result<AuditStatus> { return AuditStatus{.lost = 3}; },
      .exclude_rules = []() -> Result<std::vector<ExcludeRule>> { return Fail(Code::kPermissionDenied, "no right"); },
  });
  EXPECT_EQ(facts.kernel, (Version{5, 15, 0}));
  EXPECT_TRUE(facts.has_seccomp_filters);
  EXPECT_THAT(*facts.actions_logged, testing::ElementsAre("kill_process", "log"));
  EXPECT_TRUE(facts.audit_off_at_boot);
  EXPECT_EQ(facts.audit->lost, 3u);
  EXPECT_EQ(facts.exclude_rules_error, "no right");
  EXPECT_EQ(facts.multicast_error, "it is another host's");
  EXPECT_EQ(facts.printk_burst, 10u);
  EXPECT_TRUE(facts.has_journald);
  EXPECT_TRUE(facts.has_rsyslogd);
  EXPECT_FALSE(facts.has_auditd);
  EXPECT_EQ(facts.cgroups, CgroupLayout::kHybrid);
  ASSERT_EQ(facts.programs.size(), 4u);
  EXPECT_EQ(facts.programs[0].version, (Version{1, 7, 13}));
  EXPECT_EQ(facts.programs[1].version, (Version{1, 1, 5}));
  EXPECT_EQ(facts.programs[2].version_text, "(version not known)");
  EXPECT_EQ(facts.programs[3].path, "/usr/lib/x86_64-linux-gnu/libseccomp.so.2.5.4");
}

TEST_F(Tree, AnEmptyOneIsUnknownThroughout) {
  const HostFacts facts = GatherHost({.root = root_});
  EXPECT_FALSE(facts.kernel);
  EXPECT_FALSE(facts.has_seccomp_filters);
  EXPECT_FALSE(facts.audit);
  EXPECT_TRUE(facts.programs.empty());
  EXPECT_THAT(JudgeHost(facts), testing::Not(testing::IsEmpty()));
}

TEST(Gather, ThisHost) {
  const HostFacts facts = GatherHost({});
  EXPECT_TRUE(facts.kernel);
  EXPECT_TRUE(facts.has_seccomp_filters);
  EXPECT_TRUE(facts.actions_logged);
  EXPECT_NE(facts.cgroups, CgroupLayout::kUnknown);
}

}  // namespace
}  // namespace portcullis::insight
