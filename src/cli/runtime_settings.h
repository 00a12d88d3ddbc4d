// Flags of the CRI runtime, shared by `portcullis runtime` and the node that embeds it.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "cli/command_line.h"
#include "cri/grpc/server.h"
#include "runtime/container/observer.h"
#include "runtime/network/default_network.h"
#include "runtime/service/runtime_service.h"

namespace portcullis::cli {

inline constexpr const char* kRuntimeGroup = "The runtime";

struct RuntimeFlags {
  runtime::ServiceOptions service;
  runtime::DefaultNetworkOptions network;
  std::string listen = "/run/portcullis/portcullis.sock";  // --listen: the CRI socket
  bool cni_default = false;

  void AddTo(CommandLine& line);
};

// The runtime, recovered and served on its socket. Destroyed in reverse order: first no new calls, then the runtime;
// containers run on.
struct RunningRuntime {
  std::unique_ptr<runtime::ObserverList> observers;  // recorders of other processes
  std::unique_ptr<runtime::RuntimeService> service;
  std::unique_ptr<cri::Server> server;
};

// Where recorders wait to be told of containers.
std::string RecordersFolder(const std::string& run_dir);

Result<RunningRuntime> StartRuntime(const RuntimeFlags& flags);

}  // namespace portcullis::cli
