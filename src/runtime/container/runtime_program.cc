#include <unistd.h>

#include <array>
#include <cstdlib>

#include "base/strings.h"
#include "runtime/container/oci_runtime.h"

namespace portcullis::runtime {
namespace {

// Runs crun on hybrid hosts; comes with us (src/helper).
constexpr char kHybridCrun[] = "portcullis-crun";

// Programs of our own lie beside this one, or where an installation puts them.
std::string OwnFolders() {
  std::array<char, 4096> path{};
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  if (length <= 0 || static_cast<size_t>(length) == path.size()) return "";
  const std::string self(path.data(), static_cast<size_t>(length));
  const std::string folder = self.substr(0, self.rfind('/'));
  return folder + ":" + folder + "/../libexec/portcullis";
}

// Where the program is started as a container's OCI runtime; "" when it is not installed or cannot work here.
std::string PathOf(const std::string& name, CgroupLayout layout,
                   const std::function<std::string(const std::string&)>& find) {
  const std::string found = find(name);
  return name == "crun" && layout == CgroupLayout::kHybrid && !found.empty() ? find(kHybridCrun) : found;
}

}  // namespace

std::string FindProgram(const std::string& name) {
  constexpr std::string_view kUsual = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  const char* path = std::getenv("PATH");
  std::string folders = (path != nullptr ? std::string(path) + ":" : std::string()) + std::string(kUsual);
  if (name.starts_with("portcullis-")) folders = OwnFolders();
  for (const std::string& folder : base::Split(folders, ':')) {
    if (!folder.starts_with('/')) continue;  // what the current folder holds is not installed
    std::string candidate = folder + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return "";
}

Result<RuntimeProgram> ChooseOciRuntime(const std::string& setting, CgroupLayout layout,
                                        const std::function<std::string(const std::string&)>& find) {
  if (setting.starts_with('/')) {
    if (::access(setting.c_str(), X_OK) != 0) return FailErrno(errno, "use OCI runtime {}", setting);
    return RuntimeProgram{setting.substr(setting.rfind('/') + 1), setting};
  }
  if (setting == "runc" || setting == "crun") {
    if (find(setting).empty())
      return Fail(Code::kNotFound, "OCI runtime {} is not installed: apt-get install {}", setting, setting);
    const std::string path = PathOf(setting, layout, find);
    // Without the helper it is for crun itself to say whether it can work here.
    return RuntimeProgram{setting, path.empty() ? find(setting) : path};
  }
  if (setting != "auto" && !setting.empty()) {
    return Fail(Code::kInvalidArgument, "OCI runtime {}: want auto, runc, crun or an absolute path",
                base::Quote(setting));
  }
  const std::vector<std::string> order =
      layout == CgroupLayout::kV1 ? std::vector<std::string>{"runc"} : std::vector<std::string>{"crun", "runc"};
  for (const std::string& name : order) {
    if (const std::string path = PathOf(name, layout, find); !path.empty()) return RuntimeProgram{name, path};
  }
  if (layout != CgroupLayout::kUnified && !find("crun").empty()) {
    return Fail(
        Code::kNotFound,
        "no OCI runtime fits cgroup layout {}: crun is installed, but only runc supports it: apt-get install runc",
        CgroupLayoutName(layout));
  }
  return Fail(Code::kNotFound, "no OCI runtime is installed: apt-get install {}", order.front());
}

}  // namespace portcullis::runtime
