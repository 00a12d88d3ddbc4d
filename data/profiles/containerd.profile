# Default seccomp profile of containerd, every release. Format: README.md. Written by scripts/import-profiles.
# Data from containerd/containerd, contrib/seccomp/seccomp_default.go (Apache-2.0).
runtime containerd
content 1.4.0 2020-08-17 1.4.0
content 1.4.1 2020-09-15 1.4.1
content 1.4.2 2020-11-26 1.4.2..9
content 1.4.10 2021-09-29 1.4.10..13
content 1.5.0 2021-05-03 1.5.0..5
content 1.5.6 2021-09-29 1.5.6..18
content 1.6.0 2022-02-15 1.6.0..6
content 1.6.7 2022-08-04 1.6.7..8
content 1.6.9 2022-10-24 1.6.9..15
content 1.6.16 2023-01-28 1.6.16..21
content 1.6.22 2023-07-27 1.6.22..27
content 1.6.28 2024-01-31 1.6.28..39
content 1.7.0 2023-03-10 1.7.0..2
content 1.7.3 2023-07-27 1.7.3..12
content 1.7.13 2024-01-31 1.7.13..31
content 1.7.32 2026-05-20 1.7.32..34
content 2.0.0 2024-11-05 2.0.0..8
content 2.0.9 2026-05-20 2.0.9..11
content 2.1.0 2025-05-08 2.1.0..9
content 2.2.0 2025-11-05 2.2.0..3 2.3.0
content 2.2.4 2026-05-20 2.2.4..7 2.3.1..4 2.4.0-beta.0
default ERRNO
arch X86_64:X86,X32
arch AARCH64:ARM
arch MIPS64:MIPS,MIPS64N32
arch MIPS64N32:MIPS,MIPS64
arch MIPSEL64:MIPSEL,MIPSEL64N32
arch MIPSEL64N32:MIPSEL,MIPSEL64
arch S390X:S390
arch@1.6.7.. RISCV64:
arch@2.1.0.. LOONGARCH64:
rule ALLOW
  accept accept4 access adjtimex@1.4.1.. alarm bind brk cachestat@1.6.28,1.7.13.. capget capset chdir chmod chown
  chown32 clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
  clock_nanosleep_time64 close close_range@1.5.0.. connect copy_file_range creat dup dup2 dup3 epoll_create
  epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2@1.5.0.. epoll_wait epoll_wait_old eventfd eventfd2
  execve execveat exit exit_group faccessat faccessat2@1.4.1.. fadvise64 fadvise64_64 fallocate fanotify_mark fchdir
  fchmod fchmodat fchmodat2@1.6.28,1.7.13.. fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock
  fork fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex
  futex_requeue@1.6.28,1.7.13.. futex_time64 futex_wait@1.6.28,1.7.13.. futex_waitv@1.6.0.. futex_wake@1.6.28,1.7.13..
  futimesat getcpu getcwd getdents getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32
  getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32
  getrlimit get_robust_list getrusage getsid getsockname getsockopt get_thread_area gettid gettimeofday getuid getuid32
  getxattr getxattrat@2.2.0.. inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel ioctl io_destroy
  io_getevents io_pgetevents io_pgetevents_time64 ioprio_get ioprio_set io_setup io_submit io_uring_enter@1.4.1..1.7.32
  io_uring_register@1.4.1..1.7.32 io_uring_setup@1.4.1..1.7.32 ipc kill landlock_add_rule@1.6.0..
  landlock_create_ruleset@1.6.0.. landlock_restrict_self@1.6.0.. lchown lchown32 lgetxattr link linkat listen
  listmount@2.2.0.. listxattr listxattrat@2.2.0.. llistxattr _llseek lremovexattr lseek lsetxattr
  lsm_get_self_attr@2.2.0.. lsm_list_modules@2.2.0.. lsm_set_self_attr@2.2.0.. lstat lstat64 madvise membarrier@1.4.1..
  memfd_create memfd_secret@1.6.0.. mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall
  map_shadow_stack@1.6.28,1.7.13.. mmap mmap2 mprotect mq_getsetattr mq_notify mq_open mq_timedreceive
  mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal@2.2.0.. msgctl msgget msgrcv msgsnd
  msync munlock munlockall munmap name_to_handle_at@1.6.22..1.6.28,1.7.3.. nanosleep newfstatat _newselect open openat
  openat2@1.4.1.. pause pidfd_open@1.4.2.. pidfd_send_signal@1.4.2.. pipe pipe2 pkey_alloc@1.6.16.. pkey_free@1.6.16..
  pkey_mprotect@1.6.16.. poll ppoll ppoll_time64 prctl pread64 preadv preadv2@1.4.1.. prlimit64 process_mrelease@1.6.0..
  pselect6 pselect6_time64 pwrite64 pwritev pwritev2@1.4.1.. read readahead readlink readlinkat readv recv recvfrom
  recvmmsg recvmmsg_time64 recvmsg remap_file_pages removexattr removexattrat@2.2.0.. rename renameat renameat2
  restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
  rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_getaffinity sched_getattr sched_getparam
  sched_get_priority_max sched_get_priority_min sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64
  sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop
  semtimedop semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto setfsgid setfsgid32 setfsuid setfsuid32
  setgid setgid32 setgroups setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid setresgid32
  setresuid setresuid32 setreuid setreuid32 setrlimit set_robust_list setsid setsockopt set_thread_area set_tid_address
  setuid setuid32 setxattr setxattrat@2.2.0.. shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4
  sigprocmask sigreturn socket@1.4.0..1.6.28 socketcall socketpair splice stat stat64 statfs statfs64 statmount@2.2.0..
  statx symlink symlinkat sync sync_file_range syncfs sysinfo syslog@1.4.0 tee tgkill time timer_create timer_delete
  timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime
  timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask uname unlink
  unlinkat uretprobe@2.2.0.. utime utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid write writev
