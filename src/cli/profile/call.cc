#include "cli/profile/call.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/personality.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "base/try.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis::cli {
namespace {

using Constant = std::pair<std::string_view, uint64_t>;

constexpr uint64_t kNewTimeNamespace = 0x80;  // CLONE_NEWTIME, which older headers lack

// The constants that profiles test and that users ask about, with the values of this build's architecture.
#define CONSTANT(name) {#name, static_cast<uint64_t>(name)}
constexpr Constant kConstants[] = {
    CONSTANT(AF_UNSPEC),
    CONSTANT(AF_UNIX),
    CONSTANT(AF_LOCAL),
    CONSTANT(AF_INET),
    CONSTANT(AF_AX25),
    CONSTANT(AF_IPX),
    CONSTANT(AF_APPLETALK),
    CONSTANT(AF_NETROM),
    CONSTANT(AF_BRIDGE),
    CONSTANT(AF_ATMPVC),
    CONSTANT(AF_X25),
    CONSTANT(AF_INET6),
    CONSTANT(AF_ROSE),
    CONSTANT(AF_NETBEUI),
    CONSTANT(AF_SECURITY),
    CONSTANT(AF_KEY),
    CONSTANT(AF_NETLINK),
    CONSTANT(AF_PACKET),
    CONSTANT(AF_ASH),
    CONSTANT(AF_ECONET),
    CONSTANT(AF_ATMSVC),
    CONSTANT(AF_RDS),
    CONSTANT(AF_IRDA),
    CONSTANT(AF_PPPOX),
    CONSTANT(AF_WANPIPE),
    CONSTANT(AF_LLC),
    CONSTANT(AF_IB),
    CONSTANT(AF_MPLS),
    CONSTANT(AF_CAN),
    CONSTANT(AF_TIPC),
    CONSTANT(AF_BLUETOOTH),
    CONSTANT(AF_IUCV),
    CONSTANT(AF_RXRPC),
    CONSTANT(AF_ISDN),
    CONSTANT(AF_PHONET),
    CONSTANT(AF_IEEE802154),
    CONSTANT(AF_CAIF),
    CONSTANT(AF_ALG),
    CONSTANT(AF_NFC),
    CONSTANT(AF_VSOCK),
    CONSTANT(AF_KCM),
    CONSTANT(AF_QIPCRTR),
    CONSTANT(AF_SMC),
    CONSTANT(AF_XDP),
    CONSTANT(SOCK_STREAM),
    CONSTANT(SOCK_DGRAM),
    CONSTANT(SOCK_RAW),
    CONSTANT(SOCK_SEQPACKET),
    CONSTANT(SOCK_CLOEXEC),
    CONSTANT(SOCK_NONBLOCK),
    CONSTANT(CLONE_VM),
    CONSTANT(CLONE_FS),
    CONSTANT(CLONE_FILES),
    CONSTANT(CLONE_SIGHAND),
    CONSTANT(CLONE_PTRACE),
    CONSTANT(CLONE_VFORK),
    CONSTANT(CLONE_PARENT),
    CONSTANT(CLONE_THREAD),
    CONSTANT(CLONE_NEWNS),
    CONSTANT(CLONE_SYSVSEM),
    CONSTANT(CLONE_SETTLS),
    CONSTANT(CLONE_UNTRACED),
    CONSTANT(CLONE_NEWCGROUP),
    CONSTANT(CLONE_NEWUTS),
    CONSTANT(CLONE_NEWIPC),
    CONSTANT(CLONE_NEWUSER),
    CONSTANT(CLONE_NEWPID),
    CONSTANT(CLONE_NEWNET),
    CONSTANT(CLONE_IO),
    {"CLONE_NEWTIME", kNewTimeNamespace},
    CONSTANT(PER_LINUX),
    CONSTANT(PER_LINUX32),
    CONSTANT(PER_BSD),
    CONSTANT(ADDR_NO_RANDOMIZE),
    CONSTANT(READ_IMPLIES_EXEC),
    CONSTANT(UNAME26),
    CONSTANT(PROT_READ),
    CONSTANT(PROT_WRITE),
    CONSTANT(PROT_EXEC),
    CONSTANT(MAP_SHARED),
    CONSTANT(MAP_PRIVATE),
    CONSTANT(MAP_FIXED),
    CONSTANT(MAP_ANONYMOUS),
    CONSTANT(TIOCSTI),
    CONSTANT(TIOCLINUX),
    CONSTANT(FIONREAD),
    CONSTANT(PTRACE_TRACEME),
    CONSTANT(PTRACE_ATTACH),
    CONSTANT(PTRACE_SEIZE),
    CONSTANT(PTRACE_PEEKDATA),
    CONSTANT(PTRACE_POKEDATA),
    CONSTANT(PR_SET_NAME),
    CONSTANT(PR_SET_DUMPABLE),
    CONSTANT(PR_SET_SECCOMP),
    CONSTANT(PR_SET_NO_NEW_PRIVS),
    CONSTANT(PR_SET_MM),
    CONSTANT(PR_CAPBSET_DROP),
    CONSTANT(MS_BIND),
    CONSTANT(MS_REMOUNT),
    CONSTANT(MS_RDONLY),
    CONSTANT(MS_REC),
    CONSTANT(MS_PRIVATE),
    CONSTANT(MNT_DETACH),
    CONSTANT(KEYCTL_JOIN_SESSION_KEYRING),
    CONSTANT(KEYCTL_READ),
    CONSTANT(KEYCTL_UPDATE),
    CONSTANT(BPF_MAP_CREATE),
    CONSTANT(BPF_PROG_LOAD),
    CONSTANT(AT_FDCWD),
    CONSTANT(O_RDONLY),
    CONSTANT(O_WRONLY),
    CONSTANT(O_RDWR),
    CONSTANT(O_CREAT),
    CONSTANT(O_EXCL),
    CONSTANT(O_TRUNC),
    CONSTANT(O_CLOEXEC),
};
#undef CONSTANT

std::string DidYouMean(std::string_view word, std::span<const std::string_view> candidates) {
  const auto nearest = base::Nearest(word, candidates);
  return nearest ? fmt::format(" (did you mean {}?)", *nearest) : "";
}

Result<uint64_t> ParseTerm(const std::string& word) {
  if (const auto number = base::ParseCInteger(word)) return *number;
  const auto found = std::ranges::find(kConstants, std::string_view(word), &Constant::first);
  if (found != std::end(kConstants)) return found->second;
  std::vector<std::string_view> names;
  for (const Constant& constant : kConstants) names.push_back(constant.first);
  return Fail(Code::kInvalidArgument, "argument {} is neither a number nor a known constant{}", base::Quote(word),
              DidYouMean(word, names));
}

}  // namespace

