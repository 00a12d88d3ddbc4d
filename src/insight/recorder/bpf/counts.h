// What the kernel program (record.bpf.c) and the recorder share: C, so that both compilers can read it.
#pragma once

#ifdef __bpf__
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long s64;
#else
#include <linux/types.h>
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;
#endif

enum {
  REC_MAX_WORKLOADS = 1024,
  REC_MAX_NUMBERS = 1024,  // system call numbers that can have arguments in the key
  REC_MAX_ARGS = 3,
  REC_CACHE = 4096,  // entries of the cache of cgroups, a power of two
  REC_ABIS = 2,      // the machine's own, and the 32-bit one
  REC_PATH = 1024,   // bytes of a path, components from the last to the first, each with its NUL
  REC_NAME = 256,    // longest component with its NUL
  REC_COMM = 16,
};

// As insight::Phase and insight::CallResult; counts_to_evidence.cc checks that they agree.
enum { REC_RUNTIME_START = 1, REC_INIT = 2, REC_SERVING = 3, REC_EXEC = 4, REC_SHUTDOWN = 5 };
enum {
  REC_ALLOWED = 1,
  REC_LOGGED = 2,
  REC_ERRNO = 3,
  REC_TRAP = 4,
  REC_TRACE = 5,
  REC_NOTIFY = 6,
  REC_KILL_THREAD = 7,
  REC_KILL_PROCESS = 8,
};

// Kinds of calls that tell when a program begins to serve.
enum { REC_CALL_LISTENS = 1, REC_CALL_WAITS = 2, REC_CALL_EXECS = 4, REC_CALL_FORKS = 8 };

struct rec_call_info {
  u8 args;  // bit i: argument i is part of the key
  u8 kind;
};

struct rec_key {
  u32 workload;
  u32 executable;  // id of a rec_file, 0: not known
  u32 number;
  u16 error;
  u8 phase;
  u8 result;
  u8 abi;   // 0: the machine's own (x32 too), 1: 32-bit
  u8 args;  // as rec_call_info.args; values in order
  u16 unused;
  u32 unused2;
  u64 arg[REC_MAX_ARGS];
};

struct rec_value {
  s64 count;  // of one processor; the sum is what counts
  u64 first;  // CLOCK_MONOTONIC
  u64 last;
  u64 ip;
  u64 module_offset;  // of ip in the file `module`
  u32 module;         // id of a rec_file, 0: not known
  u32 unused;
};

struct rec_file_key {
  u64 inode;
  u64 parent_inode;
  u32 device;
  u32 name_hash;
  char comm[REC_COMM];  // empty for a library
};

struct rec_file {
  u32 id;
  u16 length;    // bytes of path
  u8 truncated;  // the path has more components than there was room for
  u8 detached;   // no path: a memfd or the like, whose own name this is
  char path[REC_PATH + REC_NAME];
};

// A cgroup, by its hierarchy: 2 is the unified one, 1 the v1 hierarchy that was chosen.
struct rec_cgroup_key {
  u64 id;
  u32 hierarchy;
  u32 unused;
};

// Shared with the recorder in both directions, without locks: each field has one writer but for the atomic ones.
struct rec_workload {
  u64 armed_boot;      // CLOCK_BOOTTIME: processes that started earlier were there before the recording
  u64 started;         // CLOCK_MONOTONIC: its program began; 0: not yet
  u64 stop_signals;    // bit n-1: signal n to the first process begins the shutdown
  u32 announced_tgid;  // the runtime's process that will become the container's first
  u32 init_tgid;       // the first process
  u32 listening;
  u32 serving;
  u32 stopping;
  u32 live;  // tasks, atomic
};

// What was lost, by reason.
struct rec_losses {
  u64 calls;  // the map of calls was full
  u64 files;  // the map of files was full: calls without an executable
  u64 tasks;  // no memory for a task's state: its calls were not seen
};

// A process, by its id, for those who find the id in the audit log after its end.
struct rec_process {
  u32 workload;  // index + 1
  u32 where;     // REC_MAIN...
  u64 ended;     // CLOCK_MONOTONIC, 0: not yet; then the id may become another's
};

struct rec_task {
  u32 workload;  // index + 1
  u32 executable;
  u8 where;        // REC_MAIN...
  u8 fresh;        // a fork's child before its first return to user space
  u8 in_call;      // sys_enter was seen, sys_exit not yet
  u8 counted;      // the call is in the map, under `key`
  u8 sigsys;       // seccomp sent SIGSYS since the last call
  u8 has_verdict;  // `verdict` is what seccomp wrote to the audit log for the call at hand
  u16 unused;
  u32 verdict;
  u32 unused2;
  struct rec_key key;
};

enum {
  REC_MAIN = 1,     // of the container's first process or the command
  REC_EXECED = 2,   // came in later: exec, probe
  REC_JOINING = 3,  // the OCI runtime, in the container's cgroup, before the program
};
