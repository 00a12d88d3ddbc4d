// The two ways of `portcullis record`, a file each.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "insight/evidence/evidence.h"

namespace portcullis::cli {

enum class RecorderKind { kAuto, kEbpf, kPtrace };

struct RecordFlags {
  RecorderKind recorder = RecorderKind::kAuto;
  std::string out;                                          // trace file; "": a table
  std::chrono::nanoseconds time{0};                         // --for; 0: until the end
  std::chrono::nanoseconds init{std::chrono::seconds(10)};  // --init
  int max_calls = 16384;

  std::vector<std::string> command;

  std::string pod_namespace;  // --pod
  std::string pod;
  std::string container;
  std::vector<std::string> container_ids;
  std::vector<std::string> cgroups;
  bool from_start = false;
  std::string endpoint;  // of the CRI runtime that is asked for --pod; "": as crictl finds it
  std::string run_dir = "/run/portcullis";
};

struct RecordOutcome {
  insight::Evidence evidence;
  int command_status = 0;        // of a command, as a shell tells it
  std::optional<Error> not_run;  // why the command could not be run
};

Result<RecordOutcome> RecordCommand(const RecordFlags& flags);
Result<RecordOutcome> RecordContainers(const RecordFlags& flags);

}  // namespace portcullis::cli
