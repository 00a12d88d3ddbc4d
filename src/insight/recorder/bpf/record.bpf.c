// Counts the system calls of chosen cgroups and process trees, with what became of each, in kernel maps.
//
// A call is counted at sys_enter, so that one that never returns is there too; sys_exit moves it to the entry of its
// errno when it failed. A seccomp filter runs before sys_enter: a call that it denies shows as a sys_exit without a
// sys_enter, and its number and arguments are still in the task's registers. One that kills the thread shows as an exit
// of a task whose seccomp mode is "dead".
//
// A task belongs to a workload when its parent did (fork), or when its cgroup, or one above, was chosen. Its state is
// in task storage, so that nothing must be cleaned up and no two tasks share it.
//
// Sources: kernel/entry/common.c (order of seccomp, sys_enter and sys_exit), kernel/seccomp.c (SECCOMP_MODE_DEAD since
// 5.16), arch/x86/include/asm/syscall.h (TS_COMPAT).
#include "insight/recorder/bpf/kernel_types.h"
// After the types it uses.
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";  // some helpers are for such programs only

enum {
  MAX_ERRNO = 4095,
  ERESTARTSYS = 512,
  ERESTART_RESTARTBLOCK = 516,
  EINTR = 4,
  SIGSYS = 31,
  SYS_SECCOMP = 1,
  SECCOMP_MODE_FILTER = 2,
  SECCOMP_MODE_DEAD = 3,
  MAX_DEPTH = 48,  // of a path, mounts included
  MAX_CGROUP_DEPTH = 16,
};
#define X32_BIT 0x40000000u
#define TS_COMPAT 0x2u
#define TIF_32BIT 22u

// Set by the recorder before loading.
const volatile u32 v1_controller = 0;  // 0: none, else which controller's hierarchy is looked at as well
const volatile u64 init_limit = 0;     // ns after which a program counts as serving
const volatile u32 tells_kills = 1;    // 0: the kernel has no SECCOMP_MODE_DEAD
const volatile u32 keeps_processes = 0;
const volatile struct rec_call_info calls_known[REC_ABIS][REC_MAX_NUMBERS] = {};

// Shared while it runs.
u32 generation = 0;  // of the chosen cgroups; 0: none is chosen
u32 next_file = 1;
struct rec_losses losses = {};
struct rec_workload workloads[REC_MAX_WORKLOADS] = {};
// Whose a cgroup is, by the end of its id: id (40 bits), workload index + 1 or 0 (11), generation (13). One word, so
// that no processor reads half of another's entry; 0 is none, for no cgroup has the id 0.
u64 cgroup_cache[2][REC_CACHE] = {};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
  __uint(max_entries, 16384);
  __type(key, struct rec_key);
  __type(value, struct rec_value);
} calls SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 2048);
  __type(key, struct rec_file_key);
  __type(value, struct rec_file);
} files SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, REC_MAX_WORKLOADS * 2);
  __type(key, struct rec_cgroup_key);
  __type(value, u32);  // workload index + 1
} cgroups SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct rec_task);
} tasks SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 1);  // more where keeps_processes
  __type(key, u32);
  __type(value, struct rec_process);
} processes SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, u32);
  __type(value, struct rec_file);
} scratch SEC(".maps");

static __always_inline struct rec_workload* workload_of(u32 index) {
  u32 at = index - 1;
  return at < REC_MAX_WORKLOADS ? &workloads[at] : 0;
}

static __always_inline void keep_process(u32 tgid, const struct rec_task* state) {
  if (!keeps_processes) return;
  struct rec_process process = {.workload = state->workload, .where = state->where};
  bpf_map_update_elem(&processes, &tgid, &process, BPF_ANY);
}

static __always_inline bool is_dead(int seccomp_mode) { return tells_kills && seccomp_mode == SECCOMP_MODE_DEAD; }

// ---- Registers
//
// Structures that the verifier knows the type of are read directly, which is quicker than BPF_CORE_READ.

static __always_inline bool is_compat(struct task_struct* task) {
#if defined(__TARGET_ARCH_x86)
  return (task->thread_info.status & TS_COMPAT) != 0;
#else
  return (task->thread_info.flags & (1ul << TIF_32BIT)) != 0;
#endif
}

