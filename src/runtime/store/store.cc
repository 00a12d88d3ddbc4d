#include "runtime/store/store.h"

#include <array>
#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/try.h"
#include "cri/json.h"
#include "runtime/store/schema.h"

namespace portcullis::runtime {
namespace {

constexpr std::array<std::string_view, 4> kSandboxSteps = {"creating", "ready", "notready", "removing"};
constexpr std::array<std::string_view, 5> kContainerSteps = {"creating", "created", "running", "exited", "removing"};

// Invalid UTF-8 in a label must not make a row unwritable.
std::string Dump(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

template <class Step, size_t N>
Result<Step> StepFromName(const std::array<std::string_view, N>& names, const std::string& name,
                          const std::string& id) {
  for (size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<Step>(i);
  }
  return Fail(Code::kDataLoss, "state database: row {} has unknown step \"{}\"", id, name);
}

Result<std::vector<std::string>> StringList(const std::string& text, const std::string& id) {
  ASSIGN_OR_RETURN(const nlohmann::json json, base::ParseJson(text, "state database row " + id));
  std::vector<std::string> list;
  if (!json.is_array()) return Fail(Code::kDataLoss, "state database: row {}: expected a list", id);
  for (const auto& item : json) {
    if (!item.is_string()) return Fail(Code::kDataLoss, "state database: row {}: expected a list of strings", id);
    list.push_back(item.get<std::string>());
  }
  return list;
}

template <class Message>
Result<Message> MessageFromText(const std::string& text, const std::string& id) {
  ASSIGN_OR_RETURN(const nlohmann::json json, base::ParseJson(text, "state database row " + id));
  auto message = cri::FromJson<Message>(json);
  if (!message) return Wrap(std::move(message).error(), "state database: row {}", id);
  return message;
}

const cri::PodSandboxMetadata& MetadataOf(const cri::PodSandboxConfig& config) {
  static const cri::PodSandboxMetadata none;
  return config.metadata ? *config.metadata : none;
}

const cri::ContainerMetadata& MetadataOf(const cri::ContainerConfig& config) {
  static const cri::ContainerMetadata none;
  return config.metadata ? *config.metadata : none;
}

// One list of columns for INSERT, UPDATE and SELECT; their order is that of BindRow and of the readers.
constexpr std::string_view kSandboxColumns =
    "id,name,namespace,uid,attempt,step,created_at,pid,runtime_handler,image_id,netns_path,ips,network_result,"
    "cgroup_parent,seccomp,warnings,config,pause_start";
constexpr std::string_view kContainerColumns =
    "id,sandbox_id,name,attempt,step,created_at,started_at,finished_at,exit_code,reason,message,pid,image_id,image_ref,"
    "log_path,stop_signal,user,seccomp,warnings,config";

std::string Placeholders(std::string_view columns) {
  std::string marks = "?";
  for (const char c : columns) {
    if (c == ',') marks += ",?";
  }
  return marks;
}

std::string InsertSql(std::string_view table, std::string_view columns) {
  return fmt::format("INSERT INTO {}({}) VALUES({})", table, columns, Placeholders(columns));
}

std::string UpdateSql(std::string_view table, std::string_view columns) {
  return fmt::format("UPDATE {} SET ({})=({}) WHERE id=?1 RETURNING id", table, columns, Placeholders(columns));
}

std::string SelectSql(std::string_view table, std::string_view columns) {
  return fmt::format("SELECT {} FROM {} ORDER BY created_at, id", columns, table);
}

void BindRow(Statement& to, const SandboxRow& row) {
  const auto& metadata = MetadataOf(row.config);
  int at = 0;
  to.Bind(++at, row.id);
  to.Bind(++at, metadata.name);
  to.Bind(++at, metadata.namespace_);
  to.Bind(++at, metadata.uid);
  to.Bind(++at, int64_t{metadata.attempt});
  to.Bind(++at, kSandboxSteps[static_cast<size_t>(row.step)]);
  to.Bind(++at, row.created_at);
  to.Bind(++at, row.pid);
  to.Bind(++at, row.runtime_handler);
  to.Bind(++at, row.image_id);
  to.Bind(++at, row.netns_path);
  to.Bind(++at, Dump(row.ips));
  to.Bind(++at, row.network_result);
  to.Bind(++at, row.cgroup_parent);
  to.Bind(++at, row.seccomp);
  to.Bind(++at, Dump(row.warnings));
  to.Bind(++at, Dump(cri::ToGoJson(row.config)));
  to.Bind(++at, static_cast<int64_t>(row.pause_start));
}

Result<SandboxRow> ReadSandbox(const Statement& from) {
  SandboxRow row;
  row.id = from.Text(0);
  ASSIGN_OR_RETURN(row.step, StepFromName<SandboxStep>(kSandboxSteps, from.Text(5), row.id));
  row.created_at = from.Number(6);
  row.pid = from.Number(7);
  row.runtime_handler = from.Text(8);
  row.image_id = from.Text(9);
  row.netns_path = from.Text(10);
  ASSIGN_OR_RETURN(row.ips, StringList(from.Text(11), row.id));
  row.network_result = from.Text(12);
  row.cgroup_parent = from.Text(13);
  row.seccomp = from.Text(14);
  ASSIGN_OR_RETURN(row.warnings, StringList(from.Text(15), row.id));
  ASSIGN_OR_RETURN(row.config, MessageFromText<cri::PodSandboxConfig>(from.Text(16), row.id));
  row.pause_start = static_cast<uint64_t>(from.Number(17));
  return row;
}

void BindRow(Statement& to, const ContainerRow& row) {
  const auto& metadata = MetadataOf(row.config);
  int at = 0;
  to.Bind(++at, row.id);
  to.Bind(++at, row.sandbox_id);
  to.Bind(++at, metadata.name);
  to.Bind(++at, int64_t{metadata.attempt});
  to.Bind(++at, kContainerSteps[static_cast<size_t>(row.step)]);
  to.Bind(++at, row.created_at);
  to.Bind(++at, row.started_at);
  to.Bind(++at, row.finished_at);
  to.Bind(++at, int64_t{row.exit_code});
  to.Bind(++at, row.reason);
  to.Bind(++at, row.message);
  to.Bind(++at, row.pid);
  to.Bind(++at, row.image_id);
  to.Bind(++at, row.image_ref);
  to.Bind(++at, row.log_path);
  to.Bind(++at, row.stop_signal);
  to.Bind(++at, Dump(cri::ToGoJson(row.user)));
  to.Bind(++at, row.seccomp);
  to.Bind(++at, Dump(row.warnings));
  to.Bind(++at, Dump(cri::ToGoJson(row.config)));
}

Result<ContainerRow> ReadContainer(const Statement& from) {
  ContainerRow row;
  row.id = from.Text(0);
  row.sandbox_id = from.Text(1);
  ASSIGN_OR_RETURN(row.step, StepFromName<ContainerStep>(kContainerSteps, from.Text(4), row.id));
  row.created_at = from.Number(5);
  row.started_at = from.Number(6);
  row.finished_at = from.Number(7);
  row.exit_code = static_cast<int32_t>(from.Number(8));
  row.reason = from.Text(9);
  row.message = from.Text(10);
  row.pid = from.Number(11);
  row.image_id = from.Text(12);
  row.image_ref = from.Text(13);
  row.log_path = from.Text(14);
  row.stop_signal = from.Text(15);
  ASSIGN_OR_RETURN(row.user, MessageFromText<cri::LinuxContainerUser>(from.Text(16), row.id));
  row.seccomp = from.Text(17);
  ASSIGN_OR_RETURN(row.warnings, StringList(from.Text(18), row.id));
  ASSIGN_OR_RETURN(row.config, MessageFromText<cri::ContainerConfig>(from.Text(19), row.id));
  return row;
}

// Runs "SELECT id ..." with up to four values and gives the first id, or "".
template <class... Values>
Result<std::string> FindId(Database& db, std::string_view sql, const Values&... values) {
  ASSIGN_OR_RETURN(Statement find, db.Prepare(sql));
  int at = 0;
  (find.Bind(++at, values), ...);
  ASSIGN_OR_RETURN(const bool found, find.Next());
  return found ? find.Text(0) : std::string();
}

}  // namespace

Result<std::unique_ptr<Store>> Store::Open(const std::string& path) {
  ASSIGN_OR_RETURN(Database db, Database::Open(path));
  TRY(db.Migrate(kSchema));
  return std::unique_ptr<Store>(new Store(std::move(db)));
}

Result<void> Store::Add(const SandboxRow& row) {
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(Statement insert, db_.Prepare(InsertSql("sandboxes", kSandboxColumns)));
  BindRow(insert, row);
  Result<void> added = insert.Run();
  if (added || added.error().code != Code::kAlreadyExists) return added;
  const auto& metadata = MetadataOf(row.config);
  ASSIGN_OR_RETURN(const std::string holder,
                   FindId(db_, "SELECT id FROM sandboxes WHERE name=? AND namespace=? AND uid=? AND attempt=?",
                          metadata.name, metadata.namespace_, metadata.uid, int64_t{metadata.attempt}));
  return Fail(Code::kAlreadyExists, "sandbox name \"{}_{}_{}_{}\" is reserved for \"{}\"", metadata.name,
              metadata.namespace_, metadata.uid, metadata.attempt, holder.empty() ? row.id : holder);
}

Result<void> Store::Add(const ContainerRow& row) {
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(Statement insert, db_.Prepare(InsertSql("containers", kContainerColumns)));
  BindRow(insert, row);
  Result<void> added = insert.Run();
  if (added || added.error().code != Code::kAlreadyExists) return added;
  const auto& metadata = MetadataOf(row.config);
  ASSIGN_OR_RETURN(const std::string holder,
                   FindId(db_, "SELECT id FROM containers WHERE sandbox_id=? AND name=? AND attempt=?", row.sandbox_id,
                          metadata.name, int64_t{metadata.attempt}));
  return Fail(Code::kAlreadyExists, "container name \"{}_{}\" of sandbox {} is reserved for \"{}\"", metadata.name,
              metadata.attempt, row.sandbox_id, holder.empty() ? row.id : holder);
}

Result<void> Store::Update(const SandboxRow& row) {
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(Statement update, db_.Prepare(UpdateSql("sandboxes", kSandboxColumns)));
  BindRow(update, row);
  ASSIGN_OR_RETURN(const bool found, update.Next());
  if (!found) return Fail(Code::kNotFound, "state database: no sandbox {}", row.id);
  return update.Run();
}

Result<void> Store::Update(const ContainerRow& row) {
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(Statement update, db_.Prepare(UpdateSql("containers", kContainerColumns)));
  BindRow(update, row);
  ASSIGN_OR_RETURN(const bool found, update.Next());
  if (!found) return Fail(Code::kNotFound, "state database: no container {}", row.id);
  return update.Run();
}

Result<void> Store::RemoveSandbox(const std::string& id) {
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(const std::string container, FindId(db_, "SELECT id FROM containers WHERE sandbox_id=?", id));
  if (!container.empty()) {
    return Fail(Code::kFailedPrecondition, "state database: sandbox {} still has container {}", id, container);
  }
  ASSIGN_OR_RETURN(Statement remove, db_.Prepare("DELETE FROM sandboxes WHERE id=?"));
  remove.Bind(1, id);
  return remove.Run();
}

Result<void> Store::RemoveContainer(const std::string& id) {
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(Statement remove, db_.Prepare("DELETE FROM containers WHERE id=?"));
  remove.Bind(1, id);
  return remove.Run();
}

Result<std::vector<SandboxRow>> Store::Sandboxes() {
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(Statement select, db_.Prepare(SelectSql("sandboxes", kSandboxColumns)));
  std::vector<SandboxRow> rows;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, select.Next());
    if (!more) return rows;
    ASSIGN_OR_RETURN(SandboxRow row, ReadSandbox(select));
    rows.push_back(std::move(row));
  }
}

