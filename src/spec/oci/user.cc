#include "spec/oci/user.h"

#include <algorithm>
#include <functional>

#include "base/strings.h"
#include "base/try.h"

namespace portcullis::oci {
namespace {

// Docker's bound: larger numbers are signs of a negative id.
constexpr uint64_t kMaxId = 2147483647;

struct PasswdEntry {
  std::string name;
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::string home;
};

struct GroupEntry {
  std::string name;
  uint32_t gid = 0;
  std::vector<std::string> members;
};

std::optional<uint32_t> ParseId(std::string_view text) {
  const std::optional<uint64_t> id = base::ParseUint(text);
  if (!id || *id > kMaxId) return std::nullopt;
  return static_cast<uint32_t>(*id);
}

// Visits the lines of a colon-separated file that have at least `fields` fields; false from `visit` stops.
void EachEntry(std::string_view text, size_t fields,
               const std::function<bool(const std::vector<std::string>&)>& visit) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = base::Trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    const std::vector<std::string> parts = base::Split(line, ':');
    if (parts.size() >= fields && !visit(parts)) return;
  }
}

std::optional<PasswdEntry> FindUser(std::string_view passwd, const std::string& name, std::optional<uint32_t> uid) {
  std::optional<PasswdEntry> found;
  EachEntry(passwd, 4, [&](const std::vector<std::string>& parts) {
    const std::optional<uint32_t> entry_uid = ParseId(parts[2]);
    const std::optional<uint32_t> entry_gid = ParseId(parts[3]);
    if (!entry_uid || !entry_gid) return true;
    // A name wins over a number of the same spelling, but only in a file that has such a name.
    if (parts[0] != name && (!uid || *uid != *entry_uid)) return true;
    found = PasswdEntry{parts[0], *entry_uid, *entry_gid, parts.size() > 5 ? parts[5] : ""};
    return false;
  });
  return found;
}

std::vector<GroupEntry> Groups(std::string_view group_text, const std::function<bool(const GroupEntry&)>& keep) {
  std::vector<GroupEntry> out;
  EachEntry(group_text, 3, [&](const std::vector<std::string>& parts) {
    const std::optional<uint32_t> gid = ParseId(parts[2]);
    if (!gid) return true;
    GroupEntry entry{parts[0], *gid, {}};
    if (parts.size() > 3) entry.members = base::Split(parts[3], ',');
    if (keep(entry)) out.push_back(std::move(entry));
    return true;
  });
  return out;
}

}  // namespace

Result<ResolvedUser> ResolveUser(std::string_view passwd_text, std::string_view group_text, std::string_view user) {
  const size_t colon = user.find(':');
  const std::string user_part(user.substr(0, colon));
  const std::string group_part(colon == std::string_view::npos ? "" : user.substr(colon + 1));
  if (group_part.find(':') != std::string::npos) {
    return Fail(Code::kInvalidArgument, "user {}: want user[:group]", base::Quote(user));
  }

  ResolvedUser out;
  const std::string wanted_user = user_part.empty() ? "0" : user_part;
  const std::optional<uint32_t> uid = ParseId(wanted_user);
  if (const auto entry = FindUser(passwd_text, wanted_user, uid)) {
    out.uid = entry->uid;
    out.gid = entry->gid;
    out.name = entry->name;
    if (!entry->home.empty()) out.home = entry->home;
  } else if (uid) {
    out.uid = *uid;
  } else if (base::ParseUint(wanted_user)) {
    return Fail(Code::kInvalidArgument, "unable to find user {}: uids and gids must be in range 0-{}", wanted_user,
                kMaxId);
  } else {
    return Fail(Code::kInvalidArgument, "unable to find user {}: no matching entries in passwd file", wanted_user);
  }

  if (!group_part.empty()) {
    const std::optional<uint32_t> gid = ParseId(group_part);
    const std::vector<GroupEntry> found = Groups(
        group_text, [&](const GroupEntry& entry) { return entry.name == group_part || (gid && entry.gid == *gid); });
    if (!found.empty()) {
      out.gid = found.front().gid;
    } else if (gid) {
      out.gid = *gid;
    } else {
      return Fail(Code::kInvalidArgument, "unable to find group {}: no matching entries in group file", group_part);
    }
  }

  if (!out.name.empty()) {
    for (const GroupEntry& entry : Groups(group_text, [&](const GroupEntry& candidate) {
           return std::find(candidate.members.begin(), candidate.members.end(), out.name) != candidate.members.end();
         })) {
      if (entry.gid != out.gid &&
          std::find(out.group_gids.begin(), out.group_gids.end(), entry.gid) == out.group_gids.end()) {
        out.group_gids.push_back(entry.gid);
      }
    }
  }
  return out;
}

Result<std::string> UserString(const std::string& run_as_username, std::optional<int64_t> run_as_user,
                               std::optional<int64_t> run_as_group, const std::string& image_user) {
  std::string user = run_as_username;
  if (user.empty() && run_as_user) user = std::to_string(*run_as_user);
  if (run_as_user && *run_as_user < 0) return Fail(Code::kInvalidArgument, "run_as_user {} is negative", *run_as_user);
  if (run_as_group && *run_as_group < 0)
    return Fail(Code::kInvalidArgument, "run_as_group {} is negative", *run_as_group);
  if (user.empty()) {
    if (run_as_group) return Fail(Code::kInvalidArgument, "user group \"{}\" is specified without user", *run_as_group);
    return image_user;
  }
  if (run_as_group) user += ":" + std::to_string(*run_as_group);
  return user;
}

}  // namespace portcullis::oci