rule@1.7.0..1.7.13,2.0.0,2.1.0..2.2.0 ALLOW arg0:NE:0x28:0x0
  socket
rule@1.7.32,2.0.9,2.2.4 ALLOW arg0:LT:0x26:0x0
  socket
rule@1.7.32,2.0.9,2.2.4 ALLOW arg0:EQ:0x27:0x0
  socket
rule@1.7.32,2.0.9,2.2.4 ALLOW arg0:GT:0x28:0x0
  socket
rule ALLOW arg0:EQ:0x0:0x0
  personality
rule ALLOW arg0:EQ:0x8:0x0
  personality
rule@1.4.1.. ALLOW arg0:EQ:0x20000:0x0
  personality
rule@1.4.1.. ALLOW arg0:EQ:0x20008:0x0
  personality
rule ALLOW arg0:EQ:0xffffffff:0x0
  personality
rule@1.6.7.. ALLOW +kernel:4.8
  process_vm_readv@1.7.0.. process_vm_writev@1.7.0.. ptrace
rule@1.4.1.. ALLOW +arch:ppc64le
  sync_file_range2 swapcontext@1.6.0..
rule ALLOW +arch:arm +arch:arm64
  arm_fadvise64_64 arm_sync_file_range sync_file_range2@1.4.1.. breakpoint cacheflush set_tls
rule ALLOW +arch:amd64
  arch_prctl modify_ldt
rule ALLOW +arch:x86
  modify_ldt
rule ALLOW +arch:s390 +arch:s390x
  s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr
rule@1.6.7.. ALLOW +arch:riscv64
  riscv_flush_icache riscv_hwprobe@2.2.0..
rule ALLOW +CAP_DAC_READ_SEARCH
  open_by_handle_at
rule ALLOW +CAP_SYS_ADMIN
  bpf clone clone3@1.4.10,1.5.6.. fanotify_init fsconfig@1.5.0.. fsmount@1.5.0.. fsopen@1.5.0.. fspick@1.5.0..
  lookup_dcookie mount mount_setattr@1.6.0.. move_mount@1.5.0.. name_to_handle_at@1.4.0..1.6.16,1.7.0 open_tree@1.5.0..
  perf_event_open quotactl@1.4.1.. quotactl_fd@1.6.0.. setdomainname sethostname setns syslog@1.4.1.. umount umount2
  unshare
rule ALLOW +CAP_SYS_BOOT
  reboot
rule ALLOW +CAP_SYS_CHROOT
  chroot
rule ALLOW +CAP_SYS_MODULE
  delete_module init_module finit_module
rule ALLOW +CAP_SYS_PACCT
  acct
rule ALLOW +CAP_SYS_PTRACE
  kcmp pidfd_getfd@1.4.2.. process_madvise@1.5.0.. process_vm_readv process_vm_writev ptrace
rule ALLOW +CAP_SYS_RAWIO
  iopl ioperm
rule ALLOW +CAP_SYS_TIME
  settimeofday stime adjtimex@1.4.0 clock_settime@1.4.1.. clock_settime64@1.6.7..
rule ALLOW +CAP_SYS_TTY_CONFIG
  vhangup
rule@1.6.16.. ALLOW +CAP_SYS_NICE
  get_mempolicy mbind set_mempolicy set_mempolicy_home_node@1.6.28,1.7.13..
rule@1.4.1.. ALLOW +CAP_SYSLOG
  syslog
rule@1.6.9.. ALLOW +CAP_BPF
  bpf
rule@1.6.9.. ALLOW +CAP_PERFMON
  perf_event_open
rule ALLOW arg0:MASKED_EQ:0x7e020000:0x0 -CAP_SYS_ADMIN -arch:s390 -arch:s390x
  clone
rule ALLOW arg1:MASKED_EQ:0x7e020000:0x0 +arch:s390 +arch:s390x -CAP_SYS_ADMIN
  clone
rule@1.4.10,1.5.6.. ERRNO errno=38 -CAP_SYS_ADMIN
  clone3
