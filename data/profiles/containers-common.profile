# Default seccomp profile of containers-common, every release. Format: README.md. Written by scripts/import-profiles.
# Data from containers/container-libs, common/pkg/seccomp/seccomp.json (Apache-2.0).
runtime containers-common
content 0.21.0 2020-08-28 0.21.0
content 0.22.0 2020-09-11 0.22.0
content 0.23.0 2020-09-24 0.23.0 0.24.0 0.25.0 0.26.0
content 0.26.1 2020-10-22 0.26.1..3 0.27.0 0.28.0..1 0.29.0..1 0.30.0 0.31.0
content 0.31.1 2020-12-17 0.31.1..2 0.32.0..1
content 0.33.0 2021-01-08 0.33.0..1
content 0.33.2 2021-02-01 0.33.2..4
content 0.34.0 2021-02-01 0.34.0..2 0.35.0..4 0.36.0
content 0.37.0 2021-04-21 0.37.0..1 0.38.0..16 0.38.18 0.39.0
content 0.40.0 2021-06-16 0.40.0
content 0.40.1 2021-06-18 0.40.1 0.41.0 0.42.0..3 0.43.0..2
content 0.44.0 2021-09-13 0.44.0..5 0.45.0 0.46.0 0.47.0..6
content 0.48.0 2022-05-02 0.48.0..1
content 0.49.0 2022-07-24 0.49.0..3 0.50.0..1 0.51.0..4 0.52.0 0.53.0 0.54.0 0.55.0..4 0.56.0 0.57.0..7
content 0.58.0 2024-03-06 0.58.0..5 0.59.0..2
content 0.60.0 2024-07-25 0.60.0..4 0.61.0..1 0.62.0..3
content 0.63.0 2025-04-16 0.63.0..1 0.64.0..1 0.65.0 0.66.0..1
content 0.66.2-0.20260126213724-1e46b0756b39 2026-01-26
content 0.67.0 2026-02-05 0.67.0
content 0.67.0-599-gf0ddf1a745 2026-04-01
default@0.21.0..0.37.0 ERRNO
default@0.40.0..0.44.0 ERRNO errno=38
default@0.48.0.. ERRNO errno=38 errnoName=ENOSYS
arch X86_64:X86,X32
arch AARCH64:ARM
arch MIPS64:MIPS,MIPS64N32
arch MIPS64N32:MIPS,MIPS64
arch MIPSEL64:MIPSEL,MIPSEL64N32
arch MIPSEL64N32:MIPSEL,MIPSEL64
arch S390X:S390
rule@0.40.0..0.44.0 ERRNO errno=1
  bdflush clone3@0.40.0 io_pgetevents io_uring_enter@0.40.0 io_uring_register@0.40.0 io_uring_setup@0.40.0
  kexec_file_load kexec_load membarrier@0.40.0 migrate_pages move_pages nfsservctl nice oldfstat oldlstat oldolduname
  oldstat olduname pciconfig_iobase pciconfig_read pciconfig_write pkey_alloc@0.40.0 pkey_free@0.40.0
  pkey_mprotect@0.40.0 rseq@0.40.0 sgetmask ssetmask swapcontext swapoff swapon sysfs uselib userfaultfd ustat vm86
  vm86old vmsplice
rule@0.48.0.. ERRNO errno=1 errnoName=EPERM
  bdflush cachestat@0.60.0.. futex_requeue@0.60.0..0.67.0 futex_wait@0.60.0..0.67.0 futex_waitv@0.60.0..0.67.0
  futex_wake@0.60.0..0.67.0 io_pgetevents io_pgetevents_time64@0.60.0.. kexec_file_load kexec_load
  map_shadow_stack@0.60.0.. migrate_pages move_pages nfsservctl nice oldfstat oldlstat oldolduname oldstat olduname
  pciconfig_iobase pciconfig_read pciconfig_write sgetmask ssetmask swapcontext@0.48.0..0.58.0 swapoff swapon
  syscall@0.60.0.. sysfs uselib userfaultfd ustat vm86 vm86old vmsplice
