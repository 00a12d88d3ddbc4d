#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.h"
#include "cli/record/bundle_workload.h"
#include "cli/record/container_cgroup.h"

namespace portcullis::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

const std::string kId(64, 'a');
const std::string kOther = "aaaaaaaaaaaa" + std::string(52, 'b');

TEST(ContainerCgroup, PathsByController) {
  EXPECT_THAT(CgroupPaths("8:pids:/p\n1:name=systemd:/s\n4:cpu,cpuacct:/c:d\n0::/u\nnonsense\n"),
              UnorderedElementsAre(Pair("pids", "/p"), Pair("name=systemd", "/s"), Pair("cpu", "/c:d"),
                                   Pair("cpuacct", "/c:d"), Pair("", "/u")));
}

TEST(ContainerCgroup, EndsWithTheComponentThatNamesIt) {
  EXPECT_EQ(CgroupOfContainer("/kubepods/pod1/" + kId, kId), "/kubepods/pod1/" + kId);
  EXPECT_EQ(CgroupOfContainer("/k.slice/crio-" + kId + ".scope/container", kId), "/k.slice/crio-" + kId + ".scope");
  EXPECT_EQ(CgroupOfContainer("/system.slice/docker.service", kId), "");
  EXPECT_EQ(CgroupOfContainer("/", ""), "");
}

class Proc : public testing::Test {
 protected:
  Proc() {
    std::string name = testing::TempDir() + "/proc-XXXXXX";
    root_ = ::mkdtemp(name.data());
    Write("uptime", "1000.50 1.0\n");
  }
  ~Proc() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& name, const std::string& text) {
    const std::string path = root_ + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    ASSERT_TRUE(base::WriteFileAtomic(path, text));
  }
  void AddProcess(int pid, const std::string& cgroup, int start_ticks) {
    Write(fmt::format("{}/cgroup", pid), cgroup);
    std::string fields = "S";
    for (int field = 4; field < 22; ++field) fields += " 0";
    Write(fmt::format("{}/stat", pid), fmt::format("{} (a) b) {} {} 0 0\n", pid, fields, start_ticks));
  }

  std::string root_;
};

TEST_F(Proc, FindsAContainerByTheBeginningOfItsId) {
  AddProcess(7, "8:pids:/docker/" + kId + "\n0::/system.slice/docker.service\n", 300);
  AddProcess(9, "8:pids:/docker/" + kId + "\n0::/system.slice/docker.service\n", 200);
  AddProcess(5, "8:pids:/\n0::/\n", 1);
  AddProcess(6, "8:pids:/machine/libpod-conmon-" + kId + "\n", 1);
  const auto found = FindRunningContainer("aaaaaa", root_);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->id, kId);
  EXPECT_EQ(found->first_process, 9);
  EXPECT_NEAR(found->age_seconds, 998.5, 0.01);                              // 100 ticks a second
  EXPECT_THAT(found->cgroups, ElementsAre(Pair("pids", "/docker/" + kId)));  // never the service's
}

TEST_F(Proc, RefusesWhatIsNotOneContainer) {
  AddProcess(7, "0::/docker/" + kId + "\n", 1);
  AddProcess(8, "0::/docker/" + kOther + "\n", 1);
  const auto why = [this](std::string_view id) { return FindRunningContainer(id, root_).error().message; };
  EXPECT_THAT(why("aaaaaa"), HasSubstr("fits several"));
  EXPECT_THAT(why("aaa"), HasSubstr("want at least 6 hexadecimal digits"));
  EXPECT_THAT(why("../../etc"), HasSubstr("hexadecimal"));
  EXPECT_THAT(why("cccccc"), HasSubstr("no process is in a container cccccc"));
  EXPECT_TRUE(FindRunningContainer(kId, root_));
}

TEST_F(Proc, SurvivesWhatAProcessMayBeCalled) {
  Write("7/cgroup", "0::/docker/" + kId + "\n");
  Write("7/stat", "7 (x");
  const auto found = FindRunningContainer(kId, root_);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->first_process, 0);
}

TEST(BundleWorkload, ReadsTheAnnotationsOfCri) {
  const auto found = WorkloadOfBundle(R"({"annotations": {
      "io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.container-name": "c",
      "io.kubernetes.cri.sandbox-name": "web", "io.kubernetes.cri.sandbox-namespace": "default",
      "io.kubernetes.cri.sandbox-uid": "u"}})",
                                      "config.json");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->workload,
            (insight::Workload{.pod_namespace = "default", .pod = "web", .pod_uid = "u", .container = "c"}));
  EXPECT_FALSE(found->is_sandbox);
  EXPECT_TRUE(WorkloadOfBundle(R"({"annotations":{"io.kubernetes.cri.container-type":"sandbox"}})", "x")->is_sandbox);
  EXPECT_THAT(WorkloadOfBundle("[]", "config.json").error().message, HasSubstr("config.json: annotations"));
  EXPECT_FALSE(WorkloadOfBundle("{", "config.json"));
}

}  // namespace
}  // namespace portcullis::cli