static __always_inline u64 argument(struct pt_regs* regs, bool compat, int index) {
#if defined(__TARGET_ARCH_x86)
  if (compat) {
    switch (index) {
      case 0:
        return (u32)regs->bx;
      case 1:
        return (u32)regs->cx;
      case 2:
        return (u32)regs->dx;
      case 3:
        return (u32)regs->si;
      case 4:
        return (u32)regs->di;
      default:
        return (u32)regs->bp;
    }
  }
  switch (index) {
    case 0:
      return regs->di;
    case 1:
      return regs->si;
    case 2:
      return regs->dx;
    case 3:
      return regs->r10;
    case 4:
      return regs->r8;
    default:
      return regs->r9;
  }
#else
  u64 value = 0;
  bpf_probe_read_kernel(&value, sizeof(value), &regs->regs[index & 7]);
  return compat ? (u32)value : value;
#endif
}

static __always_inline u64 instruction(struct pt_regs* regs) {
#if defined(__TARGET_ARCH_x86)
  return regs->ip;
#else
  return regs->pc;
#endif
}

// What was asked for, at sys_exit: -1 after a signal's return.
static __always_inline long asked_number(struct pt_regs* regs) {
#if defined(__TARGET_ARCH_x86)
  return (long)regs->orig_ax;
#else
  return regs->syscallno;
#endif
}

// ---- Files

// The path of a file, its last component first, up to the root of the current task or of what can be reached.
// Not static: the kernel then verifies it once, not at each call; such functions take numbers only.
__noinline u32 file_id(u64 file_address, u32 library) {
  struct file* file = (void*)file_address;
  struct task_struct* task = (void*)bpf_get_current_task();
  if (file == 0) return 0;
  struct dentry* dentry = BPF_CORE_READ(file, f_path.dentry);
  struct vfsmount* mount = BPF_CORE_READ(file, f_path.mnt);
  struct rec_file_key key = {};
  key.inode = BPF_CORE_READ(dentry, d_inode, i_ino);
  key.parent_inode = BPF_CORE_READ(dentry, d_parent, d_inode, i_ino);
  key.device = BPF_CORE_READ(dentry, d_sb, s_dev);
  key.name_hash = BPF_CORE_READ(dentry, d_name.hash);
  if (!library) bpf_probe_read_kernel_str(key.comm, sizeof(key.comm), &task->comm);
  struct rec_file* known = bpf_map_lookup_elem(&files, &key);
  if (known) return known->id;

  u32 zero = 0;
  struct rec_file* made = bpf_map_lookup_elem(&scratch, &zero);
  if (!made) return 0;
  struct dentry* root = BPF_CORE_READ(task, fs, root.dentry);
  struct vfsmount* root_mount = BPF_CORE_READ(task, fs, root.mnt);
  made->truncated = 1;
  made->detached = 0;
  u32 length = 0;
  struct dentry* at = dentry;
  for (int i = 0; i < MAX_DEPTH; i++) {
    if (at == root && mount == root_mount) {
      made->truncated = 0;
      break;
    }
    if (at == BPF_CORE_READ(mount, mnt_root)) {
      struct mount* real = (void*)mount - bpf_core_field_offset(struct mount, mnt);
      struct mount* above = BPF_CORE_READ(real, mnt_parent);
      if (above == real) {
        made->truncated = 0;
        break;
      }
      at = BPF_CORE_READ(real, mnt_mountpoint);
      mount = (void*)above + bpf_core_field_offset(struct mount, mnt);
      continue;
    }
    struct dentry* parent = BPF_CORE_READ(at, d_parent);
    if (parent == at) {
      made->truncated = 0;
      break;
    }
    if (length >= REC_PATH) break;
    u32 end = length;
    barrier_var(end);  // or the compiler drops the mask, and Linux 6.1 does not see the bound
    end &= REC_PATH - 1;
    long size = bpf_probe_read_kernel_str(&made->path[end], REC_NAME, BPF_CORE_READ(at, d_name.name));
    if (size <= 0) break;
    length += size;
    at = parent;
  }
  if (length == 0) {
    long size = bpf_probe_read_kernel_str(made->path, REC_NAME, BPF_CORE_READ(dentry, d_name.name));
    if (size > 0) length = size;
    made->detached = 1;
  }
  made->length = length;
  made->id = __sync_fetch_and_add(&next_file, 1);
  if (bpf_map_update_elem(&files, &key, made, BPF_NOEXIST) != 0) {
    known = bpf_map_lookup_elem(&files, &key);  // another processor was quicker
    if (known) return known->id;
    if (!library) __sync_fetch_and_add(&losses.files, 1);
    return 0;
  }
  return made->id;
}

