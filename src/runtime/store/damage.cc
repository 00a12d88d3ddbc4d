#include "runtime/store/damage.h"

#include <sys/stat.h>

#include "base/try.h"
#include "runtime/store/database.h"

namespace portcullis::runtime {
namespace {

Failure Damaged(const std::string& path, std::string_view why) {
  return Fail(
      Code::kDataLoss,
      "state database {} is damaged: {}; nothing was changed and containers run on: restore it from a copy, or "
      "move it away with its -wal and -shm files, after which the next start removes all containers, because no "
      "record of them is left",
      path, why);
}

Result<std::string> FirstText(Database& db, std::string_view sql) {
  ASSIGN_OR_RETURN(Statement statement, db.Prepare(sql));
  ASSIGN_OR_RETURN(const bool row, statement.Next());
  return row ? statement.Text(0) : std::string();
}

}  // namespace

Result<void> CheckDatabase(const std::string& path, bool has_containers) {
  constexpr off_t kSmallestPage = 512;
  constexpr std::string_view kEmptied = "it is empty although there are containers";
  struct stat info = {};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return {};
    return FailErrno(errno, "stat state database {}", path);
  }
  if (!S_ISREG(info.st_mode)) return Fail(Code::kFailedPrecondition, "state database {} is not a regular file", path);
  // Before SQLite sees it: it takes a file of less than a page for an empty database, and deletes its write-ahead log.
  if (info.st_size < kSmallestPage) {
    if (has_containers) return Damaged(path, kEmptied);
    return {};
  }
  auto db = Database::Open(path);
  if (!db) {
    if (db.error().code == Code::kDataLoss) return Damaged(path, db.error().message);
    return Failure(std::move(db).error());
  }
  const auto checked = FirstText(*db, "PRAGMA quick_check(1)");
  if (!checked) {
    if (checked.error().code == Code::kDataLoss) return Damaged(path, checked.error().message);
    return Failure(checked.error());
  }
  if (*checked != "ok") return Damaged(path, *checked);
  ASSIGN_OR_RETURN(Statement version, db->Prepare("PRAGMA user_version"));
  ASSIGN_OR_RETURN(const bool row, version.Next());
  if (row && version.Number(0) == 0 && has_containers) return Damaged(path, kEmptied);
  return {};
}

}  // namespace portcullis::runtime
