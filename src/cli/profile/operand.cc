#include "cli/profile/operand.h"

#include <sys/utsname.h>

#include <algorithm>
#include <cctype>
#include <iostream>
#include <iterator>

#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "engine/seccomp/capabilities.h"
#include "engine/seccomp/check.h"
#include "engine/seccomp/library.h"

namespace portcullis::cli {
namespace {

// Kubernetes' way to name a default: "RuntimeDefault@containerd-2.2" is "containerd@2.2".
std::string WithoutKubernetesPrefix(const std::string& word) {
  constexpr std::string_view kPrefix = "RuntimeDefault@";
  if (!word.starts_with(kPrefix)) return word;
  std::string name = word.substr(kPrefix.size());
  const size_t dash = name.rfind('-');
  const bool has_release = dash != std::string::npos && dash + 1 < name.size() &&
                           std::isdigit(static_cast<unsigned char>(name[dash + 1])) != 0;
  if (has_release) name[dash] = '@';
  return name;
}

bool NamesLibrary(const std::string& word) {
  if (word.find('/') != std::string::npos || base::Exists(word)) return false;
  const std::string runtime = word.substr(0, word.find('@'));
  const auto runtimes = seccomp::LibraryRuntimes();
  return std::ranges::find(runtimes, runtime) != runtimes.end();
}

Result<std::string> ReadStandardInput() {
  std::string text;
  char buffer[65536];
  while (std::cin.read(buffer, sizeof buffer), std::cin.gcount() > 0) {
    text.append(buffer, static_cast<size_t>(std::cin.gcount()));
    if (text.size() > seccomp::kMaxProfileBytes) {
      return Fail(Code::kResourceExhausted, "standard input: a profile has at most {} bytes",
                  seccomp::kMaxProfileBytes);
    }
  }
  return text;
}

Result<std::vector<std::string>> ToCapabilities(const std::string& words) {
  if (words == "none") return std::vector<std::string>{};
  if (words == "default") return seccomp::DockerDefaultCapabilities();
  const auto known = seccomp::CapabilityNames();
  if (words == "all") return std::vector<std::string>(known.begin(), known.end());
  std::vector<std::string> capabilities;
  for (const std::string& word : base::Split(words, ',')) {
    std::string name(base::Trim(word));
    if (name == "default") {
      for (std::string& one : seccomp::DockerDefaultCapabilities()) capabilities.push_back(std::move(one));
      continue;
    }
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (!name.starts_with("CAP_")) name.insert(0, "CAP_");
    if (std::ranges::find(known, std::string_view(name)) == known.end()) {
      const auto nearest = base::Nearest(name, known);
      return Fail(Code::kInvalidArgument, "--caps: unknown capability {}{}", base::Quote(word),
                  nearest ? fmt::format(" (did you mean {}?)", *nearest) : "");
    }
    capabilities.push_back(std::move(name));
  }
  return capabilities;
}

Result<syscalls::Arch> ToArch(const std::string& word) {
  if (word.empty()) return syscalls::NativeArch();
  if (const auto arch = syscalls::ArchFromDockerName(word)) return *arch;
  if (const auto arch = syscalls::ArchFromGoName(word)) return *arch;
  if (const auto arch = syscalls::ArchFromScmpName(word)) return *arch;
  return Fail(Code::kInvalidArgument, "--arch: unknown architecture {} (amd64, arm64, s390x, SCMP_ARCH_RISCV64, ...)",
              base::Quote(word));
}

Result<seccomp::KernelVersion> ToKernel(const std::string& word) {
  if (!word.empty()) {
    auto version = seccomp::ParseKernelRelease(word);
    if (!version) return Wrap(version.error(), "--kernel");
    return version;
  }
  utsname host{};
  if (::uname(&host) != 0) return FailErrno(errno, "ask the kernel for its release");
  return seccomp::ParseKernelRelease(host.release);
}

Result<seccomp::Flavour> ToFlavour(const std::string& word) {
  using seccomp::Flavour;
  for (const Flavour flavour :
       {Flavour::kPortcullis, Flavour::kContainerd, Flavour::kCriO, Flavour::kDocker, Flavour::kOciOnly}) {
    if (word == seccomp::FlavourName(flavour)) return flavour;
  }
  return Fail(Code::kInvalidArgument, "--flavour: unknown flavour {} (portcullis, containerd, cri-o, docker, oci)",
              base::Quote(word));
}

}  // namespace

Result<std::string> ReadOperandText(const std::string& word) {
  auto text = word == "-" ? ReadStandardInput() : base::ReadFile(word, seccomp::kMaxProfileBytes);
  if (text || text.error().code != Code::kNotFound) return text;
  const auto runtimes = seccomp::LibraryRuntimes();
  return Wrap(text.error(), "profile {} is neither a file nor a release of {}", base::Quote(word),
              base::Join(runtimes, ", "));
}

Result<Operand> ReadOperand(const std::string& word, seccomp::ParseMode mode) {
  Operand operand;
  const std::string library_name = WithoutKubernetesPrefix(word);
  if (library_name != word || NamesLibrary(word)) {
    ASSIGN_OR_RETURN(seccomp::DefaultProfile found, seccomp::FindDefaultProfile(library_name));
    operand.name = found.runtime + "@" + found.release;
    operand.flavour = found.flavour;
    operand.profile = std::move(found.profile);
    return operand;
  }
  operand.name = word == "-" ? "standard input" : word;
  ASSIGN_OR_RETURN(const std::string text, ReadOperandText(word));
  ASSIGN_OR_RETURN(operand.profile, seccomp::ParseProfile(text, operand.name, mode, &operand.diagnostics));
  TRY(seccomp::CheckUsable(operand.profile, operand.name));
  return operand;
}

Result<seccomp::ResolveContext> ToContext(const ResolveWords& words, const Operand& operand) {
  seccomp::ResolveContext context;
  ASSIGN_OR_RETURN(context.bounding, ToCapabilities(words.capabilities));
  ASSIGN_OR_RETURN(context.host, ToArch(words.arch));
  ASSIGN_OR_RETURN(context.kernel, ToKernel(words.kernel));
  context.flavour = operand.flavour;
  if (!words.flavour.empty()) {
    ASSIGN_OR_RETURN(context.flavour, ToFlavour(words.flavour));
  }
  return context;
}

Result<seccomp::ResolvedProfile> ResolveOperand(const Operand& operand, const seccomp::ResolveContext& context) {
  auto resolved = seccomp::Resolve(operand.profile, context);
  if (!resolved) return Wrap(resolved.error(), "profile {}", operand.name);
  return resolved;
}

Result<seccomp::ResolvedProfile> ResolveOperand(const Operand& operand, const ResolveWords& words) {
  ASSIGN_OR_RETURN(const seccomp::ResolveContext context, ToContext(words, operand));
  return ResolveOperand(operand, context);
}

}  // namespace portcullis::cli
