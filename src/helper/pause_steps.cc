#include "helper/pause_steps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace portcullis::helper {
namespace {

bool WriteFile(const char* path, const char* text) {
  const int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const size_t length = strlen(text);
  const ssize_t written = write(file, text, length);
  const int problem = errno;
  close(file);
  errno = written < 0 ? problem : EIO;
  return written == static_cast<ssize_t>(length);
}

// "net.ipv4.ip_forward" -> /proc/sys/net/ipv4/ip_forward. The kernel shows every process its own namespaces' values.
bool SetSysctl(const Sysctl& sysctl) {
  char path[512];
  const int length = snprintf(path, sizeof path, "/proc/sys/%s", sysctl.name);
  if (length < 0 || static_cast<size_t>(length) >= sizeof path) {
    errno = ENAMETOOLONG;
    return false;
  }
  for (char* c = path + strlen("/proc/sys/"); *c != '\0'; ++c) {
    if (*c == '.') *c = '/';
  }
  return WriteFile(path, sysctl.value);
}

}  // namespace

const char* EnterNamespaces(const PauseOptions& options) {
  // Keys of the daemon's session are no business of a pod. A kernel without keyrings has nothing to keep apart.
  if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0 && errno != ENOSYS) return "join a session keyring";
  if (options.oom_score_adj != nullptr && !WriteFile("/proc/self/oom_score_adj", options.oom_score_adj)) {
    return "set oom_score_adj";
  }
  if (options.network != nullptr) {
    const int network = open(options.network, O_RDONLY | O_CLOEXEC);
    if (network < 0) return "open the network namespace";
    if (setns(network, CLONE_NEWNET) != 0) return "join the network namespace";
    close(network);
  }
  if (unshare(options.namespaces) != 0) return "make namespaces";
  if (options.hostname != nullptr && sethostname(options.hostname, strlen(options.hostname)) != 0) {
    return "set the hostname";
  }
  for (size_t i = 0; i < options.sysctl_count; ++i) {
    if (!SetSysctl(options.sysctls[i])) return "set a sysctl";
  }
  return nullptr;
}

// cgroup v2 has no file for it: a program that always says no (bpf(2), BPF_CGROUP_DEVICE). It goes with the cgroup.
const char* ForbidDevices(const char* cgroup) {
  const bpf_insn program[] = {
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .src_reg = 0, .off = 0, .imm = 0},
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
  static const char kLicense[] = "GPL";
  bpf_attr load;
  memset(&load, 0, sizeof load);
  load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  load.insns = reinterpret_cast<uintptr_t>(program);
  load.insn_cnt = sizeof program / sizeof program[0];
  load.license = reinterpret_cast<uintptr_t>(kLicense);
  const int loaded = static_cast<int>(syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load));
  if (loaded < 0) return "load the device rule";
  const int folder = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return "open the device cgroup";
  bpf_attr attach;
  memset(&attach, 0, sizeof attach);
  attach.target_fd = static_cast<uint32_t>(folder);
  attach.attach_bpf_fd = static_cast<uint32_t>(loaded);
  attach.attach_type = BPF_CGROUP_DEVICE;
  attach.attach_flags = BPF_F_ALLOW_MULTI;
  if (syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach) != 0) return "set the device rule";
  close(folder);
  close(loaded);
  return nullptr;
}

const char* ChangeRoot(const char* root) {
  constexpr unsigned long kBare = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  // Nothing that is mounted here reaches the host, or comes from it.
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return "part from the host's mounts";
  if (mount(root, root, nullptr, MS_BIND, nullptr) != 0) return "bind the root";
  if (mount(nullptr, root, nullptr, MS_REMOUNT | MS_BIND | kBare, nullptr) != 0) return "make the root read-only";
  // pivot_root(2), "pivot_root(".", ".")": the old root ends up on top, and is taken away with all mounts below it.
  if (chdir(root) != 0) return "enter the root";
  if (syscall(SYS_pivot_root, ".", ".") != 0) return "change the root";
  if (umount2(".", MNT_DETACH) != 0) return "take the host's root away";
  if (chdir("/") != 0) return "enter the new root";
  return nullptr;
}

const char* DropDescriptors() {
  // Each would be a door to the host: the log that the daemon writes to, the folders of its cgroups.
  return close_range(0, ~0U, 0) == 0 ? nullptr : "close all descriptors";
}

const char* DropRights(const PauseOptions& options) {
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) return "drop a capability from the bounding set";
  }
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return "clear the ambient capabilities";
  // Raw calls: they are for this one thread.
  if (syscall(SYS_setgroups, options.group_count, options.groups) != 0) return "set the groups";
  if (syscall(SYS_setresgid, options.gid, options.gid, options.gid) != 0) return "set the group";
  if (syscall(SYS_setresuid, options.uid, options.uid, options.uid) != 0) return "set the user";
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];
  memset(none, 0, sizeof none);
  if (syscall(SYS_capset, &header, none) != 0) return "give up the capabilities";
  // With a shared PID namespace a container of the same user may not look into it either: its program is the host's.
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return "become undumpable";
  return nullptr;
}

const char* SealItself(const PauseOptions& options, const void* filter, unsigned short instructions) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return "give up new privileges";
  if (filter == nullptr) return nullptr;
  sock_fprog program{.len = instructions, .filter = static_cast<sock_filter*>(const_cast<void*>(filter))};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, options.filter_flags, &program) != 0) return "install the filter";
  return nullptr;
}

}  // namespace portcullis::helper
