// version, info, runtime-config, update-runtime-config and events.
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/try.h"
#include "cli/crictl/print.h"
#include "cli/crictl/verbs.h"
#include "cri/json.h"

namespace portcullis::cli {

Result<void> ShowVersion(Session& session, const OutputOptions& output) {
  ASSIGN_OR_RETURN(const Format format, ChooseFormat(output, Format::kTable));
  auto version = session.runtime.Version({.version = "v1"});
  if (!version) return Wrap(std::move(version).error(), "get the version of the runtime");
  if (format != Format::kTable) return PrintDocument(session, cri::ToProtoJson(*version), format, output);
  session.out << "Version:  " << version->version << "\nRuntimeName:  " << version->runtime_name
              << "\nRuntimeVersion:  " << version->runtime_version
              << "\nRuntimeApiVersion:  " << version->runtime_api_version << '\n';
  return {};
}

Result<void> ShowInfo(Session& session, bool quiet, const OutputOptions& output) {
  ASSIGN_OR_RETURN(Format format, ChooseFormat(output, Format::kJson));
  if (format == Format::kTable) {
    return Fail(Code::kInvalidArgument, "info has no table form, use one of json, yaml, go-template");
  }
  auto response = session.runtime.Status({.verbose = !quiet});
  if (!response) return Wrap(std::move(response).error(), "get the status of the runtime");
  const cri::RuntimeStatus status = response->status.value_or(cri::RuntimeStatus{});
  ASSIGN_OR_RETURN(nlohmann::json document, StatusDocument(cri::ToProtoJson(status), response->info));
  if (response->features) document["features"] = cri::ToGoJson(*response->features);
  if (!response->runtime_handlers.empty()) {
    nlohmann::json& handlers = document["runtimeHandlers"] = nlohmann::json::array();
    for (const cri::RuntimeHandler& handler : response->runtime_handlers) handlers.push_back(cri::ToGoJson(handler));
  }
  return PrintDocument(session, document, format, output);
}

Result<void> ShowRuntimeConfig(Session& session, const OutputOptions& output) {
  ASSIGN_OR_RETURN(const Format format, ChooseFormat(output, Format::kTable));
  auto config = session.runtime.RuntimeConfig({});
  if (!config) return Wrap(std::move(config).error(), "get the configuration of the runtime");
  if (format != Format::kTable) return PrintDocument(session, cri::ToProtoJson(*config), format, output);
  const auto driver = config->linux ? config->linux->cgroup_driver : cri::CgroupDriver::kSystemd;
  session.out << "cgroup driver:   " << cri::ToString(driver) << '\n';
  return {};
}

Result<void> UpdatePodCidr(Session& session, const std::string& pod_cidr) {
  cri::UpdateRuntimeConfigRequest request;
  request.runtime_config.emplace().network_config.emplace().pod_cidr = pod_cidr;
  auto updated = session.runtime.UpdateRuntimeConfig(request);
  if (!updated) return Wrap(std::move(updated).error(), "update the configuration of the runtime");
  return {};
}

Result<void> ShowEvents(Session& session, const OutputOptions& output) {
  ASSIGN_OR_RETURN(const Format format, ChooseFormat(output, Format::kJson));
  if (format == Format::kTable) {
    return Fail(Code::kInvalidArgument, "events have no table form, use one of json, yaml, go-template");
  }
  Result<void> printed;
  auto ended = session.runtime.GetContainerEvents({}, [&](const cri::ContainerEventResponse& event) {
    printed = PrintDocument(session, cri::ToProtoJson(event), format, output);
    session.out.flush();
    return printed && session.out.good();
  });
  if (!printed) return printed;
  if (!ended) return Wrap(std::move(ended).error(), "get the events of containers");
  return {};
}

}  // namespace portcullis::cli