static __always_inline u32 executable_of(struct task_struct* task) {
  return file_id((u64)BPF_CORE_READ(task, mm, exe_file), false);
}

struct module {
  u64 ip;
  u64 offset;
  u32 id;
};

static long take_module(struct task_struct* task, struct vm_area_struct* area, struct module* found) {
  found->offset = found->ip - BPF_CORE_READ(area, vm_start) + (BPF_CORE_READ(area, vm_pgoff) << 12);
  found->id = file_id((u64)BPF_CORE_READ(area, vm_file), true);
  return 0;
}

// ---- Whose a task is

enum { CACHED_ID_BITS = 40, CACHED_WORKLOAD_BITS = 11, CACHED_WORKLOAD_MASK = (1 << CACHED_WORKLOAD_BITS) - 1 };

static __always_inline u64 cached(u64 id, u64 workload, u64 made_in) {
  return id | workload << CACHED_ID_BITS | made_in << (CACHED_ID_BITS + CACHED_WORKLOAD_BITS);
}

// Not static, as file_id.
__noinline u32 walk_cgroups(u64 cgroup_address, u32 hierarchy) {
  struct cgroup* cgroup = (void*)cgroup_address;
  if (cgroup == 0) return 0;
  u32 began = generation;
  u32 workload = 0;
  struct rec_cgroup_key above = {.id = BPF_CORE_READ(cgroup, kn, id), .hierarchy = hierarchy};
  u64 id = above.id;
  struct cgroup_subsys_state* self = (void*)cgroup + bpf_core_field_offset(struct cgroup, self);
  for (int i = 0; i < MAX_CGROUP_DEPTH; i++) {
    u32* chosen = bpf_map_lookup_elem(&cgroups, &above);
    if (chosen) {
      workload = *chosen;
      break;
    }
    self = BPF_CORE_READ(self, parent);
    if (self == 0) break;
    above.id = BPF_CORE_READ(self, cgroup, kn, id);
  }
  if (id < (1ull << CACHED_ID_BITS)) {
    cgroup_cache[hierarchy & 1][id & (REC_CACHE - 1)] = cached(id, workload & CACHED_WORKLOAD_MASK, began);
  }
  return workload;
}

// Every call of every task of the host that is not recorded comes by here: a few loads, no helper.
static __always_inline u32 workload_of_cgroup(struct cgroup* cgroup, u32 hierarchy) {
  u64 id = cgroup->kn->id;
  u64 known = cgroup_cache[hierarchy & 1][id & (REC_CACHE - 1)];
  u32 workload = (known >> CACHED_ID_BITS) & CACHED_WORKLOAD_MASK;
  if (known != 0 && known == cached(id, workload, generation)) return workload;
  u64 address = 0;
  bpf_probe_read_kernel(&address, sizeof(address), &(struct cgroup*){cgroup});
  return walk_cgroups(address, hierarchy);
}

static __always_inline u32 v1_subsystem(void) {
  switch (v1_controller) {
    case 1:
      return bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id)
                 ? bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id)
                 : 0;
    case 2:
      return bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id)
                 ? bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id)
                 : 0;
    case 3:
      return bpf_core_enum_value_exists(enum cgroup_subsys_id, devices_cgrp_id)
                 ? bpf_core_enum_value(enum cgroup_subsys_id, devices_cgrp_id)
                 : 0;
    case 4:
      return bpf_core_enum_value_exists(enum cgroup_subsys_id, freezer_cgrp_id)
                 ? bpf_core_enum_value(enum cgroup_subsys_id, freezer_cgrp_id)
                 : 0;
    default:
      return bpf_core_enum_value_exists(enum cgroup_subsys_id, cpu_cgrp_id)
                 ? bpf_core_enum_value(enum cgroup_subsys_id, cpu_cgrp_id)
                 : 0;
  }
}

