// Drives runc or crun, with conmon as each container's monitor.
//
//   OciRuntime runtime({.program = program, .conmon_path = "/usr/bin/conmon", .state_dir = "/run/portcullis"},
//   cgroups); ContainerHandle handle{.id = id, .bundle = bundle, .cgroup_parent = "/kubepods/pod" + uid};
//   spec.linux_.cgroups_path = handle.CgroupsPath();                       // and config.json written into the bundle
//   ASSIGN_OR_RETURN(CreatedContainer made, runtime.Create(handle, {.name = name, .log_path = log}));
//   TRY(runtime.Start(handle, Filter::kWanted));
//
// conmon daemonises and sits in its own cgroup beside the container's: containers, their logs and their exit codes
// survive the death of this process. Files: <state_dir>/oci (the OCI runtime's root), <state_dir>/exits/<id> (exit
// code, see exit_watcher.h), <state_dir>/attach/<id> (link to the bundle with conmon's attach socket).
//
// Every call has a deadline. A crafted seccomp profile makes libseccomp spin for ever inside the OCI runtime; when the
// deadline passes, the container's and conmon's cgroups are killed whole and what was half-made is deleted.
// Error texts carry the runtime's own message: `container create failed: exec: "/nope": stat /nope: no such file or
// directory`.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/container/cgroups.h"
#include "runtime/container/conmon.h"
#include "runtime/container/container_handle.h"
#include "runtime/container/exec_process.h"
#include "runtime/container/observer.h"
#include "spec/oci/runtime_spec.h"

namespace portcullis::runtime {

struct RuntimeProgram {
  std::string name;  // "runc", "crun", or the base name of a given path
  std::string path;
};

// `setting` is --oci-runtime: "auto", "runc", "crun" or an absolute path. auto: crun on a unified host and, through our
// helper portcullis-crun, on a hybrid one (Debian's crun alone refuses it), runc if that is not installed; runc on v1.
// `find` answers the path of an installed program or "" (FindProgram below). Error kNotFound says what to install.
Result<RuntimeProgram> ChooseOciRuntime(const std::string& setting, CgroupLayout layout,
                                        const std::function<std::string(const std::string&)>& find);

// Searches PATH, then /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; for a program of our own
// (portcullis-...) the folder of this executable and ../libexec/portcullis instead.
std::string FindProgram(const std::string& name);

struct OciRuntimeOptions {
  RuntimeProgram program;
  std::string conmon_path = "/usr/bin/conmon";
  std::string state_dir = "/run/portcullis";
  std::chrono::milliseconds deadline{
      std::chrono::seconds(120)};  // of one call, as the kubelet's runtime request timeout
};

struct CreateOptions {
  std::string name;      // for conmon's own log
  std::string log_path;  // CRI format; its folder must exist
  bool tty = false;
  bool stdin_open = false;
  bool stdin_once = false;
  std::optional<std::chrono::milliseconds> deadline;  // instead of the driver's
};

struct CreatedContainer {
  pid_t pid = -1;
  pid_t conmon_pid = -1;
};

enum class ContainerStatus { kCreating, kCreated, kRunning, kStopped, kPaused };

struct ContainerState {
  ContainerStatus status = ContainerStatus::kStopped;
  pid_t pid = 0;  // 0 when stopped
  std::string bundle;
};

struct ExecOptions {
  oci::Process process;                                     // oci::BuildExecProcess
  std::chrono::milliseconds timeout{0};                     // 0: none, once the command runs
  std::optional<std::chrono::milliseconds> setup_deadline;  // until the command runs; instead of the driver's
};

struct ExecResult {
  int exit_code = 0;  // -1 when it timed out
  std::string out;
  std::string err;
  bool timed_out = false;
};

// Whether a container's spec has a seccomp profile, so that its processes must be under a filter.
enum class Filter { kNone, kWanted };

inline constexpr size_t kMaxExecOutput = 16u << 20;  // both streams together

class OciRuntime {
 public:
  OciRuntime(OciRuntimeOptions options, Cgroups cgroups, ObserverList* observers = nullptr);

  const OciRuntimeOptions& options() const { return options_; }
  std::string ExitDir() const { return options_.state_dir + "/exits"; }
  std::string AttachSocket(const std::string& id) const { return options_.state_dir + "/attach/" + id + "/attach"; }

  // Makes the folders below state_dir. Once, before the rest.
  Result<void> Prepare() const;

