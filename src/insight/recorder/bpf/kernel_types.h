// The few fields of the kernel's structures that record.bpf.c reads. CO-RE finds their offsets in the BTF of the kernel
// that the program is loaded into, so no vmlinux.h of the build machine is needed.
#pragma once

#include <stdbool.h>

#include "insight/recorder/bpf/counts.h"

typedef u16 __u16;
typedef u8 __u8;
typedef u32 __u32;
typedef u64 __u64;
typedef short __s16;
typedef int __s32;
typedef s64 __s64;
typedef u16 __be16;
typedef u32 __be32;
typedef u32 __wsum;

enum {
  BPF_ANY = 0,
  BPF_NOEXIST = 1,
};
enum { BPF_F_NO_PREALLOC = 1, BPF_LOCAL_STORAGE_GET_F_CREATE = 1 };
enum bpf_map_type {
  BPF_MAP_TYPE_HASH = 1,
  BPF_MAP_TYPE_ARRAY = 2,
  BPF_MAP_TYPE_PERCPU_HASH = 5,
  BPF_MAP_TYPE_PERCPU_ARRAY = 6,
  BPF_MAP_TYPE_LRU_HASH = 9,
  BPF_MAP_TYPE_TASK_STORAGE = 29,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
  unsigned long bx, cx, dx, si, di, bp, r8, r9, r10, orig_ax, ip;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
  u64 regs[31];
  u64 sp;
  u64 pc;
  int syscallno;
};
#endif

struct inode {
  unsigned long i_ino;
};
struct super_block {
  u32 s_dev;
};
struct qstr {
  u32 hash;
  const unsigned char* name;
};
struct dentry {
  struct dentry* d_parent;
  struct qstr d_name;
  struct inode* d_inode;
  struct super_block* d_sb;
};
struct vfsmount {
  struct dentry* mnt_root;
};
struct mount {
  struct mount* mnt_parent;
  struct dentry* mnt_mountpoint;
  struct vfsmount mnt;
};
struct path {
  struct vfsmount* mnt;
  struct dentry* dentry;
};
struct file {
  struct path f_path;
};
struct fs_struct {
  struct path root;
};
struct mm_struct {
  struct file* exe_file;
};
struct vm_area_struct {
  unsigned long vm_start;
  unsigned long vm_pgoff;
  struct file* vm_file;
};
struct kernfs_node {
  u64 id;
};
struct cgroup;
struct cgroup_subsys_state {
  struct cgroup* cgroup;
  struct cgroup_subsys_state* parent;
};
struct cgroup {
  struct cgroup_subsys_state self;
  struct kernfs_node* kn;
};
struct css_set {
  struct cgroup_subsys_state* subsys[1];
  struct cgroup* dfl_cgrp;
};
struct seccomp {
  int mode;
};
struct thread_info {
  unsigned long flags;
  u32 status;
};
typedef struct {
  int counter;
} atomic_t;
struct signal_struct {
  atomic_t live;  // threads that do not end yet
};
struct task_struct {
  struct thread_info thread_info;
  int tgid;
  u64 start_boottime;
  struct mm_struct* mm;
  struct fs_struct* fs;
  struct css_set* cgroups;
  struct signal_struct* signal;
  struct seccomp seccomp;
  char comm[REC_COMM];
};
struct kernel_siginfo {
  int si_code;
};
struct linux_binprm;

#pragma clang attribute pop

// Their values are the running kernel's.
enum cgroup_subsys_id { cpu_cgrp_id = 1000, memory_cgrp_id, devices_cgrp_id, freezer_cgrp_id, pids_cgrp_id };
enum bpf_func_id { BPF_FUNC_find_vma = 180 };
