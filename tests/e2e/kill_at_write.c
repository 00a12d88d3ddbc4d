// Preloaded into a daemon under test: counts what it changes on disk, in cgroups and in the mount table, and what it says to
// and hears from portcullis-pause, and kills it at the n-th.
//
// KILL_AT_WRITE names a file of three 32-bit words that the test maps as well: whether to count, how many there were, and
// at which one to die (before it is done; 0: never). KILL_AT_ROOT limits files to a folder. Children of the daemon are
// left alone: they lose the variables, and a process is known by its pid.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

struct shared {
  atomic_uint armed, count, at;
};

static struct shared *shared;
static pid_t daemon_pid;
static char root[PATH_MAX];

__attribute__((constructor)) static void start(void) {
  const char *file = getenv("KILL_AT_WRITE"), *folder = getenv("KILL_AT_ROOT");
  if (file == NULL || folder == NULL) return;
  const int fd = open(file, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *mapped = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (mapped == MAP_FAILED) return;
  snprintf(root, sizeof root, "%s/", folder);
  daemon_pid = getpid();
  shared = mapped;
  unsetenv("LD_PRELOAD");
  unsetenv("KILL_AT_WRITE");
  unsetenv("KILL_AT_ROOT");
}

static int watching(void) { return shared != NULL && atomic_load(&shared->armed) != 0 && getpid() == daemon_pid; }

static void hit(void) {
  const unsigned number = atomic_fetch_add(&shared->count, 1) + 1;
  if (number != atomic_load(&shared->at)) return;
  kill(daemon_pid, SIGKILL);
  for (;;) pause();
}

static int below(const char *path) {
  return strncmp(path, root, strlen(root)) == 0 || strncmp(path, "/sys/fs/cgroup/", strlen("/sys/fs/cgroup/")) == 0;
}

static void on_fd(int fd) {
  char link[64], path[PATH_MAX];
  if (!watching()) return;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return;
  path[length] = '\0';
  if (below(path)) hit();
}

static void on_path(int dir, const char *path) {
  if (!watching() || path == NULL) return;
  if (path[0] == '/') {
    if (below(path)) hit();
  } else if (dir != AT_FDCWD) {
    on_fd(dir);
  }
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
  on_fd(fd);
  return NEXT(pwrite)(fd, data, size, at);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
  on_fd(fd);
  return NEXT(pwrite64)(fd, data, size, at);
}
ssize_t write(int fd, const void *data, size_t size) {
  on_fd(fd);
  return NEXT(write)(fd, data, size);
}
int ftruncate(int fd, off_t size) {
  on_fd(fd);
  return NEXT(ftruncate)(fd, size);
}
int ftruncate64(int fd, off64_t size) {
  on_fd(fd);
  return NEXT(ftruncate64)(fd, size);
}
int rename(const char *from, const char *to) {
  on_path(AT_FDCWD, to);
  return NEXT(rename)(from, to);
}
int renameat(int from_dir, const char *from, int to_dir, const char *to) {
  on_path(to_dir, to);
  return NEXT(renameat)(from_dir, from, to_dir, to);
}
int link(const char *from, const char *to) {
  on_path(AT_FDCWD, to);
  return NEXT(link)(from, to);
}
int symlink(const char *target, const char *path) {
  on_path(AT_FDCWD, path);
  return NEXT(symlink)(target, path);
}
int symlinkat(const char *target, int dir, const char *path) {
  on_path(dir, path);
  return NEXT(symlinkat)(target, dir, path);
}
int mkdir(const char *path, mode_t mode) {
  on_path(AT_FDCWD, path);
  return NEXT(mkdir)(path, mode);
}
int mkdirat(int dir, const char *path, mode_t mode) {
  on_path(dir, path);
  return NEXT(mkdirat)(dir, path, mode);
}
int unlink(const char *path) {
  on_path(AT_FDCWD, path);
  return NEXT(unlink)(path);
}
int unlinkat(int dir, const char *path, int flags) {
  on_path(dir, path);
  return NEXT(unlinkat)(dir, path, flags);
}
int rmdir(const char *path) {
  on_path(AT_FDCWD, path);
  return NEXT(rmdir)(path);
}
int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data) {
  on_path(AT_FDCWD, target);
  return NEXT(mount)(source, target, type, flags, data);
}
int umount2(const char *target, int flags) {
  on_path(AT_FDCWD, target);
  return NEXT(umount2)(target, flags);
}

// Of the daemon's sockets only those to portcullis-pause are of this kind, and the spawner's, which use sendmsg.
static void on_socket(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  if (watching() && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET) hit();
}

ssize_t send(int fd, const void *data, size_t size, int flags) {
  on_socket(fd);
  return NEXT(send)(fd, data, size, flags);
}

ssize_t recv(int fd, void *data, size_t size, int flags) {
  on_socket(fd);
  return NEXT(recv)(fd, data, size, flags);
}
