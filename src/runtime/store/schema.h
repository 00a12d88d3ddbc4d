// The schema of the state database, one entry per version. Entries are never changed once released: a new version is a
// new entry at the end.
#pragma once

#include <array>
#include <string_view>

namespace portcullis::runtime {

inline constexpr std::array<std::string_view, 2> kSchema = {
    R"sql(
CREATE TABLE settings(key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE cgroups(path TEXT PRIMARY KEY NOT NULL) WITHOUT ROWID;

CREATE TABLE sandboxes(
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL, namespace TEXT NOT NULL, uid TEXT NOT NULL, attempt INTEGER NOT NULL,
  step TEXT NOT NULL CHECK(step IN ('creating', 'ready', 'notready', 'removing')),
  created_at INTEGER NOT NULL,
  pid INTEGER NOT NULL,
  runtime_handler TEXT NOT NULL,
  image_id TEXT NOT NULL,
  netns_path TEXT NOT NULL,
  ips TEXT NOT NULL,
  network_result TEXT NOT NULL,
  cgroup_parent TEXT NOT NULL,
  seccomp TEXT NOT NULL,
  warnings TEXT NOT NULL,
  config TEXT NOT NULL,
  UNIQUE(name, namespace, uid, attempt));

CREATE TABLE containers(
  id TEXT PRIMARY KEY NOT NULL,
  sandbox_id TEXT NOT NULL REFERENCES sandboxes(id),
  name TEXT NOT NULL, attempt INTEGER NOT NULL,
  step TEXT NOT NULL CHECK(step IN ('creating', 'created', 'running', 'exited', 'removing')),
  created_at INTEGER NOT NULL, started_at INTEGER NOT NULL, finished_at INTEGER NOT NULL,
  exit_code INTEGER NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL,
  pid INTEGER NOT NULL,
  image_id TEXT NOT NULL, image_ref TEXT NOT NULL,
  log_path TEXT NOT NULL,
  stop_signal TEXT NOT NULL,
  user TEXT NOT NULL,
  seccomp TEXT NOT NULL,
  warnings TEXT NOT NULL,
  config TEXT NOT NULL,
  UNIQUE(sandbox_id, name, attempt));
)sql",
    // Sandboxes of before have a pause process that the OCI runtime made.
    "ALTER TABLE sandboxes ADD COLUMN pause_start INTEGER NOT NULL DEFAULT 0",
};

}  // namespace portcullis::runtime