static __always_inline u32 workload_by_cgroup(struct task_struct* task) {
  struct css_set* set = task->cgroups;
  u32 workload = workload_of_cgroup(set->dfl_cgrp, 2);
  if (workload != 0 || v1_controller == 0) return workload;
  struct cgroup_subsys_state* css = set->subsys[v1_subsystem()];
  return workload_of_cgroup(css->cgroup, 1);
}

// The state of a task that is seen for the first time; 0 when it is nobody's.
static __always_inline struct rec_task* adopt(struct task_struct* task) {
  if (generation == 0) return 0;
  u32 index = workload_by_cgroup(task);
  struct rec_workload* workload = workload_of(index);
  if (!workload) return 0;
  struct rec_task* state = bpf_task_storage_get(&tasks, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!state) {
    __sync_fetch_and_add(&losses.tasks, 1);
    return 0;
  }
  state->workload = index;
  state->where = REC_JOINING;
  if ((u32)task->tgid != workload->announced_tgid && task->start_boottime < workload->armed_boot) {
    state->where = REC_MAIN;
  }
  state->executable = executable_of(task);
  __sync_fetch_and_add(&workload->live, 1);
  keep_process(task->tgid, state);
  return state;
}

static __always_inline u8 phase_of(struct rec_task* state, struct rec_workload* workload, u64 now) {
  if (state->where == REC_JOINING) return REC_RUNTIME_START;
  if (state->where == REC_EXECED) return REC_EXEC;
  if (workload->stopping) return REC_SHUTDOWN;
  if (workload->serving || now - workload->started > init_limit) return REC_SERVING;
  return REC_INIT;
}

// ---- Counting

static __always_inline void count(struct task_struct* task, const struct rec_key* key, s64 by, u64 now, u64 ip) {
  struct rec_value* value = bpf_map_lookup_elem(&calls, key);
  if (value) {
    value->count += by;
    if (value->first == 0) value->first = now;
    if (by > 0) value->last = now;
    return;
  }
  struct rec_value made = {.count = by, .first = now, .last = now, .ip = ip};
  if (key->result != REC_ALLOWED && key->result != REC_LOGGED &&
      bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_find_vma)) {
    struct module module = {.ip = ip};
    bpf_find_vma(task, ip, take_module, &module, 0);
    made.module = module.id;
    made.module_offset = module.offset;
  }
  if (bpf_map_update_elem(&calls, key, &made, BPF_ANY) != 0) __sync_fetch_and_add(&losses.calls, 1);
}

// Fills the key but for result and errno.
static __always_inline u8 describe(struct rec_key* key, struct rec_task* state, struct rec_workload* workload,
                                   struct task_struct* task, struct pt_regs* regs, u32 number, u64 now) {
  bool compat = is_compat(task);
  __builtin_memset(key, 0, sizeof(*key));
  key->workload = state->workload;
  key->executable = state->executable;
  key->number = number;
  key->phase = phase_of(state, workload, now);
  key->abi = compat ? 1 : 0;
  u32 row = number & ~X32_BIT;
  if (row >= REC_MAX_NUMBERS) return 0;
  barrier_var(row);  // or the compiler drops the mask that the verifier wants to see
  row &= REC_MAX_NUMBERS - 1;
  const volatile struct rec_call_info* info = &calls_known[compat ? 1 : 0][row];
  u8 args = info->args;
  if (args != 0) {
    u32 used = 0;
#pragma unroll
    for (int i = 0; i < 6; i++) {
      if ((args & (1 << i)) != 0 && used < REC_MAX_ARGS) {
        u64 value = argument(regs, compat, i);
        if (used == 0) {
          key->arg[0] = value;
        } else if (used == 1) {
          key->arg[1] = value;
        } else {
          key->arg[2] = value;
        }
        used++;
      }
    }
    key->args = args;
  }
  return info->kind;
}

// Is this call under the container's filter, or would be? The OCI runtime's own calls before it loads one are not.
static __always_inline bool is_subject(struct task_struct* task, struct rec_task* state, struct rec_workload* workload,
                                       u8 kind) {
  if (state->where != REC_JOINING) return true;
  if (task->seccomp.mode != 0 || (kind & REC_CALL_EXECS) != 0) return true;
  return workload->announced_tgid != 0 && (u32)task->tgid == workload->announced_tgid;
}

