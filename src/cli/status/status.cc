#include "cli/status/status.h"

#include <algorithm>
#include <climits>
#include <nlohmann/json.hpp>
#include <tuple>

#include "base/document.h"
#include "base/strings.h"
#include "base/try.h"
#include "cli/output/states.h"
#include "cli/output/table.h"
#include "host/proc/process.h"

namespace portcullis::cli {
namespace {

std::string ValueOr(const std::map<std::string, std::string>& map, const std::string& key,
                    const std::string& fallback) {
  const auto found = map.find(key);
  return found == map.end() ? fallback : found->second;
}

// The verbose info under its one key; an empty object when the runtime gives none or something else.
nlohmann::json InfoOf(const cri::ContainerStatusResponse& response) {
  const auto found = response.info.find("info");
  if (found == response.info.end()) return nlohmann::json::object();
  auto info = base::ParseJson(found->second, "info");
  return info && info->is_object() ? std::move(*info) : nlohmann::json::object();
}

// The profile that the runtime was asked for, under its own name for it: containerd shows the CRI configuration of a
// container (as Go writes it: fields of their zero value are left out), CRI-O does not.
std::string RequestedProfile(const nlohmann::json& info, const std::string& runtime) {
  const nlohmann::json::json_pointer pointer("/config/linux/security_context/seccomp");
  if (!info.contains(pointer) || !info.at(pointer).is_object()) return "filtered";
  const nlohmann::json& profile = info.at(pointer);
  const nlohmann::json& type = profile.value("profile_type", nlohmann::json(0));
  if (!type.is_number_integer()) return "filtered";
  switch (type.get<int64_t>()) {
    case static_cast<int64_t>(cri::SecurityProfileProfileType::kRuntimeDefault):
      return runtime.empty() ? "RuntimeDefault" : "RuntimeDefault (" + runtime + ")";
    case static_cast<int64_t>(cri::SecurityProfileProfileType::kLocalhost):
      if (const nlohmann::json& file = profile.value("localhost_ref", nlohmann::json()); file.is_string())
        return "Localhost " + file.get<std::string>();
      return "Localhost";
    default:
      return "filtered";  // Unconfined was asked for, and yet there is a filter
  }
}

// Our runtime names the profile; of others the spec tells whether there is one, and the request which. `runtime`:
// "containerd@1.6.20".
std::string EffectiveProfile(const nlohmann::json& info, const std::string& runtime) {
  const nlohmann::json& named = info.value("seccompProfile", nlohmann::json());
  if (named.is_string()) return named.get<std::string>();
  const nlohmann::json::json_pointer linux_pointer("/runtimeSpec/linux");
  if (!info.contains(linux_pointer)) return kUnknown;
  const nlohmann::json& linux_spec = info.at(linux_pointer);
  const bool filtered = linux_spec.is_object() && linux_spec.contains("seccomp") && linux_spec["seccomp"].is_object();
  return filtered ? RequestedProfile(info, runtime) : "Unconfined";
}

std::optional<std::vector<std::string>> BoundingOf(const nlohmann::json& info) {
  const nlohmann::json::json_pointer pointer("/runtimeSpec/process/capabilities/bounding");
  const nlohmann::json::json_pointer process("/runtimeSpec/process");
  if (!info.contains(process)) return std::nullopt;
  std::vector<std::string> names;
  if (!info.contains(pointer) || !info.at(pointer).is_array()) return names;
  for (const nlohmann::json& name : info.at(pointer)) {
    if (name.is_string()) names.push_back(name.get<std::string>());
  }
  return names;
}

// CRI-O says it at the top, containerd shows the request.
bool IsPrivileged(const nlohmann::json& info) {
  for (const char* place : {"/privileged", "/config/linux/security_context/privileged"}) {
    const nlohmann::json::json_pointer pointer(place);
    if (info.contains(pointer) && info.at(pointer) == true) return true;
  }
  return false;
}

std::optional<KernelSeccomp> AskKernel(const nlohmann::json& info, const std::string& proc_dir) {
  const auto pid = info.find("pid");
  if (pid == info.end() || !pid->is_number_unsigned() || *pid == 0 || *pid > INT_MAX) return std::nullopt;
  const auto status = host::ReadStatus(static_cast<pid_t>(pid->get<uint64_t>()), proc_dir);
  if (!status || !status->seccomp_mode) return std::nullopt;
  return KernelSeccomp{.mode = *status->seccomp_mode, .filters = status->seccomp_filters};
}

std::optional<KernelVerdict> Verify(const nlohmann::json& info, const StatusOptions& options) {
  const auto pid = info.find("pid");
  const nlohmann::json::json_pointer linux_pointer("/runtimeSpec/linux");
  if (!options.verify || pid == info.end() || !pid->is_number_unsigned() || *pid == 0) return std::nullopt;
  if (!info.contains(linux_pointer) || !info.at(linux_pointer).is_object()) {
    return KernelVerdict{.as_meant = std::nullopt, .text = "the runtime does not show the container's spec"};
  }
  return options.verify(static_cast<pid_t>(pid->get<uint64_t>()),
                        info.at(linux_pointer).value("seccomp", nlohmann::json()));
}

std::optional<bool> IsStale(const StatusRow& row, const std::optional<bool>& node_default_on) {
  if (row.decided_by == kUnknown) return std::nullopt;
  if (row.decided_by != "node default") return false;
  if (!node_default_on) return std::nullopt;
  const bool unconfined = row.effective == "Unconfined";
  return unconfined == *node_default_on;  // would be filtered now and is not, or the other way round
}

std::string KernelText(const StatusRow& row) {
  if (!row.kernel) return "-";
  std::string text = std::to_string(row.kernel->mode);
  if (row.kernel->mode == 2 && row.kernel->filters) {
    text += fmt::format(" ({} filter{})", *row.kernel->filters, *row.kernel->filters == 1 ? "" : "s");
  }
  if (row.verdict && row.verdict->as_meant == true) text += " as meant";
  return row.mismatch ? text + " MISMATCH" : text;
}

std::string StaleText(const std::optional<bool>& stale) {
  if (!stale) return "?";
  return *stale ? "stale" : "-";
}

Result<std::optional<StatusRow>> RowOf(cri::RuntimeApi& runtime, const cri::Container& container,
                                       const std::map<std::string, std::string>& pods, const std::string& runtime_name,
                                       const StatusOptions& options) {
  auto response = runtime.ContainerStatus({.container_id = container.id, .verbose = true});
  if (!response && response.error().code == Code::kNotFound) return std::nullopt;  // removed meanwhile
  if (!response) return Wrap(std::move(response).error(), "get the status of container {}", base::Quote(container.id));
  const cri::ContainerStatus status = response->status.value_or(cri::ContainerStatus{});
  const nlohmann::json info = InfoOf(*response);
  StatusRow row;
  row.pod = ValueOr(pods, container.pod_sandbox_id, kUnknown);
  row.container = container.metadata ? container.metadata->name : "";
  row.id = container.id;
  row.state = StateWord(status.state);
  row.declared = ValueOr(status.annotations, kDeclaredAnnotation, kUnknown);
  row.decided_by = ValueOr(status.annotations, kDecidedByAnnotation, kUnknown);
  row.effective = EffectiveProfile(info, runtime_name);
  row.bounding = BoundingOf(info);
  row.privileged = IsPrivileged(info) || row.decided_by == "privileged";
  if (status.state == cri::ContainerState::kContainerRunning) row.kernel = AskKernel(info, options.proc_dir);
  const bool confined = row.effective != kUnknown && row.effective != "Unconfined";
  row.mismatch = confined && row.kernel && row.kernel->mode == 0;  // the other way round is a filter of the host's own
  if (row.kernel) row.verdict = Verify(info, options);
  row.mismatch = row.mismatch || (row.verdict && row.verdict->as_meant == false);
  row.stale = IsStale(row, options.node_default_on);
  return row;
}

}  // namespace

Result<std::vector<StatusRow>> CollectStatus(cri::RuntimeApi& runtime, const StatusOptions& options) {
  // Whose default RuntimeDefault is, in the form of our own runtime's "containerd@2.2.4".
  std::string runtime_name;
  if (const auto version = runtime.Version({}); version && !version->runtime_name.empty()) {
    runtime_name = version->runtime_name + "@" + version->runtime_version;
  }
  auto pod_list = runtime.ListPodSandbox({});
  if (!pod_list) return Wrap(std::move(pod_list).error(), "list pod sandboxes");
  std::map<std::string, std::string> pods;
  for (const cri::PodSandbox& pod : pod_list->items) {
    if (pod.metadata) pods[pod.id] = pod.metadata->namespace_ + "/" + pod.metadata->name;
  }
  cri::ListContainersRequest request;
  if (!options.all) request.filter.emplace().state.emplace().state = cri::ContainerState::kContainerRunning;
  auto containers = runtime.ListContainers(request);
  if (!containers) return Wrap(std::move(containers).error(), "list containers");
  std::vector<StatusRow> rows;
  for (const cri::Container& container : containers->containers) {
    ASSIGN_OR_RETURN(auto row, RowOf(runtime, container, pods, runtime_name, options));
    if (row) rows.push_back(std::move(*row));
  }
  std::sort(rows.begin(), rows.end(), [](const StatusRow& a, const StatusRow& b) {
    return std::tie(a.pod, a.container, a.id) < std::tie(b.pod, b.container, b.id);
  });
  return rows;
}

std::string StatusTable(const std::vector<StatusRow>& rows) {
  Table table({"POD", "CONTAINER", "DECLARED", "EFFECTIVE", "DECIDED BY", "KERNEL", "STALE"});
  for (const StatusRow& row : rows) {
    table.AddRow(
        {row.pod, row.container, row.declared, row.effective, row.decided_by, KernelText(row), StaleText(row.stale)});
  }
  return table.Text();
}

nlohmann::json StatusJson(const std::vector<StatusRow>& rows) {
  nlohmann::json list = nlohmann::json::array();
  for (const StatusRow& row : rows) {
    nlohmann::json item = {{"pod", row.pod},
                           {"container", row.container},
                           {"id", row.id},
                           {"state", row.state},
                           {"declared", row.declared},
                           {"effective", row.effective},
                           {"decidedBy", row.decided_by},
                           {"mismatch", row.mismatch}};
    item["stale"] = row.stale ? nlohmann::json(*row.stale) : nlohmann::json();
    item["kernel"] = nullptr;
    if (row.kernel) {
      item["kernel"] = {{"seccomp", row.kernel->mode}};
      if (row.kernel->filters) item["kernel"]["filters"] = *row.kernel->filters;
    }
    if (row.verdict) {
      item["kernel"]["asMeant"] = row.verdict->as_meant ? nlohmann::json(*row.verdict->as_meant) : nlohmann::json();
      item["kernel"]["verdict"] = row.verdict->text;
    }
    list.push_back(std::move(item));
  }
  return {{"containers", std::move(list)}};
}

}  // namespace portcullis::cli
