#include "runtime/service/seccomp_profiles.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <cctype>

#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"
#include "engine/seccomp/check.h"
#include "engine/seccomp/library.h"
#include "engine/seccomp/profile_json.h"

namespace portcullis::runtime {
namespace {

// Go's spelling of errno texts, which is what Kubernetes users know: "no such file or directory".
std::string GoErrnoText(int sys_errno) {
  std::string text = ErrnoText(sys_errno);
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

Failure CannotLoad(Code code, const std::string& path, const std::string& why) {
  return Fail(code, "cannot load seccomp profile {}: {}", base::Quote(path), why);
}

Result<seccomp::Profile> ReadDefaultFile(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path, kMaxSeccompFile));
  ASSIGN_OR_RETURN(seccomp::Profile profile, seccomp::ParseProfile(text, path));
  TRY(seccomp::CheckUsable(profile, path));
  return profile;
}

// What the OCI runtime's libseccomp will make of it. Warnings, also for what makes it spin: which rules do is known
// from experiments with some versions, the host may have another, and the runtime's deadline ends those that do.
std::vector<std::string> LintOf(const seccomp::ResolvedProfile& profile, const std::string& path) {
  std::vector<std::string> warnings;
  for (const Diagnostic& warning : seccomp::LintForLibseccomp(profile, path)) {
    warnings.push_back(FormatDiagnostic(warning));
  }
  return warnings;
}

}  // namespace

bool KernelHasSeccomp() { return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, nullptr, 0, 0) == 0 || errno != EINVAL; }

Result<SeccompProfiles> SeccompProfiles::Load(const std::string& default_profile, const std::string& seccomp_root) {
  SeccompProfiles profiles;
  profiles.root_ = base::CleanPath(seccomp_root);
  profiles.kernel_has_seccomp_ = KernelHasSeccomp();
  struct utsname host = {};
  if (::uname(&host) == 0) {
    if (auto version = seccomp::ParseKernelRelease(host.release)) profiles.kernel_ = *version;
  }
  const bool is_file = default_profile.find('/') != std::string::npos;
  if (is_file) {
    auto file = ReadDefaultFile(default_profile);
    if (!file) return Wrap(std::move(file).error(), "load default seccomp profile");
    profiles.default_ = std::move(*file);
    profiles.default_name_ = default_profile;
  } else {
    auto found = seccomp::FindDefaultProfile(default_profile);
    if (!found) return Wrap(std::move(found).error(), "load default seccomp profile");
    profiles.default_name_ = found->runtime + "@" + found->release;
    profiles.default_ = std::move(found->profile);
    profiles.flavour_ = found->flavour;
  }
  // What the profile says must also resolve on this host; a failure at the first pod would be a node without pods.
  seccomp::ResolveContext context;
  context.kernel = profiles.kernel_;
  context.flavour = profiles.flavour_;
  auto resolved = seccomp::Resolve(profiles.default_, context);
  if (!resolved) return Wrap(std::move(resolved).error(), "load default seccomp profile {}", profiles.default_name_);
  // The built-in ones are known to be compiled as they are written.
  if (is_file) {
    for (const std::string& warning : LintOf(*resolved, default_profile)) {
      base::LogWarning("default seccomp profile", {{"warning", warning}});
    }
  }
  return profiles;
}

Result<SeccompResult> SeccompProfiles::Resolve(const SeccompDecision& decision,
                                               const std::vector<std::string>& bounding) const {
  SeccompResult result;
  seccomp::ResolveContext context;
  context.bounding = bounding;
  context.kernel = kernel_;
  switch (decision.source) {
    case SeccompSource::kNone:
      result.description = "Unconfined";
      return result;
    case SeccompSource::kRuntimeDefault: {
      context.flavour = flavour_;
      auto resolved = seccomp::Resolve(default_, context);
      if (!resolved) return Wrap(std::move(resolved).error(), "resolve default seccomp profile {}", default_name_);
      if (default_name_.find('/') != std::string::npos) result.warnings = LintOf(*resolved, default_name_);
      result.profile = std::move(*resolved);
      result.description = fmt::format("RuntimeDefault ({})", default_name_);
      return result;
    }
    case SeccompSource::kLocalhost:
      break;
  }
  const std::string& path = decision.localhost_path;
  ASSIGN_OR_RETURN(const std::string text, ReadLocalhostProfile(root_, path));
  Diagnostics warnings;
  auto profile = seccomp::ParseLocalhostProfile(text, path, &warnings);
  if (!profile) return CannotLoad(profile.error().code, path, profile.error().message);
  auto resolved = seccomp::Resolve(*profile, context);
  if (!resolved) return CannotLoad(resolved.error().code, path, resolved.error().message);
  if (auto usable = seccomp::CheckUsable(*resolved, path); !usable) {
    return CannotLoad(usable.error().code, path, usable.error().message);
  }
  for (const Diagnostic& warning : warnings) result.warnings.push_back(FormatDiagnostic(warning));
  for (std::string& warning : LintOf(*resolved, path)) result.warnings.push_back(std::move(warning));
  result.profile = std::move(*resolved);
  result.description = "Localhost " + path;
  return result;
}

Result<std::string> ReadLocalhostProfile(const std::string& root, const std::string& path) {
  const std::string clean_root = base::CleanPath(root);
  const std::string clean = base::CleanPath(path);
  const std::string prefix = clean_root == "/" ? "/" : clean_root + "/";
  const auto outside = [&] {
    return CannotLoad(Code::kInvalidArgument, path, fmt::format("it is outside of the profile folder {}", clean_root));
  };
  if (clean == clean_root)
    return CannotLoad(Code::kInvalidArgument, path, fmt::format("read {}: is a directory", path));
  if (!clean.starts_with(prefix)) return outside();
  const auto open_failed = [&](const Error& error) {
    if (error.sys_errno == EXDEV) return outside();
    if (error.sys_errno == 0) return CannotLoad(error.code, path, error.message);
    return CannotLoad(error.code, path, fmt::format("open {}: {}", path, GoErrnoText(error.sys_errno)));
  };
  auto root_fd = base::OpenDir(clean_root);
  if (!root_fd) return open_failed(root_fd.error());
  // Non-blocking: a FIFO in the folder must not hang the node.
  auto file = base::OpenBeneath(root_fd->get(), clean.substr(prefix.size()), O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file) return open_failed(file.error());
  struct stat st = {};
  if (::fstat(file->get(), &st) != 0) {
    return CannotLoad(CodeOfErrno(errno), path, fmt::format("stat {}: {}", path, GoErrnoText(errno)));
  }
  if (S_ISDIR(st.st_mode)) {
    return CannotLoad(Code::kInvalidArgument, path, fmt::format("read {}: is a directory", path));
  }
  if (!S_ISREG(st.st_mode)) return CannotLoad(Code::kInvalidArgument, path, "it is not a regular file");
  if (static_cast<uint64_t>(st.st_size) > kMaxSeccompFile) {
    return CannotLoad(Code::kInvalidArgument, path,
                      fmt::format("it has {} bytes, more than the {} allowed", st.st_size, kMaxSeccompFile));
  }
  auto text = base::ReadFd(file->get(), kMaxSeccompFile, path);
  if (!text) return CannotLoad(text.error().code, path, text.error().message);
  return text;
}

}  // namespace portcullis::runtime
