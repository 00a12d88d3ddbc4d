#include "host/libseccomp/libseccomp_filter.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <map>
#include <memory>

#include "base/files.h"
#include "base/try.h"
#include "base/unique_fd.h"

namespace portcullis::host {
namespace {

using seccomp::Action;
using seccomp::CompareOp;

uint32_t ToScmp(Action action, std::optional<uint32_t> errno_ret) {
  const uint32_t data = errno_ret.value_or(EPERM);
  switch (action) {
    case Action::kKill:
    case Action::kKillThread:
      return SCMP_ACT_KILL_THREAD;
    case Action::kKillProcess:
      return SCMP_ACT_KILL_PROCESS;
    case Action::kTrap:
      return SCMP_ACT_TRAP;
    case Action::kErrno:
      return SCMP_ACT_ERRNO(data);
    case Action::kTrace:
      return SCMP_ACT_TRACE(data);
    case Action::kAllow:
      return SCMP_ACT_ALLOW;
    case Action::kLog:
      return SCMP_ACT_LOG;
    case Action::kNotify:
      return SCMP_ACT_NOTIFY;
  }
  return SCMP_ACT_KILL_PROCESS;
}

scmp_compare ToScmp(CompareOp op) {
  switch (op) {
    case CompareOp::kNotEqual:
      return SCMP_CMP_NE;
    case CompareOp::kLess:
      return SCMP_CMP_LT;
    case CompareOp::kLessEqual:
      return SCMP_CMP_LE;
    case CompareOp::kEqual:
      return SCMP_CMP_EQ;
    case CompareOp::kGreaterEqual:
      return SCMP_CMP_GE;
    case CompareOp::kGreater:
      return SCMP_CMP_GT;
    case CompareOp::kMaskedEqual:
      return SCMP_CMP_MASKED_EQ;
  }
  return SCMP_CMP_EQ;
}

Result<void> Checked(int result, const std::string& what) {
  if (result == 0) return {};
  return FailErrno(-result, "libseccomp: {}", what);
}

// A rule that tests one argument twice becomes one rule a test, as in crun and runc.
Result<void> AddRule(scmp_filter_ctx context, uint32_t action, int number, const seccomp::ResolvedRule& rule) {
  std::vector<scmp_arg_cmp> tests;
  unsigned seen = 0;
  bool repeated = false;
  for (const seccomp::Arg& arg : rule.args) {
    repeated = repeated || (seen & 1U << arg.index) != 0;
    seen |= 1U << arg.index;
    tests.push_back({.arg = arg.index, .op = ToScmp(arg.op), .datum_a = arg.value, .datum_b = arg.value_two});
  }
  if (!repeated) {
    return Checked(seccomp_rule_add_array(context, action, number, static_cast<unsigned>(tests.size()), tests.data()),
                   "add a rule for " + rule.names.front());
  }
  for (const scmp_arg_cmp& test : tests) {
    TRY(Checked(seccomp_rule_add_array(context, action, number, 1, &test), "add a rule for " + rule.names.front()));
  }
  return {};
}

constexpr size_t kLongestAnswer = size_t{1} << 20;
constexpr uint32_t kX32Bit = 0x40000000;
constexpr uint32_t kEnosys = SCMP_ACT_ERRNO(ENOSYS);

uint32_t ToLibseccomp(syscalls::Arch arch) {
  std::string name(syscalls::InfoOf(arch).scmp_name.substr(std::string_view("SCMP_ARCH_").size()));
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return seccomp_arch_resolve_name(name.c_str());
}

// The largest number of one architecture that a rule of the profile names and libseccomp knows.
std::optional<uint32_t> NewestKnownNumber(const seccomp::ResolvedProfile& profile, syscalls::Arch arch) {
  std::optional<uint32_t> newest;
  for (const seccomp::ResolvedRule& rule : profile.syscalls) {
    for (const std::string& name : rule.names) {
      const int number = seccomp_syscall_resolve_name_arch(ToLibseccomp(arch), name.c_str());
      if (number >= 0) newest = std::max(newest.value_or(0), static_cast<uint32_t>(number));
    }
  }
  return newest;
}

// What runc knows of the numbers under one value of seccomp_data.arch.
struct Newest {
  std::optional<uint32_t> plain;
  std::optional<uint32_t> x32;
};

// The tests of one section: ENOSYS for a number that is too new, else on to what follows.
bpf::Program StubSection(uint32_t audit_arch, const Newest& newest) {
  bpf::Program section = {{bpf::kLoad, 0, 0, bpf::kNrOffset}};
  const auto refuse_above = [&section](uint32_t number) {
    section.push_back({bpf::kJumpGt, 0, 1, number});
    section.push_back({bpf::kReturn, 0, 0, kEnosys});
  };
  if (audit_arch == AUDIT_ARCH_S390 || audit_arch == AUDIT_ARCH_S390X) {
    section.push_back({bpf::kJumpEq, 0, 1, 0});  // number 0 is where these send the numbers that do not fit
    section.push_back({bpf::kReturn, 0, 0, kEnosys});
  }
  if (audit_arch != AUDIT_ARCH_X86_64) {
    refuse_above(*newest.plain);
    return section;
  }
  // Without bit 30: the plain numbers; with it: those of x32. A side without a maximum is left to the filter.
  const auto plain = static_cast<uint8_t>(newest.plain ? 2 : 0);
  const auto x32 = static_cast<uint8_t>(newest.x32 ? 2 : 0);
  section.push_back({bpf::kJumpSet, static_cast<uint8_t>(plain + (x32 != 0 && plain != 0 ? 1 : 0)), 0, kX32Bit});
  if (plain == 0) section.back().jf = x32;
  if (newest.plain) refuse_above(*newest.plain);
  if (newest.plain && newest.x32) section.push_back({bpf::kJump, 0, 0, x32});
  if (newest.x32) refuse_above(*newest.x32);
  return section;
}

Result<bpf::Program> Export(scmp_filter_ctx context) {
  const base::UniqueFd file(::memfd_create("filter", MFD_CLOEXEC));
  if (!file.valid()) return FailErrno(errno, "make a file in memory");
  TRY(Checked(seccomp_export_bpf(context, file.get()), "export"));
  const off_t size = ::lseek(file.get(), 0, SEEK_END);
  std::string bytes(static_cast<size_t>(size), '\0');
  if (::pread(file.get(), bytes.data(), bytes.size(), 0) != size) return FailErrno(errno, "read the exported filter");
  return bpf::FromBytes(bytes, "libseccomp's filter");
}

}  // namespace

Result<bpf::Program> BuildWithLibseccomp(const seccomp::ResolvedProfile& profile, Shape shape) {
  const uint32_t fallback = ToScmp(profile.default_action, profile.default_errno_ret);
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> context(seccomp_init(fallback), seccomp_release);
  if (!context) return Fail(Code::kInvalidArgument, "libseccomp refuses the default action");
  TRY(Checked(seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, static_cast<uint32_t>(shape)),
              "set its shape"));
  for (const syscalls::Arch arch : profile.architectures) {
    const int result = seccomp_arch_add(context.get(), ToLibseccomp(arch));
    if (result != -EEXIST) TRY(Checked(result, fmt::format("add {}", syscalls::InfoOf(arch).scmp_name)));
  }
  for (const seccomp::ResolvedRule& rule : profile.syscalls) {
    const uint32_t action = ToScmp(rule.action, rule.errno_ret);
    if (action == fallback) continue;
    for (const std::string& name : rule.names) {
      const int number = seccomp_syscall_resolve_name(name.c_str());
      if (number == __NR_SCMP_ERROR) continue;
      TRY(AddRule(context.get(), action, number, rule));
    }
  }
  return Export(context.get());
}

