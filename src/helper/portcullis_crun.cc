// portcullis-crun: runs crun on a host with hybrid cgroups, which Debian's crun refuses, as if they were version 1.
//
// usage: portcullis-crun ARGUMENT...     (crun's own)
//
// crun takes a host for hybrid by looking at /sys/fs/cgroup/unified. This program leaves for a mount namespace of its
// own, takes that mount away there and becomes crun. All other mounts stay in their peer groups, so mount propagation
// between host and container is what it would be without it. Static, without C++'s library: it runs several times in
// the life of every container.
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

namespace {

constexpr const char* kCgroups = "/sys/fs/cgroup";
constexpr const char* kUnified = "/sys/fs/cgroup/unified";
constexpr const char* kUsualFolders = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

int Fail(const char* what) {
  fprintf(stderr, "portcullis-crun: %s: %s\n", what, strerror(errno));
  return 1;
}

// Becomes crun if one of the folders has it; a folder with a relative name holds nothing that is installed.
void TryFolders(const char* folders, char** argv) {
  while (folders != nullptr && *folders != '\0') {
    const size_t length = strcspn(folders, ":");
    char path[4096];
    const int written = snprintf(path, sizeof path, "%.*s/crun", static_cast<int>(length), folders);
    if (folders[0] == '/' && written > 0 && static_cast<size_t>(written) < sizeof path) execv(path, argv);
    folders += length + (folders[length] == ':' ? 1 : 0);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 1) return 2;
  if (access(kUnified, F_OK) == 0) {
    if (unshare(CLONE_NEWNS) != 0) return Fail("make a mount namespace");
    // An unmount goes to the peers of the mount that it happens on: without peers, the host keeps the hierarchy.
    if (mount(nullptr, kCgroups, nullptr, MS_PRIVATE, nullptr) != 0 && errno != EINVAL) {
      return Fail("keep the host's cgroup mounts apart");
    }
    if (umount2(kUnified, MNT_DETACH) != 0 && errno != EINVAL) return Fail("take cgroup/unified away");
  }
  static char name[] = "crun";
  argv[0] = name;
  TryFolders(getenv("PATH"), argv);
  TryFolders(kUsualFolders, argv);
  return Fail("run crun");
}
