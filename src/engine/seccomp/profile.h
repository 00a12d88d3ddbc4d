// A seccomp profile as its author wrote it, in either dialect:
//   - Docker's conditional form (moby, podman, CRI-O): archMap, per-rule includes/excludes, minKernel, errno names;
//   - OCI's LinuxSeccomp (what an OCI runtime and containerd's Localhost read): architectures and plain rules.
// One struct holds both, because files mix them. `Resolve` (resolve.h) turns it into the OCI form for one container.
//
//   ASSIGN_OR_RETURN(Profile profile, ParseProfile(text, "profiles/audit.json"));          // profile_json.h
//   ASSIGN_OR_RETURN(ResolvedProfile resolved, Resolve(profile, context));                 // resolve.h
//
// Field names are those of the OCI runtime specification ("LinuxSeccomp") and of Docker's profile.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/syscalls/arch.h"

namespace portcullis::seccomp {

using syscalls::Arch;

// SCMP_ACT_KILL is an older spelling of SCMP_ACT_KILL_THREAD; both are kept so that a file can be written as it was
// read.
enum class Action : uint8_t { kKill, kKillThread, kKillProcess, kTrap, kErrno, kTrace, kAllow, kLog, kNotify };

std::string_view ActionName(Action action);  // "SCMP_ACT_ERRNO"
std::optional<Action> ActionFromName(std::string_view name);
bool TakesErrno(Action action);  // ERRNO and TRACE: the actions that carry a number

enum class CompareOp : uint8_t { kNotEqual, kLess, kLessEqual, kEqual, kGreaterEqual, kGreater, kMaskedEqual };

std::string_view CompareOpName(CompareOp op);  // "SCMP_CMP_MASKED_EQ"
std::optional<CompareOp> CompareOpFromName(std::string_view name);

// A test of one argument of the call, unsigned and 64 bits wide.
// For kMaskedEqual `value` is the mask and `value_two` the datum: (argument & value) == value_two. Else value_two is
// unused.
struct Arg {
  uint32_t index = 0;  // 0 to 5
  uint64_t value = 0;
  uint64_t value_two = 0;
  CompareOp op = CompareOp::kEqual;
  auto operator<=>(const Arg&) const = default;
};

// Flags of seccomp(2) that OCI names; the values are the kernel's bits.
enum class FilterFlag : uint32_t { kTsync = 1, kLog = 2, kSpecAllow = 4, kWaitKillableRecv = 32 };

std::string_view FilterFlagName(FilterFlag flag);  // "SECCOMP_FILTER_FLAG_LOG"
std::optional<FilterFlag> FilterFlagFromName(std::string_view name);

// The two first numbers of a kernel release; all that `minKernel` compares.
struct KernelVersion {
  int major = 0;
  int minor = 0;
  auto operator<=>(const KernelVersion&) const = default;
};

// "6.18.44-cloud-amd64" -> {6, 18}; suffixes are ignored, as the runtimes do.
Result<KernelVersion> ParseKernelRelease(std::string_view release);
// `minKernel`: exactly "<kernel>.<major>", each at most 255, not 0.0.
Result<KernelVersion> ParseMinKernel(std::string_view text);
std::string ToString(KernelVersion version);  // "4.8"

// `includes` or `excludes` of a rule. Empty: no condition.
struct Conditions {
  std::vector<std::string> arches;  // Docker names: "amd64", "arm64", "x32" (syscalls/arch.h)
  std::vector<std::string> caps;    // "CAP_SYS_ADMIN"
  std::optional<KernelVersion> min_kernel;
  bool empty() const { return arches.empty() && caps.empty() && !min_kernel; }
  bool operator==(const Conditions&) const = default;
};

struct Rule {
  std::vector<std::string> names;
  bool singular_name = false;  // the file says `"name": "x"`; names then holds just x
  Action action = Action::kErrno;
  std::optional<uint32_t> errno_ret;  // `errnoRet`
  std::string errno_name;             // `errno`: "ENOSYS" or a decimal number; it wins over errnoRet (podman, CRI-O)
  std::vector<Arg> args;
  Conditions includes;
  Conditions excludes;
  std::string comment;
  bool operator==(const Rule&) const = default;
};

struct ArchMapEntry {
  Arch architecture = Arch::kX86_64;
  std::vector<Arch> sub_architectures;
  bool operator==(const ArchMapEntry&) const = default;
};

struct Profile {
  Action default_action = Action::kErrno;
  std::optional<uint32_t> default_errno_ret;  // `defaultErrnoRet`
  std::string default_errno_name;             // `defaultErrno`
  std::vector<Arch> architectures;
  std::vector<ArchMapEntry> arch_map;
  std::vector<FilterFlag> flags;
  std::string listener_path;
  std::string listener_metadata;
  std::vector<Rule> syscalls;
  std::map<std::string, std::string> extensions;  // top-level keys that begin with "x-", as JSON text
  bool operator==(const Profile&) const = default;
};

// True when the profile says something that only Docker's dialect can say (archMap, conditions, `name`, errno names).
bool UsesConditionalDialect(const Profile& profile);

// errno by symbolic name or decimal number ("ENOSYS", "38"), with the values of this build's architecture.
std::optional<uint32_t> ErrnoFromName(std::string_view name);
// "ENOSYS"; the number itself when it has no name.
std::string ErrnoName(uint32_t number);

}  // namespace portcullis::seccomp
