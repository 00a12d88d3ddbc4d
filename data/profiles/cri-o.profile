# Default seccomp profile of cri-o, every release. Format: README.md. Written by scripts/import-profiles.
# Data from cri-o/cri-o, internal/config/seccomp/seccomp.go (Apache-2.0).
runtime cri-o
content 1.20.0 2020-12-11 1.20.0..2
content 1.20.3 2021-06-02 1.20.3..7 1.20.9
content 1.21.0 2021-04-13 1.21.0..7
content 1.22.0 2021-08-24 1.22.0..5
content 1.23.0 2021-12-17 1.23.0..5
content 1.24.0 2022-05-09 1.24.0..6
content 1.25.0 2022-08-29 1.25.0..5 1.26.0..4 1.27.0..8 1.28.0..11 1.29.0..8 1.30.0..5
content 1.29.9 2024-10-01 1.29.9..13 1.30.6..14
content 1.31.0 2024-09-09 1.31.0..13 1.32.0..13
content 1.33.0 2025-05-15 1.33.0..13 1.34.0..11 1.35.0
content 1.35.1 2026-03-02 1.35.1..6 1.36.0..3
default@1.20.0..1.21.0 ERRNO
default@1.22.0..1.24.0 ERRNO errno=38
default@1.25.0.. ERRNO errno=38 errnoName=ENOSYS
arch X86_64:X86,X32
arch AARCH64:ARM
arch MIPS64:MIPS,MIPS64N32
arch MIPS64N32:MIPS,MIPS64
arch MIPSEL64:MIPSEL,MIPSEL64N32
arch MIPSEL64N32:MIPSEL,MIPSEL64
arch S390X:S390
rule@1.22.0..1.24.0 ERRNO errno=1
  bdflush io_pgetevents kexec_file_load kexec_load migrate_pages move_pages nfsservctl nice oldfstat oldlstat
  oldolduname oldstat olduname pciconfig_iobase pciconfig_read pciconfig_write sgetmask ssetmask swapcontext swapoff
  swapon sysfs uselib userfaultfd ustat vm86 vm86old vmsplice
rule@1.25.0.. ERRNO errno=1 errnoName=EPERM
  bdflush cachestat@1.31.0.. futex_requeue@1.31.0.. futex_wait@1.31.0.. futex_waitv@1.31.0.. futex_wake@1.31.0..
  io_pgetevents io_pgetevents_time64@1.31.0.. kexec_file_load kexec_load map_shadow_stack@1.31.0.. migrate_pages
  move_pages nfsservctl nice oldfstat oldlstat oldolduname oldstat olduname pciconfig_iobase pciconfig_read
  pciconfig_write sgetmask ssetmask swapcontext@1.25.0..1.29.9 swapoff swapon syscall@1.31.0.. sysfs uselib userfaultfd
  ustat vm86 vm86old vmsplice
