#include "host/libseccomp/libseccomp_filter.h"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <csignal>
#include <memory>

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
    std::string name(syscalls::InfoOf(arch).scmp_name.substr(std::string_view("SCMP_ARCH_").size()));
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const int result = seccomp_arch_add(context.get(), seccomp_arch_resolve_name(name.c_str()));
    if (result != -EEXIST) TRY(Checked(result, "add " + name));
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
  std::string answer;
  char buffer[16384];
  ssize_t got = 0;
  while ((got = ::read(from_child.get(), buffer, sizeof buffer)) > 0) answer.append(buffer, static_cast<size_t>(got));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
    return Fail(Code::kDeadlineExceeded, "libseccomp {} did not come back within {} s (it spins on some profiles)",
                LibseccompVersion(), seconds);
  }
  if (answer.empty() || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return Fail(Code::kInternal, "libseccomp {} ended without an answer", LibseccompVersion());
  }
  if (answer[0] == 'e') return Fail(Code::kInvalidArgument, "{}", answer.substr(1));
  return bpf::FromBytes(std::string_view(answer).substr(1), "libseccomp's filter");
}

std::string LibseccompVersion() {
  const scmp_version* version = seccomp_version();
  return fmt::format("{}.{}.{}", version->major, version->minor, version->micro);
}

}  // namespace portcullis::host
