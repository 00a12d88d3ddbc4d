// From CRI's messages to the inputs of the OCI spec builder: everything that needs no look at the host. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cri/types.h"
#include "spec/oci/image_types.h"
#include "spec/oci/spec_builder.h"

namespace portcullis::runtime {

// The namespaces of a container are its sandbox's when it does not say; a sandbox that does not say has Kubernetes'
// defaults (own network and IPC per pod, PIDs per container). The network is always the sandbox's.
Result<oci::NamespaceModes> ModesOf(const cri::PodSandboxConfig& sandbox);
Result<oci::NamespaceModes> ModesOf(const cri::ContainerConfig& container, const cri::PodSandboxConfig& sandbox);
bool UsesHostNetwork(const cri::PodSandboxConfig& sandbox);
bool IsPrivileged(const cri::ContainerConfig& container);

oci::CapabilityRequest CapabilitiesOf(const cri::ContainerConfig& container, const std::vector<std::string>& daemon);

// Zero means "not set" in CRI.
oci::Resources ResourcesOf(const cri::LinuxContainerResources& resources);
// `changes` over `resources`: only what is set changes.
cri::LinuxContainerResources Merged(cri::LinuxContainerResources resources,
                                    const cri::LinuxContainerResources& changes);

// host_path is taken as it is. Errors name the container path.
Result<oci::Mount> MountOf(const cri::Mount& mount);
// What linux.rootfsPropagation must be for these mounts: "" when nothing propagates.
std::string RootPropagation(const std::vector<cri::Mount>& mounts);

// All but what depends on the host: rootfs, passwd, sandbox paths, devices, host facts, cgroup, seccomp. The AppArmor
// profile is as Kubernetes writes it (apparmor.h: ProfileFor).
// `notes` gets what was asked for and has no effect here.
Result<oci::ContainerSpecInput> ContainerInput(const cri::ContainerConfig& container,
                                               const cri::PodSandboxConfig& sandbox, const oci::ImageConfig& image,
                                               std::vector<std::string>& notes);
Result<oci::SandboxSpecInput> SandboxInput(const cri::PodSandboxConfig& sandbox, const oci::ImageConfig& image);

// What other tools (crictl, runc state) find in the bundle: containerd's annotation names.
std::map<std::string, std::string> SandboxAnnotations(const cri::PodSandboxConfig& sandbox, const std::string& id,
                                                      const std::string& image);
std::map<std::string, std::string> ContainerAnnotations(const cri::ContainerConfig& container,
                                                        const cri::PodSandboxConfig& sandbox,
                                                        const std::string& sandbox_id);

// An absolute, clean cgroup path; `fallback` when CRI gave none. It is that of a slice ("kubepods-pod1.slice", or its
// path) if and only if the driver is systemd; anything else, and a "..", is an error.
Result<std::string> CgroupParent(const std::string& cri_parent, const std::string& fallback, cri::CgroupDriver driver);

}  // namespace portcullis::runtime
