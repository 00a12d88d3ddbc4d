// One SQLite connection, used from one thread at a time (the caller holds a lock): statements with bound values only,
// transactions, and a schema that is brought up to date step by step (PRAGMA user_version).
//
//   ASSIGN_OR_RETURN(Database db, Database::Open(path));
//   TRY(db.Migrate({"CREATE TABLE t(id TEXT PRIMARY KEY)"}));
//   ASSIGN_OR_RETURN(Statement insert, db.Prepare("INSERT INTO t VALUES(?)"));
//   insert.Bind(1, "ab12");
//   TRY(insert.Run());
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace portcullis::runtime {

class Statement {
 public:
  Statement(sqlite3* db, sqlite3_stmt* statement);

  // Positions count from 1, as SQLite's do.
  void Bind(int position, std::string_view text);
  void Bind(int position, int64_t number);

  // For statements without rows. A broken UNIQUE or PRIMARY KEY rule is kAlreadyExists.
  Result<void> Run();
  // True: there is a row, read it with Text and Number. False: no more.
  Result<bool> Next();
  // Columns count from 0.
  std::string Text(int column) const;
  int64_t Number(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  sqlite3* db_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
 public:
  // Makes the file (mode 0600) when absent. Write-ahead log: a killed process leaves either all of a change or none.
  static Result<Database> Open(const std::string& path);

  // Runs the steps that this file has not seen yet, each in a transaction of its own. A file from a newer program, with
  // more steps than `steps` has, is kFailedPrecondition.
  Result<void> Migrate(std::span<const std::string_view> steps);

  Result<Statement> Prepare(std::string_view sql);
  Result<void> Execute(const std::string& sql);  // no values, no rows

 private:
  struct Close {
    void operator()(sqlite3* db) const;
  };
  explicit Database(sqlite3* db) : db_(db) {}
  std::unique_ptr<sqlite3, Close> db_;
};

}  // namespace portcullis::runtime
