// Live seccomp records as evidence, each with the container that its process is in, also when the process has ended
// before anybody could look.
//
//   ASSIGN_OR_RETURN(LiveEvidence live, LiveEvidence::Open({.describe = AskRuntime}));
//   while (!stop) TRY(live.Step(std::chrono::milliseconds(500)));
//   TRY(live.TakeAllSoFar());
//   WriteTrace(live.Snapshot(), path);
//
// A record whose process is of no container belongs to the workload "(no container)"; one whose container could not be
// found to none, and is a loss. One thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "insight/evidence/evidence.h"
#include "insight/live/live_audit.h"

namespace portcullis::insight {

inline constexpr char kNoContainer[] = "(no container)";

struct LiveOptions {
  AuditSource source = AuditSource::kBest;
  // What the container runtime knows of a container: asked right when its first record comes, so that the name is known
  // when the container is gone. What it was given, where it knows nothing more; nullopt: it does not answer, and is
  // asked again, after a while, until it does. May be empty.
  std::function<std::optional<Workload>(const Workload& known)> describe;
  std::chrono::nanoseconds ask_again{std::chrono::seconds(10)};
  // What an earlier watch has found, to go on with.
  Evidence begin_with;
  size_t max_calls = Evidence::kMaxCalls;
  // Each record as it comes, with its workload, for showing; may be empty.
  std::function<void(const AuditRecord&, const Workload&)> show;
  std::string proc_dir = "/proc";
};

class LiveEvidence {
 public:
  static Result<LiveEvidence> Open(LiveOptions options);
  LiveEvidence(LiveEvidence&&) noexcept;
  LiveEvidence& operator=(LiveEvidence&&) noexcept;
  ~LiveEvidence();

  const LiveAudit& audit() const;
  // "" when processes that end at once are followed; else why they cannot be.
  const std::string& why_not_followed() const;

  // Waits at most `timeout` and takes what has come.
  Result<void> Step(std::chrono::milliseconds timeout);
  uint64_t records() const;

  // Takes what was written before this call (LiveAudit::ReceiveAllSoFar); when that cannot be known, it is a loss.
  Result<void> TakeAllSoFar();

  // What was found so far, with what was lost so far.
  Evidence Snapshot() const;

 private:
  struct State;
  explicit LiveEvidence(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace portcullis::insight