Result<bpf::Program> PrependRuncStub(const seccomp::ResolvedProfile& profile, bpf::Program filter) {
  if (profile.default_action == Action::kAllow || profile.default_action == Action::kLog ||
      profile.default_action == Action::kTrace) {
    return filter;
  }
  std::vector<syscalls::Arch> arches = profile.architectures;
  if (std::ranges::find(arches, syscalls::NativeArch()) == arches.end()) arches.push_back(syscalls::NativeArch());
  // One section for each value of seccomp_data.arch; x86_64 and x32 share theirs and differ in bit 30 of the number.
  std::map<uint32_t, Newest> sections;
  for (const syscalls::Arch arch : arches) {
    const std::optional<uint32_t> newest = NewestKnownNumber(profile, arch);
    if (!newest) continue;
    Newest& section = sections[syscalls::InfoOf(arch).audit_arch];
    ((*newest & kX32Bit) != 0 ? section.x32 : section.plain) = newest;
  }
  bpf::Program stub = {{bpf::kLoad, 0, 0, bpf::kArchOffset}};
  std::vector<size_t> leave;  // jumps to libseccomp's filter
  for (const auto& [audit_arch, newest] : sections) {
    const bpf::Program section = StubSection(audit_arch, newest);
    stub.push_back({bpf::kJumpEq, 0, static_cast<uint8_t>(section.size() + 1), audit_arch});
    stub.insert(stub.end(), section.begin(), section.end());
    leave.push_back(stub.size());
    stub.push_back({bpf::kJump, 0, 0, 0});
  }
  for (const size_t at : leave) stub[at].k = static_cast<uint32_t>(stub.size() - at - 1);
  stub.insert(stub.end(), filter.begin(), filter.end());
  TRY(bpf::Check(stub));
  return stub;
}

Result<bpf::Program> BuildInChild(const seccomp::ResolvedProfile& profile, Shape shape, unsigned seconds) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return FailErrno(errno, "make a pipe");
  base::UniqueFd from_child(ends[0]), to_parent(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return FailErrno(errno, "start a process");
  if (child == 0) {
    ::alarm(seconds);
    const auto program = BuildWithLibseccomp(profile, shape);
    // The first byte tells a filter from an error's text.
    const std::string answer = program ? "f" + bpf::ToBytes(*program) : "e" + program.error().message;
    const bool written = ::write(to_parent.get(), answer.data(), answer.size()) == static_cast<ssize_t>(answer.size());
    ::_exit(written ? 0 : 1);
  }
  to_parent = base::UniqueFd();
  const auto read = base::ReadFd(from_child.get(), kLongestAnswer, "libseccomp's answer");
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
    return Fail(Code::kDeadlineExceeded, "libseccomp {} did not come back within {} s (it spins on some profiles)",
                LibseccompVersion(), seconds);
  }
  if (!read) return Failure(read.error());
  const std::string_view answer = *read;
  if (answer.empty() || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return Fail(Code::kInternal, "libseccomp {} ended without an answer", LibseccompVersion());
  }
  if (answer[0] == 'e') return Fail(Code::kInvalidArgument, "{}", answer.substr(1));
  return bpf::FromBytes(answer.substr(1), "libseccomp's filter");
}

std::string LibseccompVersion() {
  const scmp_version* version = seccomp_version();
  return fmt::format("{}.{}.{}", version->major, version->minor, version->micro);
}

}  // namespace portcullis::host
