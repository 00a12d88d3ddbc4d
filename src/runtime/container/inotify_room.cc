#include "runtime/container/inotify_room.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"

namespace portcullis::runtime {
namespace {

constexpr uint64_t kPodsOfANode = 110;  // maxPods of the kubelet, and the limit that Kubernetes is tested with
constexpr uint64_t kContainersOfAPod = 2;

uint64_t InstancesOf(const std::string& process) {
  const auto descriptors = base::ListDir(process + "/fd");
  if (!descriptors) return 0;
  return static_cast<uint64_t>(std::count_if(descriptors->begin(), descriptors->end(), [&](const std::string& name) {
    char target[64];
    const ssize_t length = ::readlink(fmt::format("{}/fd/{}", process, name).c_str(), target, sizeof target);
    return length > 0 && std::string_view(target, static_cast<size_t>(length)) == "anon_inode:inotify";
  }));
}

}  // namespace

Result<InotifyUse> ReadInotifyUse(const std::string& proc) {
  const std::string setting = proc + "/sys/fs/inotify/max_user_instances";
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(setting, 64));
  const std::optional<uint64_t> limit = base::ParseUint(base::Trim(text));
  if (!limit) return Fail(Code::kDataLoss, "{}: no number in {}", setting, base::Quote(text));
  InotifyUse use{.max_instances = *limit};
  ASSIGN_OR_RETURN(const std::vector<std::string> names, base::ListDir(proc));
  for (const std::string& name : names) {
    if (!base::ParseUint(name)) continue;
    const std::string process = base::JoinPath(proc, name);
    struct stat info{};
    if (::stat(process.c_str(), &info) != 0 || info.st_uid != ::geteuid()) continue;
    const auto program = base::ReadFile(process + "/comm", 64);
    if (program && base::Trim(*program) == "conmon") continue;
    use.taken_by_others += InstancesOf(process);
  }
  return use;
}

uint64_t ContainersWithInotify(const InotifyUse& use) {
  return use.max_instances - std::min(use.max_instances, use.taken_by_others);
}

std::optional<std::string> InotifyWarning(CgroupLayout layout, const InotifyUse& use) {
  if (layout != CgroupLayout::kUnified) return std::nullopt;
  const uint64_t room = ContainersWithInotify(use);
  if (room >= kPodsOfANode * kContainersOfAPod) return std::nullopt;
  return fmt::format(
      "fs.inotify.max_user_instances is {}, of which {} are taken: enough for {} containers, as conmon takes one for "
      "each; raise it, for example with deploy/sysctl.d/90-portcullis.conf",
      use.max_instances, use.taken_by_others, room);
}

}  // namespace portcullis::runtime
