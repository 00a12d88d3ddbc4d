#include "node/volume/volumes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/unique_fd.h"
#include "node/volume/etc_hosts.h"

namespace portcullis::node {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class VolumesTest : public ::testing::Test {
 protected:
  VolumesTest()
      : dir_(std::filesystem::temp_directory_path().string() + "/volumes-" + std::to_string(::getpid())),
        dirs_(dir_ + "/root", "u1") {
    fs::create_directories(dir_);
  }
  ~VolumesTest() override { fs::remove_all(dir_); }
  static mode_t Mode(const std::string& path) {
    struct stat info{};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
  }
  k8s::Pod PodWith(k8s::Volume volume) {
    k8s::Pod pod;
    pod.metadata.uid = "u1";
    pod.spec.volumes = {std::move(volume)};
    return pod;
  }
  std::string dir_;
  PodDirs dirs_;
};

TEST_F(VolumesTest, EmptyDirIsOpenToAllAndKeepsItsContent) {
  ASSERT_TRUE(dirs_.Create().has_value());
  k8s::Pod pod = PodWith({"cache", k8s::EmptyDir{}});
  auto paths = SetUpVolumes(pod, dirs_);
  ASSERT_TRUE(paths.has_value()) << paths.error().message;
  std::string path = (*paths)["cache"];
  EXPECT_EQ(path, dir_ + "/root/pods/u1/volumes/kubernetes.io~empty-dir/cache");
  EXPECT_EQ(Mode(path), 0777u);
  std::ofstream(path + "/file") << "x";
  ASSERT_TRUE(SetUpVolumes(pod, dirs_).has_value());
  EXPECT_TRUE(fs::exists(path + "/file"));
}

// As a crash while a volume was made leaves it: what is not finished is not taken for the volume.
TEST_F(VolumesTest, EmptyDirIsMadeWholeOrNotAtAll) {
  ASSERT_TRUE(dirs_.Create().has_value());
  std::string folder = fs::path(dirs_.empty_dir("cache")).parent_path();
  fs::create_directories(folder + "/.new-cache");
  std::ofstream(folder + "/.new-cache/half") << "x";
  auto paths = SetUpVolumes(PodWith({"cache", k8s::EmptyDir{}}), dirs_);
  ASSERT_TRUE(paths.has_value()) << paths.error().message;
  EXPECT_EQ(Mode((*paths)["cache"]), 0777u);
  EXPECT_TRUE(fs::is_empty((*paths)["cache"]));
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  EXPECT_THAT(names, ElementsAre("cache"));
}

TEST_F(VolumesTest, EmptyDirInMemoryHasModeAndGroupAfterEachMount) {
  if (::geteuid() != 0) GTEST_SKIP() << "a mount needs root";
  ASSERT_TRUE(dirs_.Create().has_value());
  k8s::Pod pod = PodWith({"cache", k8s::EmptyDir{.medium = "Memory"}});
  pod.spec.security_context.fs_group = 4711;
  for (int boot = 0; boot < 2; ++boot) {
    auto paths = SetUpVolumes(pod, dirs_);
    if (!paths && paths.error().sys_errno == EPERM) GTEST_SKIP() << "mounting is not allowed here";
    ASSERT_TRUE(paths.has_value()) << paths.error().message;
    struct stat info{};
    ASSERT_EQ(::stat((*paths)["cache"].c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 02777u);
    EXPECT_EQ(info.st_gid, 4711u);
    ASSERT_EQ(::umount2((*paths)["cache"].c_str(), UMOUNT_NOFOLLOW), 0);
  }
}

TEST_F(VolumesTest, HostPathTypesAreCheckedInKubernetesWords) {
  std::string file = dir_ + "/file";
  std::ofstream(file) << "x";
  base::UniqueFd socket_fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::string socket = dir_ + "/s";
  ASSERT_LT(socket.size(), sizeof address.sun_path);
  socket.copy(address.sun_path, socket.size());
  ASSERT_EQ(::bind(socket_fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  struct Row {
    const char* type;
    std::string path;
    const char* problem;  // "" = fits
  };
  for (const Row& row :
       {Row{"", dir_ + "/none", ""}, Row{"Directory", dir_, ""}, Row{"Directory", file, "is not a directory"},
        Row{"Directory", dir_ + "/none", "is not a directory"}, Row{"File", file, ""},
        Row{"File", dir_, "is not a file"}, Row{"Socket", socket, ""}, Row{"Socket", file, "is not a socket file"},
        Row{"CharDevice", "/dev/null", ""}, Row{"CharDevice", file, "is not a character device"},
        Row{"BlockDevice", file, "is not a block device"}, Row{"DirectoryOrCreate", dir_ + "/made/d", ""},
        Row{"FileOrCreate", dir_ + "/made/f", ""}, Row{"FileOrCreate", dir_, "is not a file"}}) {
    auto fits = CheckHostPath({row.path, row.type});
    std::string text = fits ? "" : fits.error().message;
    EXPECT_EQ(text, *row.problem == 0 ? "" : "hostPath type check failed: " + row.path + " " + row.problem) << row.type;
  }
  EXPECT_TRUE(fs::is_directory(dir_ + "/made/d"));
  EXPECT_TRUE(fs::is_regular_file(dir_ + "/made/f"));
}

TEST_F(VolumesTest, AFailureNamesTheVolume) {
  auto paths = SetUpVolumes(PodWith({"data", k8s::HostPath{dir_ + "/none", "Directory"}}), dirs_);
  ASSERT_FALSE(paths.has_value());
  EXPECT_EQ(paths.error().message, "MountVolume.SetUp failed for volume \"data\" : hostPath type check failed: " +
                                       dir_ + "/none is not a directory");
}

// Nothing of this reaches the bind mount, which would need root.
TEST_F(VolumesTest, SubPathsCannotLeaveTheirVolume) {
  std::string volume = dir_ + "/v";
  fs::create_directories(volume);
  fs::create_directories(dir_ + "/outside");
  fs::create_directory_symlink("../outside", volume + "/link");
  fs::create_directory_symlink(dir_ + "/outside", volume + "/absolute");
  for (const char* sub_path : {"../outside", "/etc", "link", "link/new", "absolute", "a/../../outside"}) {
    auto source = SubPathSource(volume, sub_path, dirs_.sub_path("v", "c", 0));
    ASSERT_FALSE(source.has_value()) << sub_path;
    EXPECT_THAT(source.error().message, HasSubstr("subPath")) << sub_path;
  }
  EXPECT_TRUE(fs::is_empty(dir_ + "/outside"));
  EXPECT_EQ(SubPathSource(volume, "./", "").value(), volume);
}

TEST_F(VolumesTest, SubPathIsMadeInsideAndPinned) {
  if (::geteuid() != 0) GTEST_SKIP() << "a bind mount needs root";
  std::string volume = dir_ + "/v";
  fs::create_directories(volume);
  ASSERT_EQ(::chown(volume.c_str(), 0, 4711), 0);
  ASSERT_EQ(::chmod(volume.c_str(), 02777), 0);
  ASSERT_TRUE(dirs_.Create().has_value());
  auto source = SubPathSource(volume, "a/b", dirs_.sub_path("v", "c", 0));
  if (!source && source.error().sys_errno == EPERM) GTEST_SKIP() << "mounting is not allowed here";
  ASSERT_TRUE(source.has_value()) << source.error().message;
  std::ofstream(*source + "/file") << "x";
  EXPECT_TRUE(fs::exists(volume + "/a/b/file"));
  for (const char* made : {"/a", "/a/b"}) {
    struct stat info{};
    ASSERT_EQ(::stat((volume + made).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 02777u) << made << ": as open as the volume";
    EXPECT_EQ(info.st_gid, 4711u) << made;
  }
  ASSERT_TRUE(SubPathSource(volume, "a/b", dirs_.sub_path("v", "c", 0)).has_value()) << "again, for the next run";
  auto removed = dirs_.Remove();
  EXPECT_TRUE(removed.has_value()) << removed.error().message;
  EXPECT_TRUE(fs::exists(volume + "/a/b/file")) << "removal does not reach through the mount";
  EXPECT_FALSE(fs::exists(dirs_.path()));
}

TEST_F(VolumesTest, RemovalFollowsNoLinks) {
  ASSERT_TRUE(dirs_.Create().has_value());
  fs::create_directories(dir_ + "/outside");
  std::ofstream(dir_ + "/outside/file") << "x";
  fs::create_directory_symlink(dir_ + "/outside", dirs_.path() + "/volumes/link");
  ASSERT_TRUE(dirs_.Remove().has_value());
  EXPECT_FALSE(fs::exists(dirs_.path()));
  EXPECT_TRUE(fs::exists(dir_ + "/outside/file"));
  EXPECT_TRUE(dirs_.Remove().has_value()) << "absent is fine";
}

TEST_F(VolumesTest, KnowsItsOwnFoldersOnly) {
  EXPECT_THAT(ListPodDirs(dir_ + "/root").value(), testing::IsEmpty());
  ASSERT_TRUE(dirs_.Create().has_value());
  fs::create_directories(dir_ + "/root/pods/of-another-kubelet");
  EXPECT_THAT(ListPodDirs(dir_ + "/root").value(), ElementsAre("u1"));
  for (const char* uid : {"", "..", "a/b"}) EXPECT_FALSE(PodDirs(dir_ + "/root", uid).Create().has_value()) << uid;
}

TEST_F(VolumesTest, TerminationLogsAreWritableAndFew) {
  ASSERT_TRUE(dirs_.Create().has_value());
  std::string last;
  for (int run = 0; run < 4; ++run) {
    auto path = dirs_.CreateTerminationLog("c");
    ASSERT_TRUE(path.has_value()) << path.error().message;
    EXPECT_NE(*path, last);
    last = *path;
    EXPECT_EQ(Mode(last), 0666u);
  }
  size_t count = 0;
  for (const auto& entry : fs::directory_iterator(dirs_.path() + "/containers/c")) count += entry.exists() ? 1 : 0;
  EXPECT_EQ(count, 2u);
}

TEST(EtcHosts, ListsThePodAndItsAliases) {
  k8s::Pod pod;
  pod.metadata.namespace_ = "ns";
  pod.spec.subdomain = "sub";
  pod.spec.host_aliases = {{"192.0.2.7", {"a", "b"}}};
  std::vector<std::string> ips = {"10.0.0.2"};
  std::string text = EtcHostsText(pod, {.pod_ips = ips, .host_name = "web", .cluster_domain = "c.local"});
  EXPECT_TRUE(text.starts_with("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n")) << text;
  EXPECT_TRUE(
      text.ends_with("10.0.0.2\tweb.sub.ns.svc.c.local\tweb\n\n# Entries added by HostAliases.\n192.0.2.7\ta\tb\n"))
      << text;
  pod.spec.host_network = true;
  pod.spec.host_aliases.clear();
  EXPECT_EQ(EtcHostsText(pod, {.node_hosts_text = "127.0.0.1 x"}),
            "# Kubernetes-managed hosts file (host network).\n127.0.0.1 x\n");
}

}  // namespace
}  // namespace portcullis::node
