#include "engine/seccomp/resolve.h"

#include <algorithm>

#include "base/strings.h"
#include "base/try.h"

namespace portcullis::seccomp {
namespace {

bool Contains(const std::vector<std::string>& list, std::string_view item) {
  return std::ranges::find(list, item) != list.end();
}

bool HonoursConditions(Flavour flavour) { return flavour != Flavour::kOciOnly; }
bool HonoursErrnoNames(Flavour flavour) { return flavour != Flavour::kOciOnly && flavour != Flavour::kDocker; }

bool LooksUpArchMap(Flavour flavour, Arch host) {
  switch (flavour) {
    case Flavour::kPortcullis:
      return true;
    case Flavour::kDocker:  // its architecture table and its archMap look-up spell loongarch64 differently
      return host != Arch::kLoongarch64;
    case Flavour::kContainerd:  // a switch on GOARCH, with names that are no GOARCH
      return host != Arch::kMipsel64 && host != Arch::kMipsel64n32 && host != Arch::kMips64n32;
    case Flavour::kCriO:
      switch (host) {
        case Arch::kX86_64:
        case Arch::kAarch64:
        case Arch::kMips64:
        case Arch::kMips64n32:
        case Arch::kMipsel64:
        case Arch::kMipsel64n32:
        case Arch::kS390x:
          return true;
        default:
          return false;
      }
    case Flavour::kOciOnly:
      return false;
  }
  return false;
}

Result<std::vector<Arch>> ResolveArchitectures(const Profile& profile, const ResolveContext& context) {
  if (HonoursConditions(context.flavour) && !profile.architectures.empty() && !profile.arch_map.empty()) {
    return Fail(
        Code::kInvalidArgument,
        "'architectures' and 'archMap' were specified in the seccomp profile, use either 'architectures' or 'archMap'");
  }
  std::vector<Arch> architectures = profile.architectures;
  if (!LooksUpArchMap(context.flavour, context.host)) return architectures;
  const auto entry = std::ranges::find(profile.arch_map, context.host, &ArchMapEntry::architecture);
  if (entry != profile.arch_map.end()) {
    architectures = {entry->architecture};
    architectures.insert(architectures.end(), entry->sub_architectures.begin(), entry->sub_architectures.end());
  }
  return architectures;
}

// Decides the conditions of one rule.
class RuleFilter {
 public:
  explicit RuleFilter(const ResolveContext& context)
      : context_(context), arch_(syscalls::InfoOf(context.host).docker_name) {}

  Result<bool> Keeps(const Rule& rule) const {
    if (!HonoursConditions(context_.flavour)) return true;
    const Conditions& excludes = rule.excludes;
    const Conditions& includes = rule.includes;
    if (Contains(excludes.arches, arch_)) return false;
    if (!includes.arches.empty() && !Contains(includes.arches, arch_)) return false;
    if (!CapsKeep(includes, excludes)) return false;
    ASSIGN_OR_RETURN(const bool kernel_keeps, KernelKeeps(includes, excludes));
    return kernel_keeps;
  }

 private:
  bool HasCap(const std::string& cap) const { return context_.bounding && Contains(*context_.bounding, cap); }

  bool CapsKeep(const Conditions& includes, const Conditions& excludes) const {
    if (!context_.bounding && context_.flavour == Flavour::kCriO) return true;
    return std::ranges::none_of(excludes.caps, [this](const auto& cap) { return HasCap(cap); }) &&
           std::ranges::all_of(includes.caps, [this](const auto& cap) { return HasCap(cap); });
  }

  Result<bool> KernelKeeps(const Conditions& includes, const Conditions& excludes) const {
    if (context_.flavour == Flavour::kCriO || (!includes.min_kernel && !excludes.min_kernel)) return true;
    if (!context_.kernel) {
      if (context_.flavour == Flavour::kContainerd) return false;
      return Fail(Code::kInvalidArgument,
                  "resolve seccomp profile: a rule has minKernel, but the kernel version is unknown");
    }
    if (excludes.min_kernel && *context_.kernel >= *excludes.min_kernel) return false;
    return !includes.min_kernel || *context_.kernel >= *includes.min_kernel;
  }

  const ResolveContext& context_;
  std::string_view arch_;
};

Result<std::optional<uint32_t>> ResolveErrno(const std::string& name, std::optional<uint32_t> number, Flavour flavour) {
  if (name.empty() || !HonoursErrnoNames(flavour)) return number;
  const auto value = ErrnoFromName(name);
  if (!value) return Fail(Code::kInvalidArgument, "unknown errno {}", name);
  return value;
}

}  // namespace

std::string_view FlavourName(Flavour flavour) {
  switch (flavour) {
    case Flavour::kPortcullis:
      return "portcullis";
    case Flavour::kContainerd:
      return "containerd";
    case Flavour::kCriO:
      return "cri-o";
    case Flavour::kDocker:
      return "docker";
    case Flavour::kOciOnly:
      return "oci";
  }
  return "";
}

Result<ResolvedProfile> Resolve(const Profile& profile, const ResolveContext& context) {
  ResolvedProfile resolved{.default_action = profile.default_action,
                           .default_errno_ret = std::nullopt,
                           .architectures = {},
                           .flags = profile.flags,
                           .listener_path = profile.listener_path,
                           .listener_metadata = profile.listener_metadata,
                           .syscalls = {}};
  ASSIGN_OR_RETURN(resolved.architectures, ResolveArchitectures(profile, context));
  ASSIGN_OR_RETURN(resolved.default_errno_ret,
                   ResolveErrno(profile.default_errno_name, profile.default_errno_ret, context.flavour));
  const RuleFilter filter(context);
  for (const Rule& rule : profile.syscalls) {
    ASSIGN_OR_RETURN(const bool keep, filter.Keeps(rule));
    if (!keep) continue;
    ResolvedRule out{.names = rule.names, .action = rule.action, .errno_ret = std::nullopt, .args = rule.args};
    if (context.flavour == Flavour::kOciOnly && rule.singular_name) out.names.clear();
    ASSIGN_OR_RETURN(out.errno_ret, ResolveErrno(rule.errno_name, rule.errno_ret, context.flavour));
    resolved.syscalls.push_back(std::move(out));
  }
  return resolved;
}

}  // namespace portcullis::seccomp
