// Calls that default profiles answer differently, and programs that make them, for test_preflight.py. Static, x86_64.
//
//   denied-calls calls       one JSON line a call: what it was, as a trace names it, and what the kernel or filter said
//   denied-calls threads     ends with 0 when a thread can be started (the C library tries clone3, then clone)
//   denied-calls sandbox     ends with 0 when a user namespace can be made
//   denied-calls placement   ends with 0 whether its memory can be placed or not
//   denied-calls keyring     ends with 0 when it can look at its keyring
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kSocketcall = 102, kChildOfClone = 200 };

struct Case {
  const char* name;
  uint32_t audit_arch;
  long number;
  int arguments;  // how many of them a trace keeps
  unsigned long args[6];
};

static struct io_uring_params ring;
static struct perf_event_attr event = {.type = PERF_TYPE_SOFTWARE, .size = sizeof event, .config = PERF_COUNT_SW_DUMMY,
                                       .exclude_kernel = 1, .exclude_hv = 1};
static struct clone_args clone3_args = {.exit_signal = SIGCHLD};
// Of a 32-bit call: below 4 GiB, since this program is static and not position independent.
static uint32_t socket_words[3] = {AF_UNIX, SOCK_STREAM, 0};
static char page[4096] __attribute__((aligned(4096)));

static long Call32(long number, long first, long second) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(first), "c"(second) : "memory", "r8", "r9", "r10", "r11");
  return (int)result;
}

// 0 or the errno; a child that the call makes ends here.
static int Make(const struct Case* one) {
  long result;
  if (one->audit_arch == AUDIT_ARCH_I386) {
    result = Call32(one->number, (long)one->args[0], (long)one->args[1]);
    return result < 0 ? (int)-result : 0;
  }
  result = syscall(one->number, one->args[0], one->args[1], one->args[2], one->args[3], one->args[4], one->args[5]);
  if (result < 0) return errno;
  if (result == 0 && (one->number == SYS_clone || one->number == SYS_clone3)) _exit(kChildOfClone);
  return 0;
}

static int Calls(void) {
  const struct Case cases[] = {
      {"getpid", AUDIT_ARCH_X86_64, SYS_getpid, 0, {0}},
      {"unshare", AUDIT_ARCH_X86_64, SYS_unshare, 1, {CLONE_NEWUSER}},
      {"clone", AUDIT_ARCH_X86_64, SYS_clone, 1, {CLONE_NEWUSER | SIGCHLD}},
      {"clone3", AUDIT_ARCH_X86_64, SYS_clone3, 0, {(unsigned long)&clone3_args, sizeof clone3_args}},
      {"perf_event_open", AUDIT_ARCH_X86_64, SYS_perf_event_open, 0, {(unsigned long)&event, 0, (unsigned long)-1, (unsigned long)-1}},
      {"io_uring_setup", AUDIT_ARCH_X86_64, SYS_io_uring_setup, 0, {1, (unsigned long)&ring}},
      {"mbind", AUDIT_ARCH_X86_64, SYS_mbind, 0, {(unsigned long)page, sizeof page}},
      {"keyctl", AUDIT_ARCH_X86_64, SYS_keyctl, 0, {KEYCTL_GET_KEYRING_ID, (unsigned long)KEY_SPEC_PROCESS_KEYRING, 1}},
      {"af_alg", AUDIT_ARCH_X86_64, SYS_socket, 3, {AF_ALG, SOCK_SEQPACKET, 0}},
      {"af_vsock", AUDIT_ARCH_X86_64, SYS_socket, 3, {AF_VSOCK, SOCK_STREAM, 0}},
      {"af_unix", AUDIT_ARCH_X86_64, SYS_socket, 3, {AF_UNIX, SOCK_STREAM, 0}},
      {"socketcall", AUDIT_ARCH_I386, kSocketcall, 0, {1, (unsigned long)socket_words}},
      {"personality", AUDIT_ARCH_X86_64, SYS_personality, 1, {ADDR_NO_RANDOMIZE}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    const struct Case* one = &cases[i];
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) _exit(Make(one));
    int status = 0;
    waitpid(child, &status, 0);
    printf("{\"name\":\"%s\",\"auditArch\":\"%x\",\"number\":%ld,\"args\":{", one->name, one->audit_arch, one->number);
    for (int a = 0; a < one->arguments; ++a) printf("%s\"%d\":%lu", a == 0 ? "" : ",", a, one->args[a]);
    if (WIFSIGNALED(status)) {
      printf("},\"signal\":%d}\n", WTERMSIG(status));
    } else {
      printf("},\"errno\":%d}\n", WEXITSTATUS(status));
    }
  }
  return 0;
}

static void* Nothing(void* argument) { return argument; }

static int Threads(void) {
  pthread_t thread;
  const int error = pthread_create(&thread, NULL, Nothing, NULL);
  if (error != 0) {
    printf("can't start new thread: %s\n", strerror(error));
    return 1;
  }
  pthread_join(thread, NULL);
  printf("started a thread\n");
  return 0;
}

static int Sandbox(void) {
  if (unshare(CLONE_NEWUSER) == 0) {
    printf("in a sandbox\n");
    return 0;
  }
  printf("no usable sandbox: %m\n");
  return 1;
}

static int Placement(void) {
  if (syscall(SYS_mbind, page, sizeof page, 0, NULL, 0, 0) != 0) printf("mbind: %m\n");
  printf("went on\n");
  return 0;
}

static int Keyring(void) {
  if (syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, (long)KEY_SPEC_PROCESS_KEYRING, 1) != -1) {
    printf("has a keyring\n");
    return 0;
  }
  printf("no keyring: %m\n");
  return 1;
}

int main(int argc, char** argv) {
  const char* verb = argc > 1 ? argv[1] : "";
  if (strcmp(verb, "calls") == 0) return Calls();
  if (strcmp(verb, "threads") == 0) return Threads();
  if (strcmp(verb, "sandbox") == 0) return Sandbox();
  if (strcmp(verb, "placement") == 0) return Placement();
  if (strcmp(verb, "keyring") == 0) return Keyring();
  fprintf(stderr, "usage: denied-calls calls|threads|sandbox|placement|keyring\n");
  return 2;
}
