#include <unistd.h>

#include <cstdlib>

#include "base/strings.h"
#include "runtime/container/oci_runtime.h"

namespace portcullis::runtime {

std::string FindProgram(const std::string& name) {
  constexpr std::string_view kUsual = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  const char* path = std::getenv("PATH");
  for (const std::string& folder :
       base::Split((path != nullptr ? std::string(path) + ":" : std::string()) + std::string(kUsual), ':')) {
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
    const std::string path = find(setting);
    if (path.empty())
      return Fail(Code::kNotFound, "OCI runtime {} is not installed: apt-get install {}", setting, setting);
    return RuntimeProgram{setting, path};
  }
  if (setting != "auto" && !setting.empty()) {
    return Fail(Code::kInvalidArgument, "OCI runtime {}: want auto, runc, crun or an absolute path",
                base::Quote(setting));
  }
  const bool unified = layout == CgroupLayout::kUnified;
  const std::vector<std::string> order =
      unified ? std::vector<std::string>{"crun", "runc"} : std::vector<std::string>{"runc"};
  for (const std::string& name : order) {
    if (const std::string path = find(name); !path.empty()) return RuntimeProgram{name, path};
  }
  if (!unified && !find("crun").empty()) {
    return Fail(
        Code::kNotFound,
        "no OCI runtime fits cgroup layout {}: crun is installed, but only runc supports it: apt-get install runc",
        CgroupLayoutName(layout));
  }
  return Fail(Code::kNotFound, "no OCI runtime is installed: apt-get install {}", order.front());
}

}  // namespace portcullis::runtime