Result<std::vector<ContainerRow>> Store::Containers() {
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(Statement select, db_.Prepare(SelectSql("containers", kContainerColumns)));
  std::vector<ContainerRow> rows;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, select.Next());
    if (!more) return rows;
    ASSIGN_OR_RETURN(ContainerRow row, ReadContainer(select));
    rows.push_back(std::move(row));
  }
}

Result<void> Store::AddCgroup(const std::string& path) {
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(Statement insert, db_.Prepare("INSERT OR IGNORE INTO cgroups(path) VALUES(?)"));
  insert.Bind(1, path);
  return insert.Run();
}

Result<void> Store::RemoveCgroup(const std::string& path) {
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(Statement remove, db_.Prepare("DELETE FROM cgroups WHERE path=?"));
  remove.Bind(1, path);
  return remove.Run();
}

Result<std::vector<std::string>> Store::Cgroups() {
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(Statement select, db_.Prepare("SELECT path FROM cgroups ORDER BY path"));
  std::vector<std::string> paths;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, select.Next());
    if (!more) return paths;
    paths.push_back(select.Text(0));
  }
}

Result<std::optional<std::string>> Store::Setting(const std::string& key) {
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(Statement select, db_.Prepare("SELECT value FROM settings WHERE key=?"));
  select.Bind(1, key);
  ASSIGN_OR_RETURN(const bool found, select.Next());
  if (!found) return std::optional<std::string>();
  return std::optional<std::string>(select.Text(0));
}

Result<void> Store::SetSetting(const std::string& key, const std::string& value) {
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(Statement set,
                   db_.Prepare("INSERT INTO settings(key,value) VALUES(?,?) ON CONFLICT(key) DO UPDATE SET value=?2"));
  set.Bind(1, key);
  set.Bind(2, value);
  return set.Run();
}

}  // namespace portcullis::runtime
