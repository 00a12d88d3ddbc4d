#include "runtime/network/cni_cache.h"

#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/try.h"
#include "runtime/network/capability_args.h"
#include "runtime/network/cni_version.h"

namespace portcullis::runtime {
namespace {

using Json = nlohmann::json;

// Reads fields of a file this program wrote; anything unexpected is damage.
class Reader {
 public:
  Reader(const Json& object, const std::string& path) : object_(object), path_(path) {}

  Result<std::string> String(const char* key) const {
    const auto it = object_.find(key);
    if (it == object_.end() || !it->is_string()) return Damaged(key);
    return it->get<std::string>();
  }
  Result<int32_t> Port(const char* key) const {
    const auto it = object_.find(key);
    if (it == object_.end() || !it->is_number_unsigned() || *it > 65535) return Damaged(key);
    return it->get<int32_t>();
  }
  Failure Damaged(const char* key) const {
    return Fail(Code::kDataLoss, "network attachment {}: {} is missing", path_, key);
  }

 private:
  const Json& object_;
  const std::string& path_;
};

}  // namespace

std::string EncodeAttachment(const CniAttachment& attachment) {
  const CniRequest& request = attachment.request;
  Json ports = Json::array();
  for (const CniPortMapping& port : request.port_mappings) {
    ports.push_back({{"hostPort", port.host_port},
                     {"containerPort", port.container_port},
                     {"protocol", port.protocol},
                     {"hostIP", port.host_ip}});
  }
  const Json json{{"containerId", request.container_id},
                  {"netns", request.netns_path},
                  {"ifName", request.interface_name},
                  {"podNamespace", request.pod_namespace},
                  {"podName", request.pod_name},
                  {"podUid", request.pod_uid},
                  {"portMappings", std::move(ports)},
                  {"file", attachment.network.file},
                  {"config", attachment.network.source},
                  {"cniVersion", attachment.network.cni_version},
                  {"capabilityArgs", attachment.capability_args},
                  {"result", attachment.result_json}};
  // Names come from API clients; bytes that are not UTF-8 must not throw here.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<CniAttachment> DecodeAttachment(std::string_view text, const std::string& path) {
  ASSIGN_OR_RETURN(const Json json, base::ParseJson(text, path));
  const Reader reader(json, path);
  CniAttachment attachment;
  CniRequest& request = attachment.request;
  ASSIGN_OR_RETURN(request.container_id, reader.String("containerId"));
  ASSIGN_OR_RETURN(request.netns_path, reader.String("netns"));
  ASSIGN_OR_RETURN(request.interface_name, reader.String("ifName"));
  ASSIGN_OR_RETURN(request.pod_namespace, reader.String("podNamespace"));
  ASSIGN_OR_RETURN(request.pod_name, reader.String("podName"));
  ASSIGN_OR_RETURN(request.pod_uid, reader.String("podUid"));
  const auto ports = json.find("portMappings");
  if (ports == json.end() || !ports->is_array()) return reader.Damaged("portMappings");
  for (const Json& element : *ports) {
    const Reader port_reader(element, path);
    CniPortMapping port;
    ASSIGN_OR_RETURN(port.host_port, port_reader.Port("hostPort"));
    ASSIGN_OR_RETURN(port.container_port, port_reader.Port("containerPort"));
    ASSIGN_OR_RETURN(port.protocol, port_reader.String("protocol"));
    ASSIGN_OR_RETURN(port.host_ip, port_reader.String("hostIP"));
    request.port_mappings.push_back(std::move(port));
  }
  ASSIGN_OR_RETURN(attachment.result_json, reader.String("result"));
  ASSIGN_OR_RETURN(const std::string config, reader.String("config"));
  ASSIGN_OR_RETURN(const std::string file, reader.String("file"));
  ASSIGN_OR_RETURN(attachment.network, ParseCniNetwork(config, file));
  if (json.contains("capabilityArgs")) {
    ASSIGN_OR_RETURN(attachment.capability_args, reader.String("capabilityArgs"));
    ASSIGN_OR_RETURN(attachment.network.cni_version, reader.String("cniVersion"));
    if (!IsCniVersion(attachment.network.cni_version)) return reader.Damaged("cniVersion");
  } else {
    attachment.capability_args = CapabilityArgs(request);  // of a release that knew port mappings only
  }
  return attachment;
}

}  // namespace portcullis::runtime
