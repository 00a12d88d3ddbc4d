#include "runtime/streaming/status.h"

#include <nlohmann/json.hpp>

#include "base/strings.h"

namespace portcullis::runtime {
namespace {

// Output of a command may be anything, and error texts quote it.
std::string Dump(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string StatusText(const Result<ExecOutcome>& outcome, std::string_view attempted, bool json) {
  if (!outcome) {
    const std::string error = fmt::format("error {}: {}", attempted, outcome.error().message);
    const std::string message = "Internal error occurred: " + error;
    if (!json) return message;
    return Dump({{"metadata", nlohmann::json::object()},
                 {"status", "Failure"},
                 {"message", message},
                 {"reason", "InternalError"},
                 {"details", {{"causes", {{{"message", error}}}}}},
                 {"code", 500}});
  }
  if (outcome->exit_code == 0) {
    return json ? Dump({{"metadata", nlohmann::json::object()}, {"status", "Success"}}) : "";
  }
  const std::string message =
      fmt::format("command terminated with non-zero exit code: error executing command [{}], exit code {}",
                  base::Join(outcome->command, " "), outcome->exit_code);
  if (!json) return message;
  return Dump({{"metadata", nlohmann::json::object()},
               {"status", "Failure"},
               {"message", message},
               {"reason", "NonZeroExitCode"},
               {"details", {{"causes", {{{"reason", "ExitCode"}, {"message", std::to_string(outcome->exit_code)}}}}}}});
}

}  // namespace portcullis::runtime