rule ALLOW
  _llseek _newselect accept accept4 access adjtimex alarm bind brk capget capset chdir chmod chown chown32
  clock_adjtime@0.22.0.. clock_adjtime64@0.26.1.. clock_getres clock_getres_time64@0.26.1.. clock_gettime
  clock_gettime64@0.26.1.. clock_nanosleep clock_nanosleep_time64@0.26.1.. clone@0.22.0.. clone3@0.40.1.. close
  close_range@0.31.1.. connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old
  epoll_pwait epoll_pwait2@0.33.2.. epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat
  faccessat2@0.22.0.. fadvise64 fadvise64_64 fallocate fanotify_init@0.63.0.. fanotify_mark fchdir fchmod fchmodat
  fchmodat2@0.22.0,0.58.0.. fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork
  fremovexattr fsconfig@0.33.2.. fsetxattr fsmount@0.33.2.. fsopen@0.33.2.. fspick@0.33.2.. fstat fstat64 fstatat64
  fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue@0.67.0-599-gf0ddf1a745 futex_time64@0.40.0..
  futex_wait@0.67.0-599-gf0ddf1a745 futex_waitv@0.67.0-599-gf0ddf1a745 futex_wake@0.67.0-599-gf0ddf1a745 futimesat
  get_mempolicy@0.48.0.. get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid getegid32 geteuid
  geteuid32 getgid getgid32 getgroups getgroups32 getitimer get_mempolicy@0.40.1..0.44.0 getpeername getpgid getpgrp
  getpid getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid
  getsockname getsockopt gettid gettimeofday getuid getuid32 getxattr inotify_add_watch inotify_init inotify_init1
  inotify_rm_watch io_cancel io_destroy io_getevents io_setup io_submit ioctl ioprio_get ioprio_set ipc keyctl@0.34.0..
  kill landlock_add_rule@0.49.0.. landlock_create_ruleset@0.49.0.. landlock_restrict_self@0.49.0.. lchown lchown32
  lgetxattr link linkat listen listxattr llistxattr lremovexattr lseek lsetxattr lstat lstat64 madvise mbind@0.40.1..
  membarrier@0.48.0.. memfd_create memfd_secret@0.44.0.. mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap
  mmap2 mount mount_setattr@0.48.0.. move_mount@0.33.2.. mprotect mq_getsetattr mq_notify mq_open mq_timedreceive
  mq_timedreceive_time64@0.40.0.. mq_timedsend mq_timedsend_time64@0.40.0.. mq_unlink mremap msgctl msgget msgrcv msgsnd
  msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat open open_tree@0.48.0.. openat openat2@0.22.0..
  open_tree@0.33.2..0.44.0 pause pidfd_getfd@0.23.0.. pidfd_open@0.31.1.. pidfd_send_signal@0.31.1.. pipe pipe2
  pivot_root@0.22.0.. pkey_alloc@0.40.1.. pkey_free@0.40.1.. pkey_mprotect@0.40.1.. poll ppoll ppoll_time64@0.26.1..
  prctl pread64 preadv preadv2 prlimit64 process_mrelease@0.48.0.. process_vm_readv@0.48.0.. process_vm_writev@0.48.0..
  pselect6 pselect6_time64@0.26.1.. ptrace@0.48.0.. pwrite64 pwritev pwritev2 read readahead readdir@0.40.0..0.58.0
  readlink readlinkat readv reboot recv recvfrom recvmmsg recvmmsg_time64@0.40.0.. recvmsg remap_file_pages removexattr
  rename renameat renameat2 restart_syscall rmdir rseq@0.40.1.. rt_sigaction rt_sigpending rt_sigprocmask
  rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64@0.40.0.. rt_tgsigqueueinfo
  sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
  sched_rr_get_interval sched_rr_get_interval_time64@0.40.0.. sched_setaffinity sched_setattr sched_setparam
  sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop semtimedop_time64@0.40.0.. send sendfile
  sendfile64 sendmmsg sendmsg sendto setns@0.37.0..0.44.0 set_mempolicy@0.40.1.. set_robust_list set_thread_area
  set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setitimer setns@0.48.0..
  setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit
  setsid setsockopt setuid setuid32 setxattr shmat shmctl shmdt shmget shutdown sigaction@0.48.0..0.58.0 sigaltstack
  signal@0.48.0.. signalfd signalfd4 sigpending@0.48.0..0.58.0 sigprocmask@0.48.0.. sigreturn sigsuspend@0.48.0..0.58.0
  socketcall socketpair splice stat stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range syncfs
  syscall@0.48.0..0.58.0 sysinfo syslog tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime
  timer_gettime64@0.26.1.. timer_settime timer_settime64@0.40.0.. timerfd@0.48.0..0.58.0 timerfd_create timerfd_gettime
  timerfd_gettime64@0.26.1.. timerfd_settime timerfd_settime64@0.26.1.. times tkill truncate truncate64 ugetrlimit umask
  umount umount2 uname unlink unlinkat unshare utime utimensat utimensat_time64@0.26.1.. utimes vfork
  vmsplice@0.21.0..0.31.1 wait4 waitid waitpid write writev
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
  sync_file_range2 swapcontext@0.60.0..
