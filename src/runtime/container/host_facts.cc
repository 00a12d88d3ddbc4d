#include "runtime/container/host_facts.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstdlib>

#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "engine/seccomp/capabilities.h"
#include "host/proc/process.h"

namespace portcullis::runtime {
namespace {

constexpr std::pair<const char*, int> kLimits[] = {
    {"RLIMIT_AS", RLIMIT_AS},           {"RLIMIT_CORE", RLIMIT_CORE},
    {"RLIMIT_CPU", RLIMIT_CPU},         {"RLIMIT_DATA", RLIMIT_DATA},
    {"RLIMIT_FSIZE", RLIMIT_FSIZE},     {"RLIMIT_LOCKS", RLIMIT_LOCKS},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK}, {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    {"RLIMIT_NICE", RLIMIT_NICE},       {"RLIMIT_NOFILE", RLIMIT_NOFILE},
    {"RLIMIT_NPROC", RLIMIT_NPROC},     {"RLIMIT_RSS", RLIMIT_RSS},
    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},   {"RLIMIT_RTTIME", RLIMIT_RTTIME},
    {"RLIMIT_STACK", RLIMIT_STACK},     {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
};

// What a container has of its own, or what is no device.
bool IsOwnOfContainer(const std::string& name) {
  return name == "pts" || name == "shm" || name == "fd" || name == "mqueue" || name == "console" || name == "ptmx" ||
         name == ".lxc" || name == ".lxd-mounts" || name == ".udev";
}

void AddDevices(const std::string& directory, std::vector<oci::Device>& out) {
  const auto names = base::ListDir(directory);
  if (!names) return;  // a folder that went away meanwhile holds no devices
  for (const std::string& name : *names) {
    if (IsOwnOfContainer(name)) continue;
    const std::string path = directory + "/" + name;
    struct stat info{};
    if (::lstat(path.c_str(), &info) != 0) continue;
    if (S_ISDIR(info.st_mode)) AddDevices(path, out);
    if (!S_ISCHR(info.st_mode) && !S_ISBLK(info.st_mode)) continue;
    out.push_back({.path = path,
                   .type = S_ISCHR(info.st_mode) ? "c" : "b",
                   .major = ::major(info.st_rdev),
                   .minor = ::minor(info.st_rdev),
                   .file_mode = info.st_mode & 07777,
                   .uid = info.st_uid,
                   .gid = info.st_gid});
  }
}

}  // namespace

Result<oci::HostFacts> ReadHostFacts(const Cgroups& cgroups) {
  oci::HostFacts facts;
  ASSIGN_OR_RETURN(const host::ProcessStatus self, host::ReadStatus(::getpid()));
  facts.capabilities = seccomp::CapabilitiesOfMask(self.permitted_capabilities & self.bounding_capabilities);
  ASSIGN_OR_RETURN(const std::string score, base::ReadFile("/proc/self/oom_score_adj"));
  facts.oom_score_adj = std::strtol(score.c_str(), nullptr, 10);
  for (const auto& [name, resource] : kLimits) {
    rlimit limit{};
    if (::getrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0) facts.rlimit_maximum[name] = limit.rlim_max;
  }
  facts.unified_cgroups = cgroups.layout() == CgroupLayout::kUnified;
  AddDevices("/dev", facts.devices);
  return facts;
}

}  // namespace portcullis::runtime
