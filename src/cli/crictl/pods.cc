// pods and inspectp.
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/strings.h"
#include "base/try.h"
#include "cli/crictl/print.h"
#include "cli/crictl/select.h"
#include "cli/crictl/verbs.h"
#include "cli/output/human.h"
#include "cli/output/states.h"
#include "cli/output/table.h"
#include "cri/json.h"

namespace portcullis::cli {
namespace {

void PrintMetadata(Session& session, const std::optional<cri::PodSandboxMetadata>& metadata) {
  if (!metadata) return;
  if (!metadata->name.empty()) session.out << "Name: " << metadata->name << '\n';
  if (!metadata->uid.empty()) session.out << "UID: " << metadata->uid << '\n';
  if (!metadata->namespace_.empty()) session.out << "Namespace: " << metadata->namespace_ << '\n';
  if (metadata->attempt != 0) session.out << "Attempt: " << metadata->attempt << '\n';
}

void PrintVerbose(Session& session, const cri::PodSandbox& pod) {
  session.out << "ID: " << pod.id << '\n';
  PrintMetadata(session, pod.metadata);
  session.out << "Status: " << StateWord(pod.state) << '\n';
  session.out << "Created: " << HumanAgo(pod.created_at, session.now()) << '\n';
  PrintMap(session, "Labels", pod.labels);
  PrintMap(session, "Annotations", pod.annotations);
  session.out << "Runtime: " << (pod.runtime_handler.empty() ? "(default)" : pod.runtime_handler) << "\n\n";
}

void PrintTable(Session& session, const std::vector<cri::PodSandbox>& pods, bool no_truncate) {
  Table table({"POD ID", "CREATED", "STATE", "NAME", "NAMESPACE", "ATTEMPT", "RUNTIME"});
  for (const cri::PodSandbox& pod : pods) {
    const cri::PodSandboxMetadata metadata = pod.metadata.value_or(cri::PodSandboxMetadata{});
    table.AddRow({no_truncate ? pod.id : TruncateId(pod.id), HumanAgo(pod.created_at, session.now()),
                  StateWord(pod.state), metadata.name, metadata.namespace_, std::to_string(metadata.attempt),
                  pod.runtime_handler.empty() ? "(default)" : pod.runtime_handler});
  }
  session.out << table.Text();
}

void PrintStatusTable(Session& session, const cri::PodSandboxStatusResponse& response, bool quiet) {
  const cri::PodSandboxStatus status = response.status.value_or(cri::PodSandboxStatus{});
  session.out << "ID: " << status.id << '\n';
  PrintMetadata(session, status.metadata);
  session.out << "Status: " << cri::ToString(status.state) << '\n';
  session.out << "Created: " << HumanAgo(status.created_at, session.now()) << '\n';
  if (status.network) {
    session.out << "IP Addresses: " << status.network->ip << '\n';
    for (const cri::PodIP& ip : status.network->additional_ips) session.out << "Additional IP: " << ip.ip << '\n';
  }
  PrintMap(session, "Labels", status.labels);
  PrintMap(session, "Annotations", status.annotations);
  if (!quiet) PrintMap(session, "Info", response.info);
}

}  // namespace

Result<void> ListPods(Session& session, const ListPodsOptions& options) {
  ASSIGN_OR_RETURN(const Format format, ChooseFormat(options.output, Format::kTable));
  ASSIGN_OR_RETURN(std::vector<cri::PodSandbox> pods, SelectPods(session, options.filter));
  if (options.quiet) {
    for (const cri::PodSandbox& pod : pods) session.out << pod.id << '\n';
    return {};
  }
  if (format != Format::kTable) {
    const cri::ListPodSandboxResponse list{.items = std::move(pods)};
    return PrintDocument(session, cri::ToProtoJson(list), format, options.output);
  }
  if (options.verbose) {
    for (const cri::PodSandbox& pod : pods) PrintVerbose(session, pod);
  } else {
    PrintTable(session, pods, options.no_truncate);
  }
  return {};
}

Result<void> InspectPods(Session& session, const InspectPodsOptions& options) {
  const InspectOptions& inspect = options.inspect;
  ASSIGN_OR_RETURN(const Format format, ChooseFormat(inspect.output, Format::kJson));
  std::vector<std::string> ids;
  for (const std::string& id : inspect.ids) {
    ASSIGN_OR_RETURN(ids.emplace_back(), ResolvePod(session, id));
  }
  if (inspect.ids.empty()) {
    ASSIGN_OR_RETURN(const auto pods, SelectPods(session, options.filter));
    for (const cri::PodSandbox& pod : pods) ids.push_back(pod.id);
    if (ids.empty()) return Fail(Code::kNotFound, "no pod id given and none fits the filter; `crictl pods` lists all");
  }
  std::vector<nlohmann::json> documents;
  for (const std::string& id : ids) {
    auto response = session.runtime.PodSandboxStatus({.pod_sandbox_id = id, .verbose = !inspect.quiet});
    if (!response) return Wrap(std::move(response).error(), "get the status of pod sandbox {}", base::Quote(id));
    if (format == Format::kTable) {
      PrintStatusTable(session, *response, inspect.quiet);
      continue;
    }
    const cri::PodSandboxStatus status = response->status.value_or(cri::PodSandboxStatus{});
    nlohmann::json json = cri::ToProtoJson(status);
    json["createdAt"] = Timestamp(status.created_at);
    ASSIGN_OR_RETURN(documents.emplace_back(), StatusDocument(std::move(json), response->info));
  }
  if (format == Format::kTable) return {};
  return PrintDocument(session, OneOrMany(std::move(documents)), format, inspect.output);
}

}  // namespace portcullis::cli