rule ALLOW +arch:arm +arch:arm64
  arm_fadvise64_64 arm_sync_file_range sync_file_range2@0.21.0..0.44.0 breakpoint cacheflush set_tls
  sync_file_range2@0.48.0..
rule ALLOW +arch:amd64 +arch:x32
  arch_prctl
rule ALLOW +arch:amd64 +arch:x32 +arch:x86
  modify_ldt
rule ALLOW +arch:s390 +arch:s390x
  s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr
rule@0.60.0.. ALLOW +arch:riscv64
  riscv_flush_icache
rule ALLOW +CAP_DAC_READ_SEARCH
  open_by_handle_at
rule@0.40.0..0.44.0 ERRNO errno=1 -CAP_DAC_READ_SEARCH
  open_by_handle_at
rule@0.48.0.. ERRNO errno=1 errnoName=EPERM -CAP_DAC_READ_SEARCH
  open_by_handle_at
rule ALLOW +CAP_SYS_ADMIN
  bpf clone@0.21.0..0.33.2 fanotify_init@0.21.0..0.60.0 lookup_dcookie mount@0.21.0..0.33.2
  name_to_handle_at@0.21.0..0.33.2
  perf_event_open@0.21.0..0.58.0,0.66.2-0.20260126213724-1e46b0756b39,0.67.0-599-gf0ddf1a745 quotactl
  quotactl_fd@0.60.0.. setdomainname sethostname setns umount@0.21.0..0.33.2 umount2@0.21.0..0.33.2
  unshare@0.21.0..0.33.2
rule@0.21.0..0.33.2 ALLOW arg0:MASKED_EQ:0x7c020000:0x0 -CAP_SYS_ADMIN -arch:s390 -arch:s390x
  clone
rule@0.21.0..0.33.2 ALLOW arg1:MASKED_EQ:0x7c020000:0x0 +arch:s390 +arch:s390x -CAP_SYS_ADMIN
  clone
rule@0.21.0..0.33.2 ALLOW +CAP_SYS_BOOT
  reboot
rule@0.40.0..0.44.0 ERRNO errno=1 -CAP_SYS_ADMIN
  bpf fanotify_init lookup_dcookie perf_event_open quotactl setdomainname sethostname setns
rule@0.48.0.. ERRNO errno=1 errnoName=EPERM -CAP_SYS_ADMIN
  bpf@0.48.0..0.58.0 fanotify_init@0.48.0..0.60.0 lookup_dcookie perf_event_open@0.48.0..0.63.0,0.67.0 quotactl
  quotactl_fd@0.60.0.. setdomainname sethostname setns
rule ALLOW +CAP_SYS_CHROOT
  chroot
rule@0.40.0..0.44.0 ERRNO errno=1 -CAP_SYS_CHROOT
  chroot
rule@0.48.0.. ERRNO errno=1 errnoName=EPERM -CAP_SYS_CHROOT
  chroot
rule ALLOW +CAP_SYS_MODULE
  delete_module finit_module@0.48.0.. init_module finit_module@0.21.0..0.44.0 query_module
rule@0.40.0..0.44.0 ERRNO errno=1 -CAP_SYS_MODULE
  delete_module init_module finit_module query_module
rule@0.21.0..0.40.0 ALLOW +CAP_SYS_NICE
  get_mempolicy mbind name_to_handle_at@0.21.0..0.33.2 set_mempolicy
rule@0.40.0 ERRNO errno=1 -CAP_SYS_NICE
  get_mempolicy mbind set_mempolicy
rule@0.48.0.. ERRNO errno=1 errnoName=EPERM -CAP_SYS_MODULE
  delete_module finit_module init_module query_module
