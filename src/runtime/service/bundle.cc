#include "runtime/service/bundle.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/files.h"
#include "base/try.h"

namespace portcullis::runtime {
namespace {

constexpr size_t kMaxSpec = 8u << 20;
constexpr size_t kMaxUserFile = 4u << 20;  // of an image, so untrusted

}  // namespace

Result<void> WriteBundle(const std::string& bundle, const oci::Spec& spec) {
  TRY(base::MakeDirs(bundle, 0700));
  const std::string text = oci::ToJson(spec).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return base::WriteFileAtomic(bundle + "/config.json", text, 0600, base::Lasting::kUntilReboot);
}

Result<std::string> ReadSpecText(const std::string& bundle) {
  return base::ReadFile(bundle + "/config.json", kMaxSpec);
}

Result<oci::Spec> ReadSpec(const std::string& bundle) {
  ASSIGN_OR_RETURN(const std::string text, ReadSpecText(bundle));
  ASSIGN_OR_RETURN(const nlohmann::json json, base::ParseJson(text, bundle + "/config.json"));
  return oci::SpecFromJson(json, bundle + "/config.json");
}

Result<std::string> ReadInRoot(const std::string& rootfs, const std::string& path) {
  ASSIGN_OR_RETURN(const base::UniqueFd root, base::OpenDir(rootfs));
  // The image chose what is there. A device may act when it is merely opened, so it is looked at first.
  auto found = base::OpenInRoot(root.get(), path, O_PATH);
  if (!found) {
    if (found.error().sys_errno == ENOENT || found.error().sys_errno == ENOTDIR) return std::string();
    return Failure(std::move(found).error());
  }
  struct stat info{};
  if (::fstat(found->get(), &info) != 0) return FailErrno(errno, "stat {} of the image", path);
  if (!S_ISREG(info.st_mode)) return Fail(Code::kInvalidArgument, "{} of the image is not a regular file", path);
  const std::string same = fmt::format("/proc/self/fd/{}", found->get());
  const base::UniqueFd file(::open(same.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file.valid()) return FailErrno(errno, "open {} of the image", path);
  return base::ReadFd(file.get(), kMaxUserFile, path);
}

}  // namespace portcullis::runtime
