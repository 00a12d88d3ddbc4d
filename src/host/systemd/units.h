// systemd's transient units: slices that hold pods, scopes that hold processes.
//
//   TRY(CheckSystemdRuns());
//   std::shared_ptr<const Units> units = SystemdUnits();
//   TRY(units->StartSlice("kubepods-burstable.slice"));
//   TRY(units->SetProperties("kubepods-burstable.slice", {{"CPUShares", uint64_t{512}}}));
//   TRY(units->StartScope("portcullis-conmon-1.scope", "kubepods-burstable.slice", pid));
//
// Every call returns when systemd has done it (org.freedesktop.systemd1(5)); errors carry systemd's own text.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"

namespace portcullis::host {

// As systemd names it: {"MemoryMax", uint64_t{1} << 20}, {"Delegate", true}.
struct UnitProperty {
  std::string name;
  std::variant<bool, uint64_t, std::string, std::vector<uint32_t>> value;
  bool operator==(const UnitProperty&) const = default;
};
using UnitProperties = std::vector<UnitProperty>;

// "max" of systemd's numbers.
inline constexpr uint64_t kNoLimit = UINT64_MAX;

// What a new slice or scope is given. They are not ended before everything else at a shutdown, and count what they use.
UnitProperties NewSliceProperties(const std::string& name);
UnitProperties NewScopeProperties(const std::string& name, const std::string& slice, pid_t pid);

class Units {
 public:
  virtual ~Units() = default;
  // Also makes the slices that it lies in. Harmless when it is there.
  virtual Result<void> StartSlice(const std::string& name) const = 0;
  // Moves the process into a new scope.
  virtual Result<void> StartScope(const std::string& name, const std::string& slice, pid_t pid) const = 0;
  // Until the unit is gone; not for the next boot.
  virtual Result<void> SetProperties(const std::string& name, const UnitProperties& properties) const = 0;
  // Ends it, with all that runs in it, and has it forgotten. Absent is success.
  virtual Result<void> Stop(const std::string& name) const = 0;
};

// kFailedPrecondition when PID 1 is something else.
Result<void> CheckSystemdRuns();

// Over the system bus; a connection for each call, so that a restarted bus does no harm. For any thread.
std::shared_ptr<const Units> SystemdUnits();

}  // namespace portcullis::host
