#include <algorithm>

#include "base/try.h"
#include "runtime/service/hugepages.h"
#include "runtime/service/runtime_service.h"
#include "runtime/service/spec_input.h"

namespace portcullis::runtime {

Result<cri::UpdateContainerResourcesResponse> RuntimeService::UpdateContainerResources(
    const cri::UpdateContainerResourcesRequest& request) {
  if (!request.linux) return Fail(Code::kInvalidArgument, "linux resources must be set");
  ASSIGN_OR_RETURN(const ContainerRow found, FindContainer(request.container_id));
  const PodLock lock = registry_->LockPod(found.sandbox_id);
  ASSIGN_OR_RETURN(const ContainerRow row, FindContainer(found.id));
  if (row.step == ContainerStep::kExited) {
    return Fail(Code::kFailedPrecondition, "container {} has exited", row.id);
  }
  ASSIGN_OR_RETURN(const SandboxRow sandbox, registry_->Sandbox(row.sandbox_id));
  oci::Resources resources = ResourcesOf(*request.linux);
  std::vector<std::string> notes;
  KeepPossibleHugepageLimits(cgroups_, resources, notes);
  TRY(oci_->Update(HandleOf(row, sandbox), resources));
  TRY(registry_->ChangeContainer(row.id, [&](ContainerRow& changing) {
    for (const std::string& note : notes) {
      if (std::ranges::find(changing.warnings, note) == changing.warnings.end()) changing.warnings.push_back(note);
    }
    auto& config = changing.config.linux ? *changing.config.linux : changing.config.linux.emplace();
    config.resources = Merged(config.resources.value_or(cri::LinuxContainerResources{}), *request.linux);
  }));
  return cri::UpdateContainerResourcesResponse{};
}

}  // namespace portcullis::runtime