Result<uint64_t> ParseArgument(const std::string& word) {
  uint64_t value = 0;
  for (const std::string& term : base::Split(word, '|')) {
    ASSIGN_OR_RETURN(const uint64_t bits, ParseTerm(std::string(base::Trim(term))));
    value |= bits;
  }
  return value;
}

Result<Call> ParseCall(std::span<const std::string> words, syscalls::Arch arch) {
  if (words.empty()) return Fail(Code::kInvalidArgument, "no system call was given");
  Call call;
  if (const auto number = base::ParseCInteger(words[0])) {
    if (*number > UINT32_MAX) return Fail(Code::kInvalidArgument, "{} is no number of a system call", words[0]);
    call.number = static_cast<uint32_t>(*number);
    call.name = syscalls::NameOf(arch, call.number).value_or("");
  } else {
    const auto found = syscalls::NumberOf(arch, words[0]);
    if (!found) {
      const std::string_view arch_name = syscalls::InfoOf(arch).scmp_name;
      if (syscalls::IsKnownName(words[0])) {
        return Fail(Code::kNotFound, "{} has no system call {}: other architectures have", arch_name, words[0]);
      }
      return Fail(Code::kNotFound, "unknown system call {}{}", base::Quote(words[0]),
                  DidYouMean(words[0], syscalls::AllNames()));
    }
    call.number = *found;
    call.name = words[0];
  }
  if (words.size() - 1 > call.args.size()) {
    return Fail(Code::kInvalidArgument, "{}: {} arguments, a system call has at most {}", words[0], words.size() - 1,
                call.args.size());
  }
  for (size_t i = 1; i < words.size(); ++i) {
    ASSIGN_OR_RETURN(call.args[i - 1], ParseArgument(words[i]));
  }
  return call;
}

}  // namespace portcullis::cli
