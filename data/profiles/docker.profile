# Default seccomp profile of docker, every release. Format: README.md. Written by scripts/import-profiles.
# Data from moby/moby, vendor/github.com/moby/profiles/seccomp/default.json (Apache-2.0).
runtime docker
content 19.03.0 2019-07-17 19.03.0..2
content 19.03.3 2019-10-07 19.03.3..8
content 19.03.9 2020-05-14 19.03.9..15
content 20.10.0 2020-12-08 20.10.0..3
content 20.10.4 2021-02-24 20.10.4..9
content 20.10.10 2021-10-22 20.10.10..17
content 20.10.18 2022-09-09 20.10.18..21 20.10.23..25
content 20.10.22 2022-12-15 20.10.22
content 20.10.26 2023-08-30 20.10.26..27
content 23.0.0 2023-01-31 23.0.0..6 24.0.0..2
content 23.0.10 2024-02-16 23.0.10..18
content 24.0.3 2023-07-03 23.0.7..9 24.0.3..9
content 25.0.0 2024-01-18 25.0.0..2
content 25.0.3 2024-02-06 25.0.3..17 26.0.0..2 26.1.0..5 27.0.1..3 27.1.0..2 27.2.0..1 27.3.0..1 27.4.0..1 27.5.0..1 28.0.0..4 28.1.0..1
content 28.2.0 2025-05-28 28.2.0..2 28.3.0..3 28.4.0 28.5.0..2 29.0.0..4 29.1.0..5 29.2.0..1 29.3.0..1 29.4.0..1
content 29.4.2 2026-05-01 29.4.2
content 29.4.3 2026-05-06 29.4.3 29.5.0..3 29.6.0..2 29.7.0..2
default@19.03.0..20.10.26 ERRNO
default@23.0.0.. ERRNO errno=1
arch X86_64:X86,X32
arch AARCH64:ARM
arch MIPS64:MIPS,MIPS64N32
arch MIPS64N32:MIPS,MIPS64
arch MIPSEL64:MIPSEL,MIPSEL64N32
arch MIPSEL64N32:MIPSEL,MIPSEL64
arch S390X:S390
arch@23.0.0.. RISCV64:
arch@29.4.2.. LOONGARCH64:
rule ALLOW
  accept accept4 access adjtimex alarm bind brk cachestat@23.0.10,25.0.3.. capget capset chdir chmod chown chown32
  clock_adjtime@20.10.0.. clock_adjtime64@20.10.0.. clock_getres clock_getres_time64@19.03.9.. clock_gettime
  clock_gettime64@19.03.9.. clock_nanosleep clock_nanosleep_time64@19.03.9.. close close_range@20.10.4.. connect
  copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait
  epoll_pwait2@20.10.4.. epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat
  faccessat2@20.10.0.. fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2@23.0.10,25.0.3..
  fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstat64
  fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue@23.0.10,25.0.3.. futex_time64@19.03.9..
  futex_wait@23.0.10,25.0.3.. futex_waitv@20.10.18.. futex_wake@23.0.10,25.0.3.. futimesat getcpu getcwd getdents
  getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer getpeername getpgid
  getpgrp getpid getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32 getrlimit get_robust_list
  getrusage getsid getsockname getsockopt get_thread_area gettid gettimeofday getuid getuid32 getxattr
  getxattrat@28.2.0.. inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel ioctl io_destroy
  io_getevents io_pgetevents io_pgetevents_time64@19.03.9.. ioprio_get ioprio_set io_setup io_submit
  io_uring_enter@20.10.0..24.0.3 io_uring_register@20.10.0..24.0.3 io_uring_setup@20.10.0..24.0.3 ipc kill
  landlock_add_rule@20.10.18.. landlock_create_ruleset@20.10.18.. landlock_restrict_self@20.10.18.. lchown lchown32
  lgetxattr link linkat listen listmount@28.2.0.. listxattr listxattrat@28.2.0.. llistxattr _llseek lremovexattr lseek
  lsetxattr lstat lstat64 madvise map_shadow_stack@23.0.10,25.0.3.. membarrier@20.10.0.. memfd_create
  memfd_secret@20.10.18.. mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 mprotect mq_getsetattr
  mq_notify mq_open mq_timedreceive mq_timedreceive_time64@19.03.9.. mq_timedsend mq_timedsend_time64@19.03.9..
  mq_unlink mremap mseal@28.2.0.. msgctl msgget msgrcv msgsnd msync munlock munlockall munmap
  name_to_handle_at@20.10.26,23.0.10.. nanosleep newfstatat _newselect open openat openat2@20.10.0.. pause
  pidfd_open@20.10.0.. pidfd_send_signal@20.10.0.. pipe pipe2 pkey_alloc@23.0.0.. pkey_free@23.0.0..
  pkey_mprotect@23.0.0.. poll ppoll ppoll_time64@19.03.9.. prctl pread64 preadv preadv2 prlimit64
  process_mrelease@20.10.18.. pselect6 pselect6_time64@19.03.9.. pwrite64 pwritev pwritev2 read readahead readlink
  readlinkat readv recv recvfrom recvmmsg recvmmsg_time64@19.03.9.. recvmsg remap_file_pages removexattr
  removexattrat@28.2.0.. rename renameat renameat2 restart_syscall riscv_hwprobe@28.2.0.. rmdir rseq@20.10.0..
  rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
  rt_sigtimedwait_time64@19.03.9.. rt_tgsigqueueinfo sched_getaffinity sched_getattr sched_getparam
  sched_get_priority_max sched_get_priority_min sched_getscheduler sched_rr_get_interval
  sched_rr_get_interval_time64@19.03.9.. sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield
  seccomp select semctl semget semop semtimedop semtimedop_time64@19.03.9.. send sendfile sendfile64 sendmmsg sendmsg
  sendto setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setitimer setpgid setpriority
  setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit set_robust_list setsid
  setsockopt set_thread_area set_tid_address setuid setuid32 setxattr setxattrat@28.2.0.. shmat shmctl shmdt shmget
  shutdown sigaltstack signalfd signalfd4 sigprocmask@19.03.3.. sigreturn socket@19.03.0..20.10.18,20.10.26
  socketcall@19.03.0..28.2.0,29.4.3 socketpair splice stat stat64 statfs statfs64 statmount@28.2.0.. statx symlink
  symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun@19.03.9..
  timer_gettime@19.03.9.. timer_gettime64@19.03.9.. timer_settime@19.03.9.. timer_settime64@19.03.9.. timerfd_create
  timerfd_gettime timerfd_gettime64@19.03.9.. timerfd_settime timer_getoverrun@19.03.0..19.03.3
  timer_gettime@19.03.0..19.03.3 timer_settime@19.03.0..19.03.3 timerfd_settime64@19.03.9.. times tkill truncate
  truncate64 ugetrlimit umask uname unlink unlinkat uretprobe@28.2.0.. utime utimensat utimensat_time64@19.03.9.. utimes
  vfork vmsplice wait4 waitid waitpid write writev
