// The recorder: a kernel program (bpf/record.bpf.c) that counts the system calls of chosen cgroups and process trees.
//
//   ASSIGN_OR_RETURN(auto recorder, EbpfRecorder::Open({}));
//   ASSIGN_OR_RETURN(const size_t web, recorder->Add({.pod = "web", .container = "nginx"}, {}));
//   TRY(recorder->WatchCgroup(web, {.unified = 4711}));
//   ... the container runs ...
//   ASSIGN_OR_RETURN(const Evidence evidence, recorder->Collect());
//
// Calls that a seccomp filter denies are seen with their errno and arguments, kills too. What is lost is counted and
// makes the evidence incomplete. Needs root (CAP_BPF, CAP_PERFMON) and the kernel's BTF; tested on Linux
// 6.1 (Debian 12's) and 6.18. One thread at a time.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "insight/evidence/evidence.h"

namespace portcullis::insight {

// The v1 hierarchy that cgroups are also looked up in, on hosts that have one: the first of these that is mounted.
enum class V1Controller { kNone, kPids, kMemory, kDevices, kFreezer, kCpu };
std::string_view NameOf(V1Controller controller);  // "pids"

struct RecorderOptions {
  int max_calls = 16384;                                          // distinct ones that the kernel keeps; more are lost
  std::chrono::nanoseconds init_limit{std::chrono::seconds(10)};  // a program that never listens counts as serving then
  V1Controller v1_controller = V1Controller::kNone;
  // False: as on a kernel that cannot, for tests.
  bool tell_kills = true;
  bool tell_logged = true;
};

// What this kernel cannot tell the recorder, but its audit records can (audit_witness.h).
struct BlindSpots {
  bool kills = false;   // before 5.16
  bool logged = false;  // without kprobes
};

// Of whom an audit record is.
struct Writer {
  size_t workload = 0;
  Phase phase = Phase::kUnknown;  // now; the record's was a moment ago
};

// Inodes of a cgroup's directories; 0: it has none there.
struct CgroupIds {
  uint64_t unified = 0;
  uint64_t v1 = 0;  // in the hierarchy of RecorderOptions::v1_controller
};

struct WorkloadStart {
  pid_t announced = 0;   // the OCI runtime's process that becomes the container's first; 0: the container runs already
  bool serving = false;  // it has been running for long
  pid_t first_process = 0;                     // of a container that runs already; 0: not known
  std::vector<int> stop_signals = {2, 3, 15};  // to the first process: its shutdown begins
};

class EbpfRecorder {
 public:
  // kUnimplemented: this kernel has no BTF, or lacks a part. kPermissionDenied: not enough rights.
  static Result<std::unique_ptr<EbpfRecorder>> Open(const RecorderOptions& options);
  ~EbpfRecorder();

  // kResourceExhausted, which is counted as a loss, when there are too many.
  Result<size_t> Add(const Workload& workload, const WorkloadStart& start);
  // Everything in the cgroup and below it. Processes that come in later without a parent in it count as exec.
  Result<void> WatchCgroup(size_t workload, const CgroupIds& ids);
  // A process with one thread, and what it forks; it counts from its next execve.
  Result<void> FollowProcess(size_t workload, int pidfd);
  // From now on calls of the container's own processes are of the shutdown.
  void BeginShutdown(size_t workload);
  void AddStopSignal(size_t workload, int signal);
  // Something that this recorder should have seen and did not.
  void AddLoss(const Loss& loss);
  // Threads of the workload that live now.
  uint32_t LiveTasks(size_t workload) const;

  BlindSpots blind_spots() const;
  // Whose process had the id at that time, also when it has ended; nullopt: nobody's that is recorded. Only with blind
  // spots.
  std::optional<Writer> WriterOf(uint32_t pid, int64_t unix_nanos) const;
  const std::vector<Workload>& workloads() const;

  // What was counted so far. Blind spots are under `unseen`.
  Result<Evidence> Collect() const;

 private:
  struct State;
  explicit EbpfRecorder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace portcullis::insight