rule ALLOW
  _llseek _newselect accept accept4 access adjtimex alarm bind brk capget capset chdir chmod chown chown32
  clock_adjtime@1.20.3.. clock_adjtime64@1.20.3.. clock_getres clock_getres_time64@1.20.3.. clock_gettime
  clock_gettime64@1.20.3.. clock_nanosleep clock_nanosleep_time64@1.20.3.. clone@1.20.3..1.25.0 clone3@1.22.0..1.25.0
  writev@1.29.9.. close close_range@1.21.0.. connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1
  epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2@1.21.0.. epoll_wait epoll_wait_old eventfd eventfd2 execve execveat
  exit exit_group faccessat faccessat2@1.20.3.. fadvise64 fadvise64_64 fallocate fanotify_init@1.33.0.. fanotify_mark
  fchdir fchmod fchmodat fchmodat2@1.31.0.. fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock
  fork fremovexattr fsconfig@1.21.0.. fsetxattr fsmount@1.21.0.. fsopen@1.21.0.. fspick@1.21.0.. fstat fstat64 fstatat64
  fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_time64@1.22.0.. futimesat get_mempolicy@1.25.0..
  get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32
  getgroups getgroups32 getitimer get_mempolicy@1.22.0..1.24.0 getpeername getpgid getpgrp getpid getppid getpriority
  getrandom getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid getsockname getsockopt gettid
  gettimeofday getuid getuid32 getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel
  io_destroy io_getevents io_setup io_submit ioctl ioprio_get ioprio_set ipc keyctl@1.21.0.. kill
  landlock_add_rule@1.25.0.. landlock_create_ruleset@1.25.0.. landlock_restrict_self@1.25.0.. lchown lchown32 lgetxattr
  link linkat listen listxattr llistxattr lremovexattr lseek lsetxattr lstat lstat64 madvise mbind@1.22.0..
  membarrier@1.25.0.. memfd_create memfd_secret@1.23.0.. mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap
  mmap2 mount mount_setattr@1.25.0.. move_mount@1.21.0.. mprotect mq_getsetattr mq_notify mq_open mq_timedreceive
  mq_timedreceive_time64@1.22.0.. mq_timedsend mq_timedsend_time64@1.22.0.. mq_unlink mremap msgctl msgget msgrcv msgsnd
  msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat open open_tree@1.25.0.. openat openat2@1.20.3..
  open_tree@1.21.0..1.24.0 pause pidfd_getfd@1.20.3.. pidfd_open@1.21.0.. pidfd_send_signal@1.21.0.. pipe pipe2
  pivot_root@1.20.3.. pkey_alloc@1.22.0.. pkey_free@1.22.0.. pkey_mprotect@1.22.0.. poll ppoll ppoll_time64@1.20.3..
  prctl pread64 preadv preadv2 prlimit64 process_mrelease@1.25.0.. process_vm_readv@1.25.0.. process_vm_writev@1.25.0..
  pselect6 pselect6_time64@1.20.3.. ptrace@1.25.0.. pwrite64 pwritev pwritev2 read readahead readdir@1.22.0..1.29.9
  readlink readlinkat readv reboot recv recvfrom recvmmsg recvmmsg_time64@1.22.0.. recvmsg remap_file_pages removexattr
  rename renameat renameat2 restart_syscall rmdir rseq@1.22.0.. rt_sigaction rt_sigpending rt_sigprocmask
  rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64@1.22.0.. rt_tgsigqueueinfo
  sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
  sched_rr_get_interval sched_rr_get_interval_time64@1.22.0.. sched_setaffinity sched_setattr sched_setparam
  sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop semtimedop_time64@1.22.0.. send sendfile
  sendfile64 sendmmsg sendmsg sendto setns@1.22.0..1.24.0 set_mempolicy@1.22.0.. set_robust_list set_thread_area
  set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setitimer setns@1.25.0..
  setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit
  setsid setsockopt setuid setuid32 setxattr shmat shmctl shmdt shmget shutdown sigaction@1.25.0..1.29.9 sigaltstack
  signal@1.25.0.. signalfd signalfd4 sigpending@1.25.0..1.29.9 sigprocmask@1.25.0.. sigreturn sigsuspend@1.25.0..1.29.9
  socketcall socketpair splice stat stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range syncfs
  syscall@1.25.0..1.29.9 sysinfo syslog tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime
  timer_gettime64@1.20.3.. timer_settime timer_settime64@1.22.0.. timerfd@1.25.0..1.29.9 timerfd_create timerfd_gettime
  timerfd_gettime64@1.20.3.. timerfd_settime timerfd_settime64@1.20.3.. times tkill truncate truncate64 ugetrlimit umask
  umount umount2 uname unlink unlinkat unshare@1.20.0..1.23.0 writev@1.24.0..1.25.0 utime utimensat
  utimensat_time64@1.20.3.. utimes vfork vmsplice@1.20.0..1.20.3 wait4 waitid waitpid write writev@1.20.0..1.23.0
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
  sync_file_range2 swapcontext@1.31.0..
rule ALLOW +arch:arm +arch:arm64
  arm_fadvise64_64 arm_sync_file_range sync_file_range2@1.20.0..1.24.0 breakpoint cacheflush set_tls
  sync_file_range2@1.25.0..
rule ALLOW +arch:amd64 +arch:x32
  arch_prctl
rule ALLOW +arch:amd64 +arch:x32 +arch:x86
  modify_ldt
rule ALLOW +arch:s390 +arch:s390x
  s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr
rule@1.31.0.. ALLOW +arch:riscv64
  riscv_flush_icache
rule ALLOW +CAP_DAC_READ_SEARCH
  open_by_handle_at
