// Tries calls that a container's seccomp profile should stop, each in a child of its own so that nothing sticks, and
// prints one line a call:
//
//   unshare EPERM
//   clone3 ENOSYS
//   mount ok
//
// or, with --json, one object: {"unshare":"EPERM",...}. "ok" means the kernel let the call through. The calls are made
// in the form that needs no capability (through a user namespace where that helps), so that what differs between two
// containers is their seccomp profile. Names given as arguments limit the run to those; af_alg, which many kernels lack
// (EAFNOSUPPORT), is tried only when it is named. Exit status 0.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int TryUnshare(void) { return unshare(CLONE_NEWUSER) == 0 ? 0 : errno; }

static int TryMount(void) {
  // In namespaces of its own: there it needs no capability outside, and goes with this process. If they are refused, a
  // mount of no known type still meets the filter, and cannot succeed.
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
    return mount("none", "/", "portcullis-probe", 0, "") == 0 || errno == ENODEV ? 0 : errno;
  }
  return mount("tmpfs", "/proc", "tmpfs", MS_NOSUID, "size=4k") == 0 ? 0 : errno;
}

static int TryKeyctl(void) {
  return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1) >= 0 ? 0 : errno;
}

static int TryAddKey(void) {
  return syscall(SYS_add_key, "user", "portcullis-probe", "x", 1, KEY_SPEC_PROCESS_KEYRING) >= 0 ? 0 : errno;
}

static int TryCloneNewUser(void) {
  const long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (child == 0) _exit(0);
  if (child < 0) return errno;
  waitpid((pid_t)child, NULL, 0);
  return 0;
}

static int TryClone3(void) {
  struct clone_args arguments;
  memset(&arguments, 0, sizeof arguments);
  arguments.exit_signal = SIGCHLD;
  const long child = syscall(SYS_clone3, &arguments, sizeof arguments);
  if (child == 0) _exit(0);
  if (child < 0) return errno;
  waitpid((pid_t)child, NULL, 0);
  return 0;
}

// Asks for a pinned object that is not there: unprivileged use of that command is allowed, so ENOENT is the kernel's
// own answer.
static int TryBpf(void) {
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.pathname = (uint64_t)(uintptr_t)"/no-such-bpf-object";
  if (syscall(SYS_bpf, BPF_OBJ_GET, &attributes, sizeof attributes) >= 0 || errno == ENOENT) return 0;
  return errno;
}

// The kernel's crypto sockets.
static int TryAfAlg(void) { return socket(AF_ALG, SOCK_SEQPACKET, 0) >= 0 ? 0 : errno; }

struct Probe {
  const char* name;
  int (*try_it)(void);
  int only_by_name;
};

static const struct Probe kProbes[] = {
    {"unshare", TryUnshare, 0}, {"mount", TryMount, 0},    {"keyctl", TryKeyctl, 0}, {"clone-newuser", TryCloneNewUser, 0},
    {"clone3", TryClone3, 0},   {"add_key", TryAddKey, 0}, {"bpf", TryBpf, 0},       {"af_alg", TryAfAlg, 1},
};

// "ok", the errno's name, or how the child died.
static void RunProbe(const struct Probe* probe, char* outcome, size_t size) {
  fflush(stdout);
  const pid_t child = fork();
  if (child < 0) {
    snprintf(outcome, size, "fork-failed");
    return;
  }
  if (child == 0) _exit(probe->try_it());  // errno values the kernel returns here are below 256
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    snprintf(outcome, size, "SIG%s", sigabbrev_np(WTERMSIG(status)));
  } else if (WEXITSTATUS(status) == 0) {
    snprintf(outcome, size, "ok");
  } else {
    const char* name = strerrorname_np(WEXITSTATUS(status));
    if (name != NULL) {
      snprintf(outcome, size, "%s", name);
    } else {
      snprintf(outcome, size, "errno-%d", WEXITSTATUS(status));
    }
  }
}

static int Wanted(const struct Probe* probe, int argc, char** argv) {
  int any_named = 0;
  for (int i = 1; i < argc; ++i) {
    if (argv[i][0] == '-') continue;
    if (strcmp(argv[i], probe->name) == 0) return 1;
    any_named = 1;
  }
  return !any_named && !probe->only_by_name;
}

int main(int argc, char** argv) {
  int json = 0;
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "--json") == 0) {
      json = 1;
    } else if (argv[i][0] == '-') {
      fprintf(stderr, "usage: seccomp-probe [--json] [call...]\n");
      return 2;
    }
  }
  const char* separator = "";
  if (json) printf("{");
  for (size_t i = 0; i < sizeof kProbes / sizeof kProbes[0]; ++i) {
    if (!Wanted(&kProbes[i], argc, argv)) continue;
    char outcome[64];
    RunProbe(&kProbes[i], outcome, sizeof outcome);
    if (json) {
      printf("%s\"%s\":\"%s\"", separator, kProbes[i].name, outcome);
      separator = ",";
    } else {
      printf("%s %s\n", kProbes[i].name, outcome);
    }
  }
  if (json) printf("}\n");
  return 0;
}
