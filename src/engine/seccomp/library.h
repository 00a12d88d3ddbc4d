// The default profiles of containerd, CRI-O, Docker and containers-common (podman), every release, compiled in.
// Data: data/profiles/*.profile (format in data/profiles/README.md), generated code by scripts/generate-profiles.
//
//   FindDefaultProfile("containerd")          the newest release
//   FindDefaultProfile("containerd@1.7.13")   that release
//   FindDefaultProfile("containerd@2.2")      the newest release of that branch
//   FindDefaultProfile("runc")                error: unknown default profile "runc" (one of containerd,
//   containers-common, ...)
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/seccomp/profile.h"
#include "engine/seccomp/resolve.h"

namespace portcullis::seccomp {

struct DefaultProfile {
  std::string runtime;  // "containerd"
  std::string release;  // "1.7.13": the one asked for, or the newest stable one
  std::string content;  // the release that first had this content, e.g. "1.7.3"
  Flavour flavour = Flavour::kPortcullis;
  Profile profile;
};

// "docker", "docker@29.4.2" or "docker@v29.4.2". Unknown: kNotFound, with what there is.
Result<DefaultProfile> FindDefaultProfile(std::string_view name);

struct LibraryRelease {
  std::string release;
  std::string content;
};

// One entry per release, in version order. Empty for an unknown runtime.
std::vector<LibraryRelease> ReleasesOf(std::string_view runtime);
std::vector<std::string> LibraryRuntimes();  // "containerd", "containers-common", "cri-o", "docker"

}  // namespace portcullis::seccomp