rule@1.22.0..1.24.0 ERRNO errno=1 -CAP_DAC_READ_SEARCH
  open_by_handle_at
rule@1.25.0.. ERRNO errno=1 errnoName=EPERM -CAP_DAC_READ_SEARCH
  open_by_handle_at
rule ALLOW +CAP_SYS_ADMIN
  bpf clone@1.20.0..1.20.3 fanotify_init@1.20.0..1.31.0 lookup_dcookie mount@1.20.0..1.20.3
  name_to_handle_at@1.20.0..1.20.3 perf_event_open@1.20.0..1.29.9,1.35.1 quotactl quotactl_fd@1.31.0.. setdomainname
  sethostname setns umount@1.20.0..1.20.3 umount2@1.20.0..1.20.3 unshare@1.20.0..1.20.3
rule@1.20.0..1.20.3 ALLOW arg0:MASKED_EQ:0x7c020000:0x0 -CAP_SYS_ADMIN -arch:s390 -arch:s390x
  clone
rule@1.20.0..1.20.3 ALLOW arg1:MASKED_EQ:0x7c020000:0x0 +arch:s390 +arch:s390x -CAP_SYS_ADMIN
  clone
rule@1.20.0..1.20.3 ALLOW +CAP_SYS_BOOT
  reboot
rule@1.22.0..1.24.0 ERRNO errno=1 -CAP_SYS_ADMIN
  bpf fanotify_init lookup_dcookie perf_event_open quotactl setdomainname sethostname setns
rule@1.25.0.. ERRNO errno=1 errnoName=EPERM -CAP_SYS_ADMIN
  bpf@1.25.0..1.29.9 fanotify_init@1.25.0..1.31.0 lookup_dcookie perf_event_open@1.25.0..1.33.0 quotactl
  quotactl_fd@1.31.0.. setdomainname sethostname setns
rule ALLOW +CAP_SYS_CHROOT
  chroot
rule@1.22.0..1.24.0 ERRNO errno=1 -CAP_SYS_CHROOT
  chroot
rule@1.25.0.. ERRNO errno=1 errnoName=EPERM -CAP_SYS_CHROOT
  chroot
rule ALLOW +CAP_SYS_MODULE
  delete_module finit_module@1.25.0.. init_module finit_module@1.20.0..1.24.0 query_module
rule@1.20.0..1.21.0 ALLOW +CAP_SYS_NICE
  get_mempolicy mbind name_to_handle_at@1.20.0..1.20.3 set_mempolicy
rule@1.22.0..1.24.0 ERRNO errno=1 -CAP_SYS_MODULE
  delete_module init_module finit_module query_module
rule@1.25.0.. ERRNO errno=1 errnoName=EPERM -CAP_SYS_MODULE
  delete_module finit_module init_module query_module
rule ALLOW +CAP_SYS_PACCT
  acct
rule@1.22.0..1.24.0 ERRNO errno=1 -CAP_SYS_PACCT
  acct
rule@1.25.0.. ERRNO errno=1 errnoName=EPERM -CAP_SYS_PACCT
  acct
rule ALLOW +CAP_SYS_PTRACE
  kcmp process_madvise@1.21.0.. process_vm_readv@1.20.0..1.24.0 process_vm_writev@1.20.0..1.24.0 ptrace@1.20.0..1.24.0
rule@1.22.0..1.24.0 ERRNO errno=1 -CAP_SYS_PTRACE
  kcmp process_madvise process_vm_readv process_vm_writev ptrace
rule@1.25.0.. ERRNO errno=1 errnoName=EPERM -CAP_SYS_PTRACE
  kcmp process_madvise
rule ALLOW +CAP_SYS_RAWIO
  ioperm@1.25.0.. iopl ioperm@1.20.0..1.24.0
rule@1.22.0..1.24.0 ERRNO errno=1 -CAP_SYS_RAWIO
  iopl ioperm
rule@1.25.0.. ERRNO errno=1 errnoName=EPERM -CAP_SYS_RAWIO
  ioperm iopl
rule ALLOW +CAP_SYS_TIME
  clock_settime@1.25.0.. clock_settime64@1.25.0.. settimeofday stime clock_settime@1.20.0..1.24.0
  clock_settime64@1.20.3..1.24.0
