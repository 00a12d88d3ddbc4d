#include "runtime/service/paths.h"

#include <sys/stat.h>

#include "base/files.h"
#include "base/try.h"

namespace portcullis::runtime {
namespace {

// The umask must not decide, and a folder that was there may be too open.
Result<void> MakeFolder(const std::string& path, mode_t mode) {
  TRY(base::MakeDirs(path, mode));
  if (::chmod(path.c_str(), mode) != 0) return FailErrno(errno, "set permissions of {}", path);
  return {};
}

}  // namespace

Result<void> MakeFolders(const Paths& paths) {
  for (const std::string& root : {paths.state, paths.run}) TRY(MakeFolder(root, 0711));
  for (const std::string& folder :
       {paths.Bundles(), paths.SandboxFiles(), paths.Shm(), paths.Netns(), paths.CniCache(), paths.Snapshots()}) {
    TRY(MakeFolder(folder, 0700));
  }
  TRY(MakeFolder(paths.PauseRoot(), 0555));
  return {};
}

}  // namespace portcullis::runtime
