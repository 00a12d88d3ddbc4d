// Calls of known numbers and arguments, under a filter of its own, for test_record.py. usage: record_calls WHAT
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AF_ALG_ = 38, AF_NETLINK_ = 16 };

static int load(unsigned number, unsigned action) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, action),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {4, filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static void on_signal(int signal) { (void)signal; }

static void* ask(void* unused) {
  syscall(SYS_getppid);
  return unused;
}

static int run(const char* what) {
  if (!strcmp(what, "errno")) {
    if (load(SYS_socket, SECCOMP_RET_ERRNO | EACCES)) return 10;
    if (syscall(SYS_socket, AF_ALG_, 5, 7) != -1 || errno != EACCES) return 11;
    if (fork() == 0) _exit(syscall(SYS_socket, AF_NETLINK_, 3, 9) == -1 ? 0 : 12);
    int status = 0;
    wait(&status);
    return status;
  }
  if (!strcmp(what, "trap")) {
    signal(SIGSYS, on_signal);
    if (load(SYS_getppid, SECCOMP_RET_TRAP)) return 10;
    syscall(SYS_getppid);
    syscall(SYS_getppid);
    return 0;
  }
  if (!strcmp(what, "kill")) {
    if (load(SYS_getppid, SECCOMP_RET_KILL_PROCESS)) return 10;
    syscall(SYS_getppid);
    return 11;
  }
  if (!strcmp(what, "kill-thread")) {
    if (load(SYS_getppid, SECCOMP_RET_KILL_THREAD)) return 10;
    pthread_t thread;
    if (pthread_create(&thread, 0, ask, 0)) return 11;
    pthread_join(thread, 0);
    return 0;
  }
  if (!strcmp(what, "log")) {
    if (load(SYS_getppid, SECCOMP_RET_LOG)) return 10;
    syscall(SYS_getppid);
    return 0;
  }
  if (!strcmp(what, "names")) {  // distinct calls, as far as evidence goes
    if (load(SYS_getppid, SECCOMP_RET_LOG)) return 10;
    for (int i = 0; i < 5000; i++) {
      char name[16];
      snprintf(name, sizeof(name), "name-%d", i);
      prctl(PR_SET_NAME, name, 0, 0, 0);
      syscall(SYS_getppid);
    }
    return 0;
  }
  if (!strcmp(what, "children")) {
    if (load(SYS_getppid, SECCOMP_RET_LOG)) return 10;
    for (int i = 0; i < 1000; i++) {
      if (fork() == 0) {
        syscall(SYS_getppid);
        _exit(0);
      }
      wait(0);
    }
    return 0;
  }
  if (!strcmp(what, "threads")) {
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) {
      if (pthread_create(&threads[i], 0, ask, 0)) return 11;
    }
    for (int i = 0; i < 8; i++) pthread_join(threads[i], 0);
    return 0;
  }
#if defined(__x86_64__)
  if (!strcmp(what, "int80")) {
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(359), "b"(AF_ALG_), "c"(5), "d"(7) : "memory");  // socket
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(64) : "memory");                                 // getppid
    return 0;
  }
#endif
  fprintf(stderr, "record_calls: %s?\n", what);
  return 2;
}

int main(int count, char** words) { return count == 2 ? run(words[1]) : 2; }
