// What workloads were seen to call: the one form that every source (recorder, logs, strace) is brought into, and that
// every verdict is made from.
//
//   Evidence evidence;
//   const size_t web = evidence.AddWorkload({.pod_namespace = "default", .pod = "web", .container = "nginx"});
//   evidence.Add({.workload = web, .audit_arch = 0xc000003e, .number = 165, .result = CallResult::kErrno}, {.count =
//   1}); evidence.completeness.losses.push_back({"printk", 293, "callbacks suppressed"});
//
// Evidence says what it lost and what it cannot see; whoever judges by it must ask IsComplete. Pure values.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engine/syscalls/constants.h"

namespace portcullis::insight {

// When in a container's life a call was made.
enum class Phase {
  kUnknown,
  kRuntimeStart,  // by the OCI runtime, after the filter is on and before the program runs
  kInit,
  kServing,
  kExec,  // exec and probes
  kShutdown,
};

// What became of a call.
enum class CallResult {
  kUnknown,
  kAllowed,
  kLogged,  // allowed, and written to the log: SCMP_ACT_LOG
  kErrno,
  kTrap,
  kTrace,
  kNotify,
  kKillThread,
  kKillProcess,
};

std::string_view NameOf(Phase phase);        // "runtimeStart"
std::string_view NameOf(CallResult result);  // "killProcess"
std::optional<Phase> PhaseOf(std::string_view name);
std::optional<CallResult> ResultOf(std::string_view name);
// Of SECCOMP_RET_* as in seccomp_data's answer and the audit record's `code`.
CallResult ResultOfCode(uint32_t code);

// Whose call it was: a container, or a command. Empty fields are not known.
struct Workload {
  std::string pod_namespace;
  std::string pod;
  std::string pod_uid;
  std::string container;
  std::string container_id;
  std::string command;

  auto operator<=>(const Workload&) const = default;
};

using syscalls::CallArgument;

// What makes two calls the same.
struct Call {
  size_t workload = 0;     // index into Evidence::workloads
  std::string executable;  // as its own root sees it
  std::string comm;
  Phase phase = Phase::kUnknown;
  uint32_t audit_arch = 0;              // AUDIT_ARCH_*
  uint32_t number = 0;                  // x32 with bit 30
  std::vector<CallArgument> arguments;  // those that default profiles test, where the source sees them
  CallResult result = CallResult::kUnknown;
  int error = 0;  // errno of a call that failed; 0: succeeded or not known

  auto operator<=>(const Call&) const = default;
};

struct CallFacts {
  uint64_t count = 0;
  int64_t first = 0;  // Unix nanoseconds; 0: not known
  int64_t last = 0;
  uint64_t address = 0;  // instruction pointer of one of the calls; 0: not known
  std::string location;  // where that is: "/usr/lib/libc.so.6+0x11e88d", or the file alone; "" when not known
  std::string symbol;    // and the function: "mount+0xb"

  void Merge(const CallFacts& other);
};

struct Loss {
  std::string where;   // "printk", "audit", "journal", "recorder"
  uint64_t count = 0;  // 0: some, the source does not tell how many
  std::string why;

  auto operator<=>(const Loss&) const = default;
};

// Words of Completeness::unseen that verdicts know; any other is taken for a gap as well.
namespace unseen {
inline constexpr std::string_view kArguments = "arguments";
inline constexpr std::string_view kAllowedCalls = "calls that a profile allows without logging";
inline constexpr std::string_view kErrno = "the errno of a denied call";
inline constexpr std::string_view kBeforeTheStart = "what containers did before the recording began";
inline constexpr std::string_view kDenials = "calls that a filter denies";
inline constexpr std::string_view kOnlyLogged = "which allowed calls a filter only logs (SCMP_ACT_LOG)";
inline constexpr std::string_view kKills = "calls that a filter kills for (SCMP_ACT_KILL_*)";
}  // namespace unseen

struct Completeness {
  std::vector<Loss> losses;
  // What such a source cannot show, in words for people: "calls that are allowed", "arguments".
  std::set<std::string> unseen;
  // The trace has no end: its writer was stopped.
  bool cut_off = false;

  // One entry for each reason: counts are added.
  void AddLoss(Loss loss);
};

class Evidence {
 public:
  // More distinct calls than this are counted as lost: a hostile program may not fill the memory.
  static constexpr size_t kMaxCalls = 1u << 20;
  static constexpr size_t kMaxWorkloads = 1u << 16;
  // Fewer than kMaxCalls. Of those that are there already none goes.
  void LimitCalls(size_t most) { max_calls_ = std::min(most, kMaxCalls); }

  std::string source;  // "audit-log", "strace", "ebpf"
  Completeness completeness;

  // The index of an equal workload, or of this one from now on. kMaxWorkloads: the last is for all that come later.
  size_t AddWorkload(const Workload& workload);
  // More is known of it now.
  void Describe(size_t index, const Workload& workload);
  void Add(Call call, const CallFacts& facts);
  // So many of this call were another one: it is taken away. The facts of those that were there.
  CallFacts Take(const Call& call, uint64_t count);
  // All that `other` has, its workloads found again by their values.
  void Merge(const Evidence& other);

  const std::vector<Workload>& workloads() const { return workloads_; }
  const std::map<Call, CallFacts>& calls() const { return calls_; }
  // Nothing lost, not cut off. What a kind of source never sees is in completeness.unseen.
  bool IsComplete() const;

 private:
  std::vector<Workload> workloads_;
  std::map<Workload, size_t> index_;
  std::map<Call, CallFacts> calls_;
  size_t max_calls_ = kMaxCalls;
};

}  // namespace portcullis::insight
