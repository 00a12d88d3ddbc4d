#include "cli/record/bundle_workload.h"

#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/try.h"

namespace portcullis::cli {

Result<BundleWorkload> WorkloadOfBundle(std::string_view text, const std::string& name) {
  ASSIGN_OR_RETURN(const nlohmann::json config, base::ParseJson(text, name));
  const auto annotations = config.is_object() ? config.find("annotations") : config.end();
  if (annotations == config.end() || !annotations->is_object()) {
    return Fail(Code::kInvalidArgument, "{}: annotations: missing", name);
  }
  const auto value = [&](const char* key) {
    const auto found = annotations->find(std::string("io.kubernetes.cri.") + key);
    return found != annotations->end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  BundleWorkload out;
  out.is_sandbox = value("container-type") == "sandbox";
  out.workload.pod_namespace = value("sandbox-namespace");
  out.workload.pod = value("sandbox-name");
  out.workload.pod_uid = value("sandbox-uid");
  out.workload.container = value("container-name");
  return out;
}

}  // namespace portcullis::cli
