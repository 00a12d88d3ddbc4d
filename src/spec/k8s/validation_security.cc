#include <limits>

#include "base/strings.h"
#include "spec/k8s/validation_rules.h"

namespace portcullis::k8s {
namespace {

constexpr int64_t kMaxId = std::numeric_limits<int32_t>::max();

void Id(const std::string& field, const std::optional<int64_t>& id, ErrorList& errors) {
  if (id) errors.Range(field, *id, 0, kMaxId);
}

}  // namespace

void ValidateContainerSecurity(const Container& container, const std::string& path, ErrorList& errors) {
  if (!container.security_context) return;
  const SecurityContext& context = *container.security_context;
  Id(path + ".runAsUser", context.run_as_user, errors);
  Id(path + ".runAsGroup", context.run_as_group, errors);
  if (context.proc_mount) {
    static constexpr std::string_view kProcMounts[] = {"Default", "Unmasked"};
    errors.Unsupported(path + ".procMount", *context.proc_mount, kProcMounts);
    if (*context.proc_mount == "Unmasked") {
      errors.Invalid(path + ".procMount", *context.proc_mount, "`hostUsers` must be false to use `Unmasked`");
    }
  }
  if (context.allow_privilege_escalation.value_or(true)) return;
  if (context.privileged.value_or(false)) {
    errors.Add(path, "Invalid value: cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
  }
  if (!context.capabilities) return;
  for (const std::string& capability : context.capabilities->add) {
    if (capability == "CAP_SYS_ADMIN") {
      errors.Add(path,
                 "Invalid value: cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN");
    }
  }
}

void ValidatePodSecurity(const PodSpec& spec, ErrorList& errors) {
  const PodSecurityContext& context = spec.security_context;
  const std::string path = "spec.securityContext";
  Id(path + ".runAsUser", context.run_as_user, errors);
  Id(path + ".runAsGroup", context.run_as_group, errors);
  Id(path + ".fsGroup", context.fs_group, errors);
  for (size_t i = 0; i < context.supplemental_groups.size(); ++i) {
    errors.Range(fmt::format("{}.supplementalGroups[{}]", path, i), context.supplemental_groups[i], 0, kMaxId);
  }
  if (spec.host_pid && spec.share_process_namespace) {
    errors.Add("spec.shareProcessNamespace",
               "Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled");
  }
}

}  // namespace portcullis::k8s
