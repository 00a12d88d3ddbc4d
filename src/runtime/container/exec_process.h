// A command in a running container whose streams are in our hands: the OCI runtime's `exec` in the foreground, without
// a monitor.
//
//   ASSIGN_OR_RETURN(auto process, runtime.StartExec(handle, {.process = process, .input = true}));
//   ... poll process->pidfd(), process->output() ...
//   ASSIGN_OR_RETURN(int exit_code, process->Finish());
//
// Without a terminal the streams are pipes; with one they are the server's side of a pseudo-terminal (output() only,
// error() is -1). All descriptors of this side do not block. Destroying it kills the command and all that it started,
// unless it was finished.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/spawn.h"
#include "base/unique_fd.h"
#include "runtime/container/exec_scope.h"
#include "spec/oci/runtime_spec.h"

namespace portcullis::runtime {

struct TerminalSize {
  uint16_t columns = 0;
  uint16_t rows = 0;
};

struct ExecStreams {
  oci::Process process;                             // oci::BuildExecProcess; process.terminal decides about a terminal
  bool input = false;                               // otherwise the command reads nothing
  std::optional<TerminalSize> size = std::nullopt;  // of the terminal, when it is known beforehand
};

class ExecProcess {
 public:
  ~ExecProcess();
  ExecProcess(const ExecProcess&) = delete;
  ExecProcess& operator=(const ExecProcess&) = delete;

  int pidfd() const { return child_.pidfd.get(); }
  int input() const { return input_.get(); }  // -1: none, or closed
  int output() const { return output_.get(); }
  int error() const { return error_.get(); }

  // The command runs, or has run. Before, what is on the streams is the OCI runtime's own complaint: do not read it.
  bool HasStarted();

  // The command reads the end of its input. With a terminal nothing happens: terminals know no half-close.
  void CloseInput();
  void CloseOutput() { output_.Reset(); }
  void CloseError() { error_.Reset(); }

  Result<void> Resize(TerminalSize size);

  // Once pidfd() is readable: the command's exit code, or 128+signal. An error: the OCI runtime could not start it, in
  // its own words.
  Result<int> Finish();

 private:
  friend class OciRuntime;
  ExecProcess(const Cgroups& cgroups, const ContainerHandle& handle, const std::string& exec_dir)
      : container_(handle.id), scope_(cgroups, handle, exec_dir) {}
  // `command` is the OCI runtime with its own flags.
  Result<void> Start(const Cgroups& cgroups, std::vector<std::string> command, const ExecStreams& options);

  const std::string container_;
  const ExecScope scope_;
  base::Child child_;
  bool finished_ = false;
  bool started_ = false;
  std::optional<TerminalSize> early_size_;  // asked for before the command ran
  bool terminal_ = false;
  base::UniqueFd input_;
  base::UniqueFd output_;
  base::UniqueFd error_;
};

}  // namespace portcullis::runtime
