#include "base/clock.h"
#include "base/try.h"
#include "runtime/service/runtime_service.h"

namespace portcullis::runtime {

Result<cri::ImageFsInfoResponse> RuntimeService::ImageFsInfo(const cri::ImageFsInfoRequest&) {
  ASSIGN_OR_RETURN(const FilesystemUsage usage, images_->Usage());
  cri::ImageFsInfoResponse response;
  auto& one = response.image_filesystems.emplace_back();
  one.timestamp = base::NowUnixNanos();
  one.fs_id = cri::FilesystemIdentifier{.mountpoint = usage.mountpoint};
  one.used_bytes = cri::UInt64Value{.value = static_cast<uint64_t>(usage.bytes)};
  one.inodes_used = cri::UInt64Value{.value = static_cast<uint64_t>(usage.inodes)};
  return response;
}

}  // namespace portcullis::runtime