rule@1.22.0..1.24.0 ERRNO errno=1 -CAP_SYS_TIME
  settimeofday stime clock_settime clock_settime64
rule@1.25.0.. ERRNO errno=1 errnoName=EPERM -CAP_SYS_TIME
  clock_settime clock_settime64 settimeofday stime
rule ALLOW +CAP_SYS_TTY_CONFIG
  vhangup
rule@1.22.0..1.24.0 ERRNO errno=1 -CAP_SYS_TTY_CONFIG
  vhangup
rule@1.20.0..1.24.0 ERRNO errno=22 arg0:EQ:0x10:0x0 arg2:EQ:0x9:0x0 -CAP_AUDIT_WRITE
  socket
rule@1.25.0.. ERRNO errno=1 errnoName=EPERM -CAP_SYS_TTY_CONFIG
  vhangup
rule@1.35.1 ERRNO errno=1 errnoName=EPERM arg0:EQ:0x28:0x0
  socket
rule@1.25.0.. ERRNO errno=22 errnoName=EINVAL arg0:EQ:0x10:0x0 arg2:EQ:0x9:0x0 -CAP_AUDIT_WRITE
  socket
rule@1.20.0..1.33.0 ALLOW arg2:NE:0x9:0x0 -CAP_AUDIT_WRITE
  socket
rule@1.35.1 ALLOW arg0:EQ:0x10:0x0 arg2:NE:0x9:0x0 -CAP_AUDIT_WRITE
  socket
rule ALLOW arg0:NE:0x10:0x0 -CAP_AUDIT_WRITE
  socket
rule@1.20.0..1.33.0 ALLOW arg2:NE:0x9:0x0 -CAP_AUDIT_WRITE
  socket
rule@1.20.0..1.33.0 ALLOW +CAP_AUDIT_WRITE
  socket
rule@1.35.1 ALLOW arg0:NE:0x28:0x0 +CAP_AUDIT_WRITE
  socket
rule@1.31.0.. ERRNO errno=1 errnoName=EPERM -CAP_SYS_ADMIN -CAP_BPF
  bpf
rule@1.31.0.. ALLOW +CAP_BPF
  bpf
rule@1.31.0..1.33.0 ERRNO errno=1 errnoName=EPERM -CAP_SYS_ADMIN -CAP_BPF
  perf_event_open
rule@1.35.1 ERRNO errno=1 errnoName=EPERM -CAP_SYS_ADMIN -CAP_PERFMON
  perf_event_open
rule@1.31.0.. ALLOW +CAP_PERFMON
  perf_event_open
rule@1.24.0.. ALLOW +CAP_SYS_ADMIN
  clone@1.29.9.. clone3@1.29.9.. unshare
rule@1.29.9.. ALLOW arg0:MASKED_EQ:0x7e020000:0x0 -arch:s390 -arch:s390x
  clone
rule@1.29.9.. ALLOW arg1:MASKED_EQ:0x7e020000:0x0 +arch:s390 +arch:s390x
  clone
rule@1.29.9.. ERRNO errno=1 errnoName=EPERM arg0:MASKED_EQ:0x20000:0x20000 arg0:MASKED_EQ:0x4000000:0x4000000 arg0:MASKED_EQ:0x8000000:0x8000000 arg0:MASKED_EQ:0x10000000:0x10000000 arg0:MASKED_EQ:0x20000000:0x20000000 arg0:MASKED_EQ:0x40000000:0x40000000 arg0:MASKED_EQ:0x2000000:0x2000000 -CAP_SYS_ADMIN -arch:s390 -arch:s390x
  clone
rule@1.29.9.. ERRNO errno=1 errnoName=EPERM arg1:MASKED_EQ:0x20000:0x20000 arg1:MASKED_EQ:0x4000000:0x4000000 arg1:MASKED_EQ:0x8000000:0x8000000 arg1:MASKED_EQ:0x10000000:0x10000000 arg1:MASKED_EQ:0x20000000:0x20000000 arg1:MASKED_EQ:0x40000000:0x40000000 arg1:MASKED_EQ:0x2000000:0x2000000 +arch:s390 +arch:s390x -CAP_SYS_ADMIN
  clone
rule@1.29.9.. ERRNO errno=38 errnoName=ENOSYS -CAP_SYS_ADMIN
  clone3
