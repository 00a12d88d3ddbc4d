#include "cli/kubelet_settings.h"

#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"

namespace portcullis::cli {
namespace {

namespace fs = std::filesystem;

Result<k8s::ConfigText> ReadConfigFile(const std::string& path) {
  auto text = base::ReadFile(path, k8s::kMaxConfigBytes);
  if (!text)
    return Fail(text.error().code, "failed to read kubelet config file {}, error: {}", base::Quote(path),
                text.error().message);
  return k8s::ConfigText{path, std::move(*text)};
}

// All regular files below the folder; which of them count, and in which order, the merge decides.
Result<std::vector<k8s::ConfigText>> ReadDropIns(const std::string& dir) {
  std::vector<k8s::ConfigText> texts;
  std::error_code error;
  for (fs::recursive_directory_iterator it(dir, error), end; !error && it != end; it.increment(error)) {
    if (!it->is_regular_file(error) || !it->path().native().ends_with(".conf")) continue;
    ASSIGN_OR_RETURN(k8s::ConfigText text, ReadConfigFile(it->path().string()));
    texts.push_back(std::move(text));
  }
  if (error) return FailErrno(error.value(), "failed to walk through kubelet dropin directory {}", base::Quote(dir));
  return texts;
}

// Fields that are true or false: their flag may come without a value.
bool IsSwitch(std::string_view field) { return field == "cpuCFSQuota" || field == "serializeImagePulls"; }

}  // namespace

void KubeletFlags::AddTo(CommandLine& line) {
  line.Text("--config", &config, "file with a KubeletConfiguration");
  line.Text("--config-dir", &config_dir, "folder with *.conf drop-ins, merged over --config in lexical order");
  line.Each(
      "--feature-gates",
      [this](const std::string& value) { return k8s::AddFeatureGatesFlag(value, fields.feature_gates); },
      "NAME=true|false,... for instance SeccompDefault=true");
  line.OptionalBool(
      "--seccomp-default", &fields.seccomp_default,
      "RuntimeDefault, not Unconfined, for containers whose pod says nothing; needs the gate SeccompDefault");
  line.Text("--root-dir", &root_dir, "the kubelet's folder; Localhost profiles are below its seccomp/");
  line.Text("--hostname-override", &hostname_override, "name of this node");
  line.Text("--emulated-version", &emulated_version,
            "Kubernetes version whose feature gate stages hold (default 1.22)");
  for (const k8s::ConfigFlagName& name : k8s::ConfigFlagNames()) {
    const std::string field(name.field);
    line.Each(
        std::string(name.flag),
        [this, field](const std::string& value) -> Result<void> {
          std::string& known = fields.fields[field];
          // A flag that may be repeated adds to the map; the others are replaced.
          known = field == "staticPodURLHeader" && !known.empty() ? known + "," + value : value;
          return {};
        },
        std::string(name.help) + " (" + field + ")", IsSwitch(name.field));
  }
}

Result<k8s::MergedConfig> LoadKubeletConfig(const KubeletFlags& flags) {
  k8s::KubeletConfigInputs inputs;
  inputs.flags = flags.fields;
  if (!flags.emulated_version.empty()) {
    auto version = k8s::ParseKubeVersion(flags.emulated_version);
    if (!version)
      return Wrap(version.error(), "invalid argument {} for \"--emulated-version\" flag",
                  base::Quote(flags.emulated_version));
    inputs.emulated_version = *version;
  }
  if (!flags.config.empty()) {
    auto file = ReadConfigFile(flags.config);
    if (!file) return Wrap(file.error(), "failed to load kubelet config file, path: {}, error", flags.config);
    inputs.file = std::move(*file);
  }
  if (!flags.config_dir.empty()) {
    auto drop_ins = ReadDropIns(flags.config_dir);
    if (!drop_ins) return Wrap(drop_ins.error(), "failed to merge kubelet configs");
    inputs.drop_ins = std::move(*drop_ins);
  }
  return k8s::MergeKubeletConfig(inputs);
}

Result<std::string> NodeName(const KubeletFlags& flags) {
  std::string name = flags.hostname_override;
  if (name.empty()) {
    char buffer[256] = {};
    if (::gethostname(buffer, sizeof buffer - 1) != 0) return FailErrno(errno, "read the host's name");
    name = buffer;
  }
  name = base::ToLower(base::Trim(name));
  if (name.empty()) return Fail(Code::kInvalidArgument, "empty hostname is invalid");
  return name;
}

}  // namespace portcullis::cli