static __always_inline u8 result_of_verdict(u32 code) {
  switch (code & 0xffff0000u) {
    case 0x80000000u:
      return REC_KILL_PROCESS;
    case 0x00000000u:
      return REC_KILL_THREAD;
    case 0x00030000u:
      return REC_TRAP;
    case 0x7fc00000u:
      return REC_NOTIFY;
    case 0x7ff00000u:
      return REC_TRACE;
    case 0x7ffc0000u:
      return REC_LOGGED;
    default:
      return REC_ERRNO;
  }
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter, struct pt_regs* regs, long id) {
  struct task_struct* task = bpf_get_current_task_btf();
  struct rec_task* state = bpf_task_storage_get(&tasks, task, 0, 0);
  if (!state) {
    state = adopt(task);
    if (!state) return 0;
  }
  struct rec_workload* workload = workload_of(state->workload);
  if (!workload) return 0;
  u64 now = bpf_ktime_get_ns();
  struct rec_key* key = &state->key;
  u8 kind = describe(key, state, workload, task, regs, id, now);
  state->in_call = 1;
  state->fresh = 0;
  state->sigsys = 0;
  state->counted = is_subject(task, state, workload, kind);
  key->result = state->has_verdict && result_of_verdict(state->verdict) == REC_LOGGED ? REC_LOGGED : REC_ALLOWED;
  state->has_verdict = 0;
  if (!state->counted) return 0;
  count(task, key, 1, now, instruction(regs));
  if (state->where == REC_MAIN) {
    if ((kind & REC_CALL_LISTENS) != 0) workload->listening = 1;
    if ((kind & REC_CALL_WAITS) != 0 && workload->listening) workload->serving = 1;
  }
  return 0;
}

