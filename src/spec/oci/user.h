// Who a container runs as: names and numbers of an image or a pod, looked up in the root filesystem's own files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace portcullis::oci {

struct ResolvedUser {
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> group_gids;  // groups of /etc/group that list the user, without `gid`
  std::string name;                  // empty when the uid is not in /etc/passwd
  std::string home = "/";
  bool operator==(const ResolvedUser&) const = default;
};

// `user` as in an image's config: "", "nginx", "101", "nginx:nginx", "101:0", ":33".
//   ResolveUser(passwd, group, "nginx")  ->  {uid 101, gid 101, ...}
// As Docker has it: a number need not be in passwd (then gid is 0); a name must be. A given group replaces the primary
// one. Malformed lines of the files are skipped. Numbers above 2147483647 are refused.
// Errors (kInvalidArgument): `unable to find user nginx: no matching entries in passwd file`.
Result<ResolvedUser> ResolveUser(std::string_view passwd_text, std::string_view group_text, std::string_view user);

// The string that ResolveUser reads, from the CRI fields run_as_username, run_as_user, run_as_group and the image's
// user: the name wins over the number, the image's user is used when neither is given. A group without a user is the
// error Kubernetes' runtimes give.
Result<std::string> UserString(const std::string& run_as_username, std::optional<int64_t> run_as_user,
                               std::optional<int64_t> run_as_group, const std::string& image_user);

}  // namespace portcullis::oci
