// The OCI bundle of one container or sandbox: a folder with config.json.
#pragma once

#include <string>

#include "base/result.h"
#include "spec/oci/runtime_spec.h"

namespace portcullis::runtime {

// In a sandbox's config.json: the cgroups above it that this runtime has made (store.h), one a line. Should the
// database be lost, this tells which of them are ours to remove.
inline constexpr char kOwnCgroupsAnnotation[] = "io.portcullis.own-cgroups";

// Makes the folder (0700) and writes config.json; no container outlives a crash of the machine, so it need not.
Result<void> WriteBundle(const std::string& bundle, const oci::Spec& spec);
// The exact text of config.json.
Result<std::string> ReadSpecText(const std::string& bundle);
Result<oci::Spec> ReadSpec(const std::string& bundle);

// A file of the container's root file system, links resolved inside it; "" when it has none. For /etc/passwd and
// /etc/group.
Result<std::string> ReadInRoot(const std::string& rootfs, const std::string& path);

}  // namespace portcullis::runtime