static __always_inline u32 error_of(long value) {
  if (value >= 0 || value < -MAX_ERRNO) return 0;
  if (value <= -ERESTARTSYS && value >= -ERESTART_RESTARTBLOCK) return EINTR;
  return -value;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit, struct pt_regs* regs, long value) {
  struct task_struct* task = bpf_get_current_task_btf();
  struct rec_task* state = bpf_task_storage_get(&tasks, task, 0, 0);
  if (!state) {
    // Its call began before: nothing to say about that one. Only a filter could hide the next from sys_enter.
    if (task->seccomp.mode != 0) adopt(task);
    return 0;
  }
  struct rec_workload* workload = workload_of(state->workload);
  if (!workload) return 0;
  u32 error = error_of(value);
  if (state->in_call) {
    state->in_call = 0;
    state->sigsys = 0;
    if (error == 0 || !state->counted) return 0;
    u64 now = bpf_ktime_get_ns();
    u64 ip = instruction(regs);
    count(task, &state->key, -1, now, ip);
    state->key.error = error;
    count(task, &state->key, 1, now, ip);
    return 0;
  }
  int mode = task->seccomp.mode;
  long number = asked_number(regs);
  u64 now = bpf_ktime_get_ns();
  struct rec_key* key = &state->key;
  u8 kind = describe(key, state, workload, task, regs, number, now);
  bool child = state->fresh && value == 0 && (kind & REC_CALL_FORKS) != 0;
  state->fresh = 0;
  bool has_verdict = state->has_verdict;
  state->has_verdict = 0;
  // Without a filter nothing was denied: a child's first return, or a call that began before the recording.
  if (child || mode < SECCOMP_MODE_FILTER || number < 0 || !is_subject(task, state, workload, kind)) return 0;
  if (state->sigsys) {
    state->sigsys = 0;
    key->result = is_dead(mode) ? REC_KILL_PROCESS : REC_TRAP;
  } else if (has_verdict) {
    key->result = result_of_verdict(state->verdict);
    key->error = error;
  } else {
    key->result = value > 0 ? REC_NOTIFY : REC_ERRNO;  // a positive value is a supervisor's
    key->error = error;
  }
  count(task, key, 1, now, instruction(regs));
  return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(forked, struct task_struct* parent, struct task_struct* child) {
  struct rec_task* from = bpf_task_storage_get(&tasks, parent, 0, 0);
  if (!from) return 0;
  struct rec_workload* workload = workload_of(from->workload);
  if (!workload) return 0;
  struct rec_task* state = bpf_task_storage_get(&tasks, child, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!state) {
    __sync_fetch_and_add(&losses.tasks, 1);
    return 0;
  }
  state->workload = from->workload;
  state->executable = from->executable;
  state->where = from->where;
  state->fresh = 1;
  __sync_fetch_and_add(&workload->live, 1);
  keep_process(child->tgid, state);
  return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(execed, struct task_struct* task, int old_pid, struct linux_binprm* binary) {
  struct rec_task* state = bpf_task_storage_get(&tasks, task, 0, 0);
  if (!state) return 0;
  struct rec_workload* workload = workload_of(state->workload);
  if (!workload) return 0;
  state->executable = executable_of(task);
  if (state->where != REC_JOINING) return 0;
  u32 tgid = task->tgid;
  if (workload->started == 0 || tgid == workload->announced_tgid) {
    state->where = REC_MAIN;
    workload->init_tgid = tgid;
    workload->started = bpf_ktime_get_ns();
  } else {
    state->where = REC_EXECED;
  }
  keep_process(tgid, state);
  return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(exited, struct task_struct* task) {
  struct rec_task* state = bpf_task_storage_get(&tasks, task, 0, 0);
  if (!state) return 0;
  struct rec_workload* workload = workload_of(state->workload);
  if (!workload) return 0;
  __sync_fetch_and_add(&workload->live, -1);
  if (keeps_processes && BPF_CORE_READ(task, signal, live.counter) == 0) {
    u32 tgid = task->tgid;
    struct rec_process* process = bpf_map_lookup_elem(&processes, &tgid);
    if (process) process->ended = bpf_ktime_get_ns();
  }
  // Killed as one thread of several: there is no sys_exit. (A killed process was seen there, and has sigsys.)
  if (state->in_call || state->sigsys || !is_dead(task->seccomp.mode)) return 0;
  if (state->key.result == REC_KILL_PROCESS) return 0;
  if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_find_vma)) return 0;  // as old as bpf_task_pt_regs
  struct pt_regs* regs = (struct pt_regs*)bpf_task_pt_regs(bpf_get_current_task_btf());
  u64 now = bpf_ktime_get_ns();
  u8 kind = describe(&state->key, state, workload, task, regs, asked_number(regs), now);
  if (!is_subject(task, state, workload, kind)) return 0;
  state->key.result = REC_KILL_THREAD;
  count(task, &state->key, 1, now, instruction(regs));
  return 0;
}

SEC("tp_btf/signal_generate")
int BPF_PROG(signalled, int signal, struct kernel_siginfo* info, struct task_struct* task, int group, int result) {
  struct rec_task* state = bpf_task_storage_get(&tasks, task, 0, 0);
  if (!state) return 0;
  struct rec_workload* workload = workload_of(state->workload);
  if (!workload) return 0;
  if (signal == SIGSYS) {
    // Not a real address for signals without details: the read then fails.
    int code = 0;
    if (bpf_probe_read_kernel(&code, sizeof(code),
                              (void*)info + bpf_core_field_offset(struct kernel_siginfo, si_code)) == 0 &&
        code == SYS_SECCOMP) {
      state->sigsys = 1;
    }
    return 0;
  }
  if (signal < 1 || signal > 64 || (workload->stop_signals & (1ull << (signal - 1))) == 0) return 0;
  if (workload->init_tgid != 0 && (u32)task->tgid == workload->init_tgid) workload->stopping = 1;
  return 0;
}

// What seccomp decided, where it writes to the audit log. Optional: without it a logged call is an allowed one.
SEC("kprobe/audit_seccomp")
int audited(struct pt_regs* regs) {
  struct task_struct* task = bpf_get_current_task_btf();
  struct rec_task* state = bpf_task_storage_get(&tasks, task, 0, 0);
  if (!state) return 0;
#if defined(__TARGET_ARCH_x86)
  state->verdict = (u32)BPF_CORE_READ(regs, dx);
#else
  state->verdict = (u32)regs->regs[2];
#endif
  state->has_verdict = 1;
  return 0;
}
