#include "runtime/container/exec_filter.h"

#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/files.h"
#include "base/try.h"

namespace portcullis::runtime {
namespace {

constexpr size_t kMaxSpec = 8u << 20;

}  // namespace

Result<void> CheckExecFilter(const std::string& state, const std::string& bundle) {
  const bool of_crun = base::Exists(state + "/status");
  if (!of_crun || base::Exists(state + "/seccomp.bpf")) return {};
  const std::string path = bundle + "/config.json";
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path, kMaxSpec));
  ASSIGN_OR_RETURN(const nlohmann::json spec, base::ParseJson(text, path));
  if (!spec.contains(nlohmann::json::json_pointer("/linux/seccomp"))) return {};
  return Fail(Code::kFailedPrecondition, "crun has lost the container's seccomp filter ({}/seccomp.bpf)", state);
}

}  // namespace portcullis::runtime