rule ALLOW +CAP_SYS_PACCT
  acct
rule@0.40.0..0.44.0 ERRNO errno=1 -CAP_SYS_PACCT
  acct
rule@0.48.0.. ERRNO errno=1 errnoName=EPERM -CAP_SYS_PACCT
  acct
rule ALLOW +CAP_SYS_PTRACE
  kcmp process_madvise@0.33.2.. process_vm_readv@0.21.0..0.44.0 process_vm_writev@0.21.0..0.44.0 ptrace@0.21.0..0.44.0
rule@0.40.0..0.44.0 ERRNO errno=1 -CAP_SYS_PTRACE
  kcmp process_madvise process_vm_readv process_vm_writev ptrace
rule@0.48.0.. ERRNO errno=1 errnoName=EPERM -CAP_SYS_PTRACE
  kcmp process_madvise
rule ALLOW +CAP_SYS_RAWIO
  ioperm@0.48.0.. iopl ioperm@0.21.0..0.44.0
rule@0.40.0..0.44.0 ERRNO errno=1 -CAP_SYS_RAWIO
  iopl ioperm
rule@0.48.0.. ERRNO errno=1 errnoName=EPERM -CAP_SYS_RAWIO
  ioperm iopl
rule ALLOW +CAP_SYS_TIME
  clock_settime@0.48.0.. clock_settime64@0.48.0.. settimeofday stime clock_settime@0.21.0..0.44.0
  clock_settime64@0.26.1..0.44.0
rule@0.40.0..0.44.0 ERRNO errno=1 -CAP_SYS_TIME
  settimeofday stime clock_settime clock_settime64
rule@0.48.0.. ERRNO errno=1 errnoName=EPERM -CAP_SYS_TIME
  clock_settime clock_settime64 settimeofday stime
rule ALLOW +CAP_SYS_TTY_CONFIG
  vhangup
rule@0.40.0..0.44.0 ERRNO errno=1 -CAP_SYS_TTY_CONFIG
  vhangup
rule@0.21.0..0.44.0 ERRNO errno=22 arg0:EQ:0x10:0x0 arg2:EQ:0x9:0x0 -CAP_AUDIT_WRITE
  socket
rule@0.48.0.. ERRNO errno=1 errnoName=EPERM -CAP_SYS_TTY_CONFIG
  vhangup
rule@0.66.2-0.20260126213724-1e46b0756b39.. ERRNO errno=1 errnoName=EPERM arg0:EQ:0x28:0x0
  socket
rule@0.48.0.. ERRNO errno=22 errnoName=EINVAL arg0:EQ:0x10:0x0 arg2:EQ:0x9:0x0 -CAP_AUDIT_WRITE
  socket
rule@0.21.0..0.63.0 ALLOW arg2:NE:0x9:0x0 -CAP_AUDIT_WRITE
  socket
rule@0.66.2-0.20260126213724-1e46b0756b39.. ALLOW arg0:EQ:0x10:0x0 arg2:NE:0x9:0x0 -CAP_AUDIT_WRITE
  socket
rule ALLOW arg0:NE:0x10:0x0 -CAP_AUDIT_WRITE
  socket
rule@0.21.0..0.63.0 ALLOW arg2:NE:0x9:0x0 -CAP_AUDIT_WRITE
  socket
rule@0.21.0..0.63.0 ALLOW +CAP_AUDIT_WRITE
  socket
rule@0.66.2-0.20260126213724-1e46b0756b39.. ALLOW arg0:NE:0x28:0x0 +CAP_AUDIT_WRITE
  socket
rule@0.60.0.. ERRNO errno=1 errnoName=EPERM -CAP_SYS_ADMIN -CAP_BPF
  bpf
rule@0.60.0.. ALLOW +CAP_BPF
  bpf
rule@0.60.0..0.63.0,0.67.0 ERRNO errno=1 errnoName=EPERM -CAP_SYS_ADMIN -CAP_BPF
  perf_event_open
rule@0.66.2-0.20260126213724-1e46b0756b39,0.67.0-599-gf0ddf1a745 ERRNO errno=1 errnoName=EPERM -CAP_SYS_ADMIN -CAP_PERFMON
  perf_event_open
rule@0.60.0.. ALLOW +CAP_PERFMON
  perf_event_open
