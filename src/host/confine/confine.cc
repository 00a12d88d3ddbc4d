#include "host/confine/confine.h"

#include <sys/prctl.h>

#include <utility>

#include "base/spawner.h"
#include "base/try.h"
#include "engine/algebra/operations.h"
#include "engine/seccomp/profile_json.h"
#include "engine/seccomp/resolve.h"
#include "host/filter/filters.h"

namespace portcullis::host {

std::string_view ConfineModeName(ConfineMode mode) {
  switch (mode) {
    case ConfineMode::kEnforce:
      return "enforce";
    case ConfineMode::kLog:
      return "log";
    case ConfineMode::kOff:
      break;
  }
  return "off";
}

Result<ConfineMode> ParseConfineMode(std::string_view text) {
  for (const ConfineMode mode : {ConfineMode::kEnforce, ConfineMode::kLog, ConfineMode::kOff}) {
    if (text == ConfineModeName(mode)) return mode;
  }
  return Fail(Code::kInvalidArgument, "\"{}\": expected enforce, log or off", text);
}

Result<filter::Filter> DaemonFilter(ConfineMode mode) {
  ASSIGN_OR_RETURN(const seccomp::Profile profile, seccomp::ParseProfile(kDaemonProfile, "the daemon's own"));
  ASSIGN_OR_RETURN(seccomp::ResolvedProfile resolved, seccomp::Resolve(profile, {}));
  if (mode == ConfineMode::kLog) {
    ASSIGN_OR_RETURN(algebra::LogTwinResult twin, algebra::LogTwin(resolved, syscalls::NativeArch()));
    resolved = std::move(twin.profile);
  }
  return filter::Compile(resolved);
}

Result<Confinement> Confine(ConfineMode mode, std::function<void()> on_spawner_lost) {
  if (mode == ConfineMode::kOff) return Confinement{};
  ASSIGN_OR_RETURN(const filter::Filter filter, DaemonFilter(mode));
  TRY(base::StartSpawner(std::move(on_spawner_lost)));
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return FailErrno(errno, "give up new privileges");
  TRY(Install(filter.program, filter.flags));
  return Confinement{.instructions = filter.program.size(), .spawner = base::SpawnerPid()};
}

}  // namespace portcullis::host
