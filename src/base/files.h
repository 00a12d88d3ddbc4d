// Files, done so that untrusted paths cannot leave their root and a crash leaves old or new content, never half.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace portcullis::base {

// Whole content of a regular file; an error (kResourceExhausted) when longer than `max_bytes`.
Result<std::string> ReadFile(const std::string& path, size_t max_bytes = 64u << 20);
Result<std::string> ReadFd(int fd, size_t max_bytes, const std::string& name_for_errors);

// kUntilReboot: for what nobody reads once the machine itself has crashed; it may be empty or old then.
enum class Lasting { kForGood, kUntilReboot };

// Writes beside, fsyncs (kForGood), renames over `path`: readers see all or nothing.
Result<void> WriteFileAtomic(const std::string& path, std::string_view data, mode_t mode = 0644,
                             Lasting lasting = Lasting::kForGood);

// Removes what WriteFileAtomic leaves beside its files when its process is killed. Only in a folder that nobody else
// writes to; an absent one is fine.
Result<void> RemoveHalfWritten(const std::string& folder);

// Plain write to an existing kernel file (cgroup, proc, sysctl).
Result<void> WriteKernelFile(const std::string& path, std::string_view data);

Result<void> MakeDirs(const std::string& path, mode_t mode = 0755);  // mkdir -p
bool Exists(const std::string& path);                                // lstat succeeds
// Removes a tree without following links or crossing into another mount; absent is fine.
Result<void> RemoveTree(const std::string& path);
Result<std::vector<std::string>> ListDir(const std::string& path);  // names, sorted, without . and ..

// openat2(2): `path` is resolved as if `root_fd` were "/" (RESOLVE_IN_ROOT, no magic links).
Result<UniqueFd> OpenInRoot(int root_fd, const std::string& path, int flags, mode_t mode = 0);
// openat2(2): fails with EXDEV when the path, or a link in it, leaves `dir_fd` (RESOLVE_BENEATH, no magic links).
Result<UniqueFd> OpenBeneath(int dir_fd, const std::string& path, int flags);
Result<UniqueFd> OpenDir(const std::string& path);

// Joins and cleans as Go's filepath.Join: Join("/root", "/etc/x") == "/root/etc/x"; no trailing slash.
std::string JoinPath(std::string_view root, std::string_view relative);
// Lexical clean as Go's filepath.Clean.
std::string CleanPath(std::string_view path);

// Exclusive flock on `path` for the life of the returned descriptor; when another process holds it the
// error is kFailedPrecondition and names the pid that the holder wrote into the file.
Result<UniqueFd> LockOwner(const std::string& path);

}  // namespace portcullis::base
