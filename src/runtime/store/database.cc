#include "runtime/store/database.h"

#include <fcntl.h>
#include <sqlite3.h>

#include "base/try.h"
#include "base/unique_fd.h"

namespace portcullis::runtime {
namespace {

constexpr int kBusyMillis = 5000;

Code CodeOf(sqlite3* db) {
  const int code = sqlite3_extended_errcode(db);
  if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY) return Code::kAlreadyExists;
  switch (code & 0xff) {
    case SQLITE_FULL:
      return Code::kResourceExhausted;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Code::kUnavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Code::kDataLoss;
    default:
      return Code::kInternal;
  }
}

Failure DatabaseError(sqlite3* db, std::string_view what) {
  return Fail(CodeOf(db), "state database: {}: {}", what, sqlite3_errmsg(db));
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement::Statement(sqlite3* db, sqlite3_stmt* statement) : db_(db), statement_(statement) {}

// A failed bind (out of memory, no such position) shows as the error of the step that follows: the value is then NULL
// and every column is NOT NULL.
void Statement::Bind(int position, std::string_view text) {
  sqlite3_bind_text64(statement_.get(), position, text.data() == nullptr ? "" : text.data(), text.size(),
                      SQLITE_TRANSIENT, SQLITE_UTF8);
}

void Statement::Bind(int position, int64_t number) { sqlite3_bind_int64(statement_.get(), position, number); }

Result<void> Statement::Run() {
  // To its end, for that is where it commits.
  for (bool row = true; row;) {
    ASSIGN_OR_RETURN(row, Next());
  }
  return {};
}

Result<bool> Statement::Next() {
  const int code = sqlite3_step(statement_.get());
  switch (code) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      return DatabaseError(db_, sqlite3_sql(statement_.get()));
  }
}

std::string Statement::Text(int column) const {
  const auto* text = sqlite3_column_text(statement_.get(), column);
  if (text == nullptr) return "";
  return std::string(reinterpret_cast<const char*>(text),
                     static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column)));
}

int64_t Statement::Number(int column) const { return sqlite3_column_int64(statement_.get(), column); }

void Database::Close::operator()(sqlite3* db) const { sqlite3_close_v2(db); }

Result<Database> Database::Open(const std::string& path) {
  // SQLite would make the file with the umask's mode; pod configurations hold environment values that are nobody's
  // business.
  base::UniqueFd made(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!made.valid()) return FailErrno(errno, "open state database {}", path);
  made.Reset();
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(
      path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_NOFOLLOW,
      nullptr);
  Database db(raw);
  if (code != SQLITE_OK) {
    return Fail(Code::kInternal, "open state database {}: {}", path, raw ? sqlite3_errmsg(raw) : sqlite3_errstr(code));
  }
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, kBusyMillis);
  for (const char* pragma : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL", "PRAGMA foreign_keys=ON",
                             "PRAGMA trusted_schema=OFF"}) {
    TRY(db.Execute(pragma));
  }
  return db;
}

Result<void> Database::Execute(const std::string& sql) {
  if (sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return DatabaseError(db_.get(), sql);
  }
  return {};
}

Result<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr) != SQLITE_OK) {
    return DatabaseError(db_.get(), sql);
  }
  return Statement(db_.get(), statement);
}

Result<void> Database::Migrate(std::span<const std::string_view> steps) {
  int64_t have = 0;
  {
    ASSIGN_OR_RETURN(Statement version, Prepare("PRAGMA user_version"));
    ASSIGN_OR_RETURN(const bool row, version.Next());
    if (row) have = version.Number(0);
  }
  if (have < 0 || static_cast<size_t>(have) > steps.size()) {
    return Fail(
        Code::kFailedPrecondition,
        "state database has schema version {} but this program knows versions up to {}: it was written by a newer "
        "portcullis",
        have, steps.size());
  }
  for (size_t step = static_cast<size_t>(have); step < steps.size(); ++step) {
    TRY(Execute("BEGIN IMMEDIATE"));
    Result<void> done = Execute(std::string(steps[step]));
    if (done) done = Execute(fmt::format("PRAGMA user_version={}", step + 1));
    if (done) done = Execute("COMMIT");
    if (!done) {
      if (auto undone = Execute("ROLLBACK"); !undone) return undone;
      return Wrap(std::move(done).error(), "migrate state database to version {}", step + 1);
    }
  }
  return {};
}

}  // namespace portcullis::runtime
