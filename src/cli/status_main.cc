// portcullis status: see cli/status/status.h.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "base/try.h"
#include "cli/command_line.h"
#include "cli/crictl/client_config.h"
#include "cli/output/yaml.h"
#include "cli/status/node_switch.h"
#include "cli/status/status.h"
#include "cli/status_verify.h"
#include "cli/verbs.h"
#include "cri/grpc/client.h"

namespace portcullis::cli {
namespace {

constexpr int kWatchMilliseconds = 2000;
constexpr int kNotAsMeant = 1;
constexpr char kClearScreen[] = "\033[2J\033[H";

struct Flags {
  std::string endpoint;  // "": as crictl finds it
  std::string node_address = "127.0.0.1:10248";
  std::string output = "table";
  bool all = false;
  bool watch = false;
  bool verify = false;
};

struct NodeSwitch {
  std::optional<bool> on;
  std::string why_unknown;
};

NodeSwitch AskNode(const std::string& address) {
  const size_t colon = address.rfind(':');
  const auto port = colon == std::string::npos ? std::nullopt : base::ParseUint(address.substr(colon + 1));
  if (!port || *port == 0 || *port > 65535) return {std::nullopt, "\"" + address + "\" is not ADDRESS:PORT"};
  const auto on = ReadNodeSwitch(address.substr(0, colon), static_cast<uint16_t>(*port), std::chrono::seconds(2));
  if (!on) return {std::nullopt, on.error().message};
  return {*on, ""};
}

// How the runtime's daemon confines itself: "enforce", "log" or "off"; "" when it does not tell (another runtime).
std::string SelfSeccompOf(cri::RuntimeApi& runtime) {
  const auto status = runtime.Status({.verbose = true});
  if (!status) return "";
  const auto info = status->info.find("info");
  if (info == status->info.end()) return "";
  const auto json = nlohmann::json::parse(info->second, nullptr, false);
  const nlohmann::json::json_pointer mode("/config/selfSeccomp");
  return json.is_object() && json.contains(mode) && json[mode].is_string() ? json[mode].get<std::string>() : "";
}

nlohmann::json WholeJson(const std::vector<StatusRow>& rows, const std::string& self_seccomp) {
  nlohmann::json json = StatusJson(rows);
  if (!self_seccomp.empty()) json["selfSeccomp"] = self_seccomp;
  return json;
}

// Exit code: 1 when the kernel was asked and one of the filters is not known to be what was meant.
Result<int> Show(cri::RuntimeApi& runtime, const Flags& flags) {
  const NodeSwitch node = AskNode(flags.node_address);
  ASSIGN_OR_RETURN(const auto rows, CollectStatus(runtime, {.all = flags.all,
                                                            .node_default_on = node.on,
                                                            .verify = flags.verify ? VerifyFilters : nullptr}));
  const std::string self_seccomp = SelfSeccompOf(runtime);
  if (flags.watch) std::cout << kClearScreen;
  if (flags.output == "json") {
    std::cout << WholeJson(rows, self_seccomp).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  } else if (flags.output == "yaml") {
    std::cout << ToYaml(WholeJson(rows, self_seccomp));
  } else {
    std::cout << StatusTable(rows);
  }
  std::cout.flush();
  int code = 0;
  for (const StatusRow& row : rows) {
    if (!row.verdict || row.verdict->as_meant == true) continue;
    code = kNotAsMeant;
    std::cerr << "status: " << row.pod << ' ' << row.container << ": " << row.verdict->text << '\n';
  }
  if (self_seccomp == "off" || self_seccomp == "log") {
    std::cerr << "status: the daemon's own filter is " << (self_seccomp == "off" ? "off" : "only logged")
              << " (--self-seccomp=" << self_seccomp << ")\n";
  }
  const bool asks = !node.on && std::any_of(rows.begin(), rows.end(),
                                            [](const StatusRow& row) { return row.decided_by == "node default"; });
  if (asks) {
    std::cerr << "status: STALE is not known, since the node does not tell its SeccompDefault: " << node.why_unknown
              << '\n';
  }
  const bool stale =
      std::any_of(rows.begin(), rows.end(), [](const StatusRow& row) { return row.stale.value_or(false); });
  if (stale && flags.output == "table") {
    std::cerr
        << "status: stale containers were started under the other setting of SeccompDefault; they take the present "
           "one when their pod is created anew\n";
  }
  return code;
}

Result<int> Run(const Flags& flags) {
  if (flags.output != "table" && flags.output != "json" && flags.output != "yaml") {
    return Fail(Code::kInvalidArgument, "unsupported output format {}, use one of table, json, yaml",
                base::Quote(flags.output));
  }
  ASSIGN_OR_RETURN(const std::string endpoint, RuntimeEndpoint(flags.endpoint));
  ASSIGN_OR_RETURN(const auto runtime, cri::Connect({.endpoint = endpoint}));
  ASSIGN_OR_RETURN(int code, Show(*runtime, flags));
  while (flags.watch && poll(nullptr, 0, kWatchMilliseconds) == 0) {
    ASSIGN_OR_RETURN(code, Show(*runtime, flags));
  }
  return code;
}

}  // namespace

int StatusMain(int argc, char** argv) {
  Flags flags;
  CommandLine line("portcullis status",
                   "Per container: declared and effective seccomp profile, who decided, and the kernel's own word.");
  line.Text("-r,--runtime-endpoint", &flags.endpoint, "socket of the runtime (default: as crictl finds it)");
  line.Text("--node-address", &flags.node_address, "where the node serves /configz, for the STALE column");
  line.Text("-o,--output", &flags.output, "table, json or yaml");
  line.Bool("--all", &flags.all, "also containers that do not run");
  line.Bool("--verify", &flags.verify,
            "read the filters of every container's process and prove them equal to what was meant (stops it for less "
            "than a millisecond)");
  line.Bool("--watch", &flags.watch, "again every two seconds, until interrupted");
  line.Footer("Exit codes: 0 good, 1 an error, or with --verify a filter that is not proven to be what was meant.");
  if (const auto exit_code = line.Parse({argv + 1, argv + argc})) return *exit_code;
  const auto shown = Run(flags);
  if (!shown) {
    std::cerr << "portcullis status: " << shown.error().message
              << (shown.error().code == Code::kUnavailable
                      ? "; is portcullis node running? (--runtime-endpoint names another socket)"
                      : "")
              << '\n';
    return 1;
  }
  return *shown;
}

}  // namespace portcullis::cli
