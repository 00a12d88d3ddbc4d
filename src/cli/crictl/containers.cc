// ps and inspect.
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

// The kubelet asks for images by id, so the name that a container has is often a digest.
Result<std::string> ImageCell(Session& session, const cri::Container& container, const ListContainersOptions& options) {
  const std::string image = container.image ? container.image->image : "";
  if (options.resolve_image) {
    cri::ImageStatusRequest request;
    request.image.emplace().image = image;
    auto status = session.runtime.ImageStatus(request);
    if (!status) return Wrap(std::move(status).error(), "get the status of image {}", image);
    if (status->image && !status->image->repo_tags.empty()) return status->image->repo_tags.front();
  }
  const bool is_digest = image.starts_with("sha256:") && image.size() == 71;
  return is_digest && !options.no_truncate ? TruncateId(image) : image;
}

void PrintVerbose(Session& session, const cri::Container& container) {
  session.out << "ID: " << container.id << "\nPodID: " << container.pod_sandbox_id << '\n';
  session.out << "Namespace: " << PodNamespaceFromLabels(container.labels) << '\n';
  if (container.metadata) {
    if (!container.metadata->name.empty()) session.out << "Name: " << container.metadata->name << '\n';
    session.out << "Attempt: " << container.metadata->attempt << '\n';
  }
  session.out << "State: " << StateWord(container.state) << '\n';
  if (container.image) session.out << "Image: " << container.image->image << '\n';
  session.out << "Created: " << HumanAgo(container.created_at, session.now()) << '\n';
  PrintMap(session, "Labels", container.labels);
  PrintMap(session, "Annotations", container.annotations);
  session.out << '\n';
}

Result<void> PrintTable(Session& session, const std::vector<cri::Container>& containers,
                        const ListContainersOptions& options) {
  Table table({"CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD ID", "POD", "NAMESPACE"});
  for (const cri::Container& container : containers) {
    const cri::ContainerMetadata metadata = container.metadata.value_or(cri::ContainerMetadata{});
    ASSIGN_OR_RETURN(std::string image, ImageCell(session, container, options));
    table.AddRow({options.no_truncate ? container.id : TruncateId(container.id), std::move(image),
                  HumanAgo(container.created_at, session.now()), StateWord(container.state), metadata.name,
                  std::to_string(metadata.attempt),
                  options.no_truncate ? container.pod_sandbox_id : TruncateId(container.pod_sandbox_id),
                  PodNameFromLabels(container.labels), PodNamespaceFromLabels(container.labels)});
  }
  session.out << table.Text();
  return {};
}

// protojson, with the moments readable and only those that the state gives a meaning.
nlohmann::json StatusJson(const cri::ContainerStatus& status) {
  nlohmann::json json = cri::ToProtoJson(status);
  const bool started = status.state != cri::ContainerState::kContainerCreated;
  const bool finished = status.state == cri::ContainerState::kContainerExited ||
                        (status.state == cri::ContainerState::kContainerUnknown && status.finished_at > 0);
  json["createdAt"] = Timestamp(status.created_at);
  json["startedAt"] = started ? Timestamp(status.started_at) : std::string(kNoTimestamp);
  json["finishedAt"] = finished ? Timestamp(status.finished_at) : std::string(kNoTimestamp);
  return json;
}

void PrintStatusTable(Session& session, const cri::ContainerStatusResponse& response, bool quiet) {
  const cri::ContainerStatus status = response.status.value_or(cri::ContainerStatus{});
  session.out << "ID: " << status.id << '\n';
  if (status.metadata) {
    if (!status.metadata->name.empty()) session.out << "Name: " << status.metadata->name << '\n';
    if (status.metadata->attempt != 0) session.out << "Attempt: " << status.metadata->attempt << '\n';
  }
  session.out << "State: " << cri::ToString(status.state) << '\n';
  session.out << "Created: " << HumanAgo(status.created_at, session.now()) << '\n';
  if (status.state != cri::ContainerState::kContainerCreated) {
    session.out << "Started: " << HumanAgo(status.started_at, session.now()) << '\n';
  }
  if (status.state == cri::ContainerState::kContainerExited) {
    if (status.finished_at > 0) session.out << "Finished: " << HumanAgo(status.finished_at, session.now()) << '\n';
    session.out << "Exit Code: " << status.exit_code << '\n';
  }
  PrintMap(session, "Labels", status.labels);
  PrintMap(session, "Annotations", status.annotations);
  if (!quiet) PrintMap(session, "Info", response.info);
}

}  // namespace

Result<void> ListContainers(Session& session, const ListContainersOptions& options) {
  ASSIGN_OR_RETURN(const Format format, ChooseFormat(options.output, Format::kTable));
  ASSIGN_OR_RETURN(std::vector<cri::Container> containers, SelectContainers(session, options.filter));
  if (options.quiet) {
    for (const cri::Container& container : containers) session.out << container.id << '\n';
    return {};
  }
  if (format != Format::kTable) {
    const cri::ListContainersResponse list{.containers = std::move(containers)};
    return PrintDocument(session, cri::ToProtoJson(list), format, options.output);
  }
  if (!options.verbose) return PrintTable(session, containers, options);
  for (const cri::Container& container : containers) PrintVerbose(session, container);
  return {};
}

Result<void> InspectContainers(Session& session, const InspectContainersOptions& options) {
  const InspectOptions& inspect = options.inspect;
  ASSIGN_OR_RETURN(const Format format, ChooseFormat(inspect.output, Format::kJson));
  std::vector<std::string> ids;
  for (const std::string& id : inspect.ids) {
    ASSIGN_OR_RETURN(ids.emplace_back(), ResolveContainer(session, id));
  }
  if (inspect.ids.empty()) {
    ASSIGN_OR_RETURN(const auto containers, SelectContainers(session, options.filter));
    for (const cri::Container& container : containers) ids.push_back(container.id);
    if (ids.empty()) {
      return Fail(Code::kNotFound, "no container id given and none fits the filter; `crictl ps -a` lists all");
    }
  }
  std::vector<nlohmann::json> documents;
  for (const std::string& id : ids) {
    auto response = session.runtime.ContainerStatus({.container_id = id, .verbose = !inspect.quiet});
    if (!response) return Wrap(std::move(response).error(), "get the status of container {}", base::Quote(id));
    if (format == Format::kTable) {
      PrintStatusTable(session, *response, inspect.quiet);
      continue;
    }
    const cri::ContainerStatus status = response->status.value_or(cri::ContainerStatus{});
    ASSIGN_OR_RETURN(documents.emplace_back(), StatusDocument(StatusJson(status), response->info));
  }
  if (format == Format::kTable) return {};
  return PrintDocument(session, OneOrMany(std::move(documents)), format, inspect.output);
}

}  // namespace portcullis::cli
