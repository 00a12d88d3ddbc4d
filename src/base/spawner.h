// A helper process that starts programs for a daemon which confines itself: a seccomp filter, and the bit "no new
// privileges", go over to every child, and those of a container's runtime are not ours to narrow. The helper is forked
// before that and stays as the daemon was. It clones with CLONE_PARENT, so a program that it starts is the daemon's own
// child: waiting, pidfds, exit codes and process groups stay as they are. base::Spawn uses it once it is there.
//
//   TRY(StartSpawner([] { std::_Exit(70); }));   // while the process has one thread
//   ... confine, start threads ...
//   Spawn({.argv = {"crun", "--version"}});      // not confined
//
// It ends with the daemon (its socket closes), holds no descriptor but that socket and 0, 1 and 2, and allocates
// nothing.
#pragma once

#include <functional>

#include "base/result.h"
#include "base/spawn.h"

namespace portcullis::base {

// `on_lost` is called (once, in the thread that noticed) when the helper is gone: nothing can be started any more, and
// a confined process cannot make another. Errors: kFailedPrecondition, threads run already or there is one already.
Result<void> StartSpawner(std::function<void()> on_lost);

// The helper's pid; -1 without one.
pid_t SpawnerPid();

// As Spawn, through the helper. `options.fds` are sources and numbers in the child.
Result<Child> SpawnThroughHelper(const SpawnOptions& options);

}  // namespace portcullis::base