  // config.json is in the bundle; the cgroup parent is made if it is missing. The container waits in state created.
  // On failure nothing of it is left (but the bundle, which is the caller's).
  // With a monitor from StartMonitor of the same arguments it takes less time.
  Result<CreatedContainer> Create(const ContainerHandle& handle, const CreateOptions& options,
                                  std::optional<Conmon> monitor = std::nullopt) const;
  // Starts the container's monitor, which then waits for Create: it takes its time to get into its cgroup, and needs
  // nothing of the bundle but the folder. One that is dropped has ended.
  Result<Conmon> StartMonitor(const ContainerHandle& handle, const CreateOptions& options) const;
  // An OCI runtime may ignore linux.seccomp (one built without seccomp, a wrapper): where a filter is wanted, the
  // kernel is asked, and a container that runs without one ends with an error.
  Result<void> Start(const ContainerHandle& handle, Filter filter) const;
  Result<ContainerState> State(const ContainerHandle& handle) const;  // kNotFound when the runtime does not know it
  // Signals the container's first process, or all of them. A container that has stopped is success.
  Result<void> Kill(const ContainerHandle& handle, int signal, bool all = false) const;
  // Forgets the container, its cgroups, its attach link and its exit file. `force` kills what runs. Absent is success.
  Result<void> Delete(const ContainerHandle& handle, bool force = false) const;
  Result<void> Update(const ContainerHandle& handle, const oci::Resources& resources) const;

  // Runs a command in the container to its end. On timeout the command and all that it started are killed.
  Result<ExecResult> ExecSync(const ContainerHandle& handle, const ExecOptions& options) const;

  // Starts a command in the container and leaves its streams to the caller. kNotFound when the container is not there.
  Result<std::unique_ptr<ExecProcess>> StartExec(const ContainerHandle& handle, const ExecStreams& options) const;

  // Sets the size of a container's terminal; success when it has none.
  Result<void> ResizeTerminal(const ContainerHandle& handle, TerminalSize size) const;

  // conmon opens its log file anew (after a rotation renamed it); returns when the new file exists.
  Result<void> ReopenLog(const ContainerHandle& handle, const std::string& log_path) const;

  // Ids that the OCI runtime has on record: what a start after a crash compares with the store.
  Result<std::vector<std::string>> List() const;

  // First line of `runc --version`: {"runc", "1.1.5+ds1"}.
  struct Version {
    std::string name;
    std::string version;
  };
  Result<Version> RuntimeVersion() const;

 private:
  // Runs `<program> --root=... <arguments>`; what it wrote to its standard output. `on_timeout` comes before the error.
  Result<std::string> Run(const std::string& what, const std::vector<std::string>& arguments, std::string input = {},
                          std::function<void()> on_timeout = {}) const;
  Result<CreatedContainer> TryCreate(const ContainerHandle& handle, const CreateOptions& options,
                                     std::optional<Conmon> monitor) const;
  Result<void> AwaitProgram(const ContainerHandle& handle, const struct ProgramFile& before, int pidfd) const;
  Result<void> CheckFilter(const ContainerHandle& handle, pid_t pid, int pidfd) const;
  // Kills what there is of a container and deletes it, whatever state it is in.
  void Abandon(const ContainerHandle& handle) const;
  // Ends the execs that an earlier process left without anybody at their streams.
  Result<void> EndStaleExecs() const;
  bool KeepsOnlyAFolder() const;
  // Signals the first process without the OCI runtime; false when it is not sure which that is.
  bool SignalFirst(const ContainerHandle& handle, int signal) const;
  // The kernel has no process of it any more, so that there is nothing that the OCI runtime would have to end.
  bool HasEnded(const ContainerHandle& handle) const;
  Result<base::UniqueFd> OpenControl(const ContainerHandle& handle, const std::string& what) const;
  Result<void> CleanUp(const ContainerHandle& handle) const;
  std::vector<std::string> ConmonArguments(const std::string& id, const std::string& bundle) const;
  std::string RootDir() const { return options_.state_dir + "/oci"; }
  std::string AttachDir() const { return options_.state_dir + "/attach"; }
  std::string ExecDir() const { return options_.state_dir + "/exec"; }

  OciRuntimeOptions options_;
  Cgroups cgroups_;
  ObserverList* observers_;
};

}  // namespace portcullis::runtime
