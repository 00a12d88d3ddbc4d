#include "engine/seccomp/library.h"

#include <algorithm>

#include "base/strings.h"
#include "base/try.h"
#include "engine/seccomp/library_tables.h"

namespace portcullis::seccomp {
namespace {

Conditions Expand(const CompactConditions& compact) {
  return {.arches = {compact.arches.begin(), compact.arches.end()},
          .caps = {compact.caps.begin(), compact.caps.end()},
          .min_kernel = compact.min_kernel};
}

Profile Expand(const CompactRuntime& runtime, size_t content) {
  const uint64_t bit = uint64_t{1} << content;
  const auto holds = [bit](const auto& item) { return (item.contents & bit) != 0; };
  Profile profile;
  if (const auto head = std::ranges::find_if(runtime.defaults, holds); head != runtime.defaults.end()) {
    profile.default_action = head->action;
    profile.default_errno_ret = head->errno_ret;
    profile.default_errno_name = head->errno_name;
  }
  for (const CompactArch& arch : runtime.arch_map) {
    if (!holds(arch)) continue;
    profile.arch_map.push_back({arch.architecture, {arch.sub_architectures.begin(), arch.sub_architectures.end()}});
  }
  for (const CompactRule& compact : runtime.rules) {
    if (!holds(compact)) continue;
    Rule rule{.action = compact.action,
              .errno_ret = compact.errno_ret,
              .errno_name = std::string(compact.errno_name),
              .args = {compact.args.begin(), compact.args.end()},
              .includes = Expand(compact.includes),
              .excludes = Expand(compact.excludes)};
    for (const CompactName& name : compact.names) {
      if (holds(name)) rule.names.emplace_back(name.name);
    }
    profile.syscalls.push_back(std::move(rule));
  }
  return profile;
}

Flavour FlavourOf(std::string_view runtime) {
  if (runtime == "containerd") return Flavour::kContainerd;
  if (runtime == "docker") return Flavour::kDocker;
  return Flavour::kCriO;  // containers-common's resolver, which podman and CRI-O share
}

const CompactRuntime* FindRuntime(std::string_view name) {
  const auto runtimes = CompactRuntimes();
  const auto found = std::ranges::find(runtimes, name, &CompactRuntime::name);
  return found == runtimes.end() ? nullptr : &*found;
}

// The content of a release, or of a content's own label (which may be in no release).
std::optional<size_t> FindContent(const CompactRuntime& runtime, std::string_view release) {
  if (const auto found = std::ranges::find(runtime.releases, release, &CompactRelease::release);
      found != runtime.releases.end()) {
    return found->content;
  }
  const auto found = std::ranges::find(runtime.contents, release, &CompactContent::label);
  if (found == runtime.contents.end()) return std::nullopt;
  return static_cast<size_t>(found - runtime.contents.begin());
}

// As runtimes of a distribution's package tell theirs: "1.7.24~ds1", "2.1.9+unknown". The package's part says nothing
// of the profile.
std::string_view WithoutPackage(std::string_view release) { return release.substr(0, release.find_first_of("~+")); }

// "2.2" means the newest release of that branch; a full release means itself.
std::string_view NewestOfBranch(const CompactRuntime& runtime, std::string_view branch) {
  std::string_view newest = branch;
  for (const CompactRelease& candidate : runtime.releases) {
    const std::string_view release = candidate.release;
    if (release == branch) return branch;
    if (release.starts_with(branch) && release.substr(branch.size()).starts_with('.')) newest = release;
  }
  return newest;
}

}  // namespace

Result<DefaultProfile> FindDefaultProfile(std::string_view name) {
  const size_t at = name.find('@');
  const std::string_view runtime_name = name.substr(0, at);
  const CompactRuntime* runtime = FindRuntime(runtime_name);
  if (runtime == nullptr) {
    return Fail(Code::kNotFound, "unknown default profile {} (there are {}, each also as name@release)",
                base::Quote(name), base::Join(LibraryRuntimes(), ", "));
  }
  std::string_view release = runtime->releases[runtime->newest].release;
  if (at != std::string_view::npos) {
    release = name.substr(at + 1);
    if (release.starts_with('v')) release.remove_prefix(1);
    release = WithoutPackage(release);
    if (!release.empty()) release = NewestOfBranch(*runtime, release);
  }
  const auto content = FindContent(*runtime, release);
  if (!content) {
    std::vector<std::string> known;
    for (const CompactContent& candidate : runtime->contents) known.emplace_back(candidate.label);
    return Fail(Code::kNotFound,
                "unknown release {} of default profile {} (its profile changed in {}; the newest release is {})",
                base::Quote(release), runtime_name, base::Join(known, ", "),
                runtime->releases[runtime->newest].release);
  }
  return DefaultProfile{.runtime = std::string(runtime_name),
                        .release = std::string(release),
                        .content = std::string(runtime->contents[*content].label),
                        .flavour = FlavourOf(runtime_name),
                        .profile = Expand(*runtime, *content)};
}

std::vector<LibraryRelease> ReleasesOf(std::string_view runtime_name) {
  std::vector<LibraryRelease> releases;
  const CompactRuntime* runtime = FindRuntime(runtime_name);
  if (runtime == nullptr) return releases;
  for (const CompactRelease& release : runtime->releases) {
    releases.push_back({std::string(release.release), std::string(runtime->contents[release.content].label)});
  }
  return releases;
}

std::vector<std::string> LibraryRuntimes() {
  std::vector<std::string> names;
  for (const CompactRuntime& runtime : CompactRuntimes()) names.emplace_back(runtime.name);
  return names;
}

}  // namespace portcullis::seccomp