rule ALLOW +kernel:4.8
  process_vm_readv@23.0.0.. process_vm_writev@23.0.0.. ptrace
rule@20.10.22,23.0.0..28.2.0 ALLOW arg0:NE:0x28:0x0
  socket
rule@29.4.2 ERRNO errno=38
  socketcall
rule@29.4.2.. ALLOW arg0:LT:0x26:0x0
  socket
rule@29.4.2.. ALLOW arg0:EQ:0x27:0x0
  socket
rule@29.4.2.. ALLOW arg0:GT:0x28:0x0
  socket
rule ALLOW arg0:EQ:0x0:0x0
  personality
rule ALLOW arg0:EQ:0x8:0x0
  personality
rule ALLOW arg0:EQ:0x20000:0x0
  personality
rule ALLOW arg0:EQ:0x20008:0x0
  personality
rule ALLOW arg0:EQ:0xffffffff:0x0
  personality
rule ALLOW +arch:ppc64le
  sync_file_range2 swapcontext@23.0.0..
rule ALLOW +arch:arm +arch:arm64
  arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls
rule ALLOW +arch:amd64 +arch:x32
  arch_prctl
rule ALLOW +arch:amd64 +arch:x32 +arch:x86
  modify_ldt
rule ALLOW +arch:s390 +arch:s390x
  s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr
rule@23.0.0.. ALLOW +arch:riscv64
  riscv_flush_icache
rule ALLOW +CAP_DAC_READ_SEARCH
  open_by_handle_at
rule ALLOW +CAP_SYS_ADMIN
  bpf clone clone3@20.10.10.. fanotify_init fsconfig@20.10.4.. fsmount@20.10.4.. fsopen@20.10.4.. fspick@20.10.4..
  lookup_dcookie lsm_get_self_attr@28.2.0.. lsm_list_modules@28.2.0.. lsm_set_self_attr@28.2.0.. mount
  mount_setattr@20.10.18.. move_mount@20.10.4.. name_to_handle_at@19.03.0..20.10.22,23.0.0 open_tree@20.10.4..
  perf_event_open quotactl quotactl_fd@20.10.18.. setdomainname sethostname setns syslog umount umount2 unshare
rule@19.03.0..19.03.9 ALLOW arg0:MASKED_EQ:0x7c020000:0x0 -CAP_SYS_ADMIN -arch:s390 -arch:s390x
  clone
rule@19.03.0..19.03.9 ALLOW arg1:MASKED_EQ:0x7c020000:0x0 +arch:s390 +arch:s390x -CAP_SYS_ADMIN
  clone
rule@20.10.0.. ALLOW arg0:MASKED_EQ:0x7e020000:0x0 -CAP_SYS_ADMIN -arch:s390 -arch:s390x
  clone
rule@20.10.0.. ALLOW arg1:MASKED_EQ:0x7e020000:0x0 +arch:s390 +arch:s390x -CAP_SYS_ADMIN
  clone
rule@20.10.10.. ERRNO errno=38 -CAP_SYS_ADMIN
  clone3
rule ALLOW +CAP_SYS_BOOT
  reboot
rule ALLOW +CAP_SYS_CHROOT
  chroot
rule ALLOW +CAP_SYS_MODULE
  delete_module init_module finit_module query_module@19.03.0..19.03.9
rule ALLOW +CAP_SYS_PACCT
  acct
rule ALLOW +CAP_SYS_PTRACE
  kcmp pidfd_getfd@20.10.0.. process_madvise@20.10.4.. process_vm_readv process_vm_writev ptrace
rule ALLOW +CAP_SYS_RAWIO
  iopl ioperm
rule ALLOW +CAP_SYS_TIME
  settimeofday stime clock_settime clock_settime64@23.0.0..
rule ALLOW +CAP_SYS_TTY_CONFIG
  vhangup
rule ALLOW +CAP_SYS_NICE
  get_mempolicy mbind set_mempolicy set_mempolicy_home_node@23.0.10,25.0.3..
rule ALLOW +CAP_SYSLOG
  syslog
rule@23.0.0.. ALLOW +CAP_BPF
  bpf
rule@23.0.0.. ALLOW +CAP_PERFMON
  perf_event_open
