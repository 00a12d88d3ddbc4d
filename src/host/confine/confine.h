// The daemon under its own engine: data/self/daemon.json, compiled and installed for all threads of this process,
// after it gave up new privileges. Programs must be started by the spawner from then on (base/spawner.h), which is
// started here first: the filter denies execve and every clone that is no thread.
//
//   ASSIGN_OR_RETURN(const ConfineMode mode, ParseConfineMode("enforce"));
//   ASSIGN_OR_RETURN(const Confinement done, Confine(mode, [] { std::_Exit(70); }));    // before any thread
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "base/result.h"
#include "engine/filter/compile.h"

namespace portcullis::host {

enum class ConfineMode : uint8_t {
  kEnforce,  // calls outside of the profile fail with EPERM, those that nothing needs kill the process
  kLog,      // the same calls are only written to the kernel's log
  kOff,      // no filter, no spawner
};
std::string_view ConfineModeName(ConfineMode mode);
Result<ConfineMode> ParseConfineMode(std::string_view text);  // "enforce", "log", "off"

// The profile's text, in the project's own format.
extern const char kDaemonProfile[];

// The filter of a mode for this machine; not for kOff.
Result<filter::Filter> DaemonFilter(ConfineMode mode);

struct Confinement {
  size_t instructions = 0;
  pid_t spawner = -1;
};
// `on_spawner_lost`: see base::StartSpawner. Errors: threads run already, a kernel without seccomp filters.
Result<Confinement> Confine(ConfineMode mode, std::function<void()> on_spawner_lost);

}  // namespace portcullis::host
