#include "runtime/service/registry.h"

#include <algorithm>

#include "base/strings.h"
#include "base/try.h"

namespace portcullis::runtime {
namespace {

// Rows by id, so all that begin with a prefix are neighbours.
template <class Row>
Result<Row> FindByPrefix(const std::map<std::string, Row>& rows, const std::string& id, std::string_view kind) {
  if (id.empty()) return Fail(Code::kInvalidArgument, "{} id must not be empty", kind);
  const auto first = rows.lower_bound(id);
  if (first == rows.end() || !first->first.starts_with(id)) {
    return Fail(Code::kNotFound, "could not find {} {}: ID not found", kind, base::Quote(id));
  }
  if (first->first == id) return first->second;
  const auto second = std::next(first);
  if (second != rows.end() && second->first.starts_with(id)) {
    return Fail(Code::kInvalidArgument, "{} id {} is ambiguous: it begins {} and {}", kind, base::Quote(id),
                first->first, second->first);
  }
  return first->second;
}

template <class Row>
std::vector<Row> OldestFirst(const std::map<std::string, Row>& rows) {
  std::vector<Row> list;
  list.reserve(rows.size());
  for (const auto& [id, row] : rows) list.push_back(row);
  std::stable_sort(list.begin(), list.end(), [](const Row& a, const Row& b) { return a.created_at < b.created_at; });
  return list;
}

}  // namespace

Result<std::unique_ptr<Registry>> Registry::Load(std::unique_ptr<Store> store) {
  ASSIGN_OR_RETURN(auto sandboxes, store->Sandboxes());
  ASSIGN_OR_RETURN(auto containers, store->Containers());
  std::unique_ptr<Registry> registry(new Registry(std::move(store)));
  for (auto& row : sandboxes) registry->sandboxes_.emplace(row.id, std::move(row));
  for (auto& row : containers) registry->containers_.emplace(row.id, std::move(row));
  return registry;
}

std::shared_ptr<std::mutex> Registry::PodMutex(const std::string& sandbox_id) {
  std::lock_guard lock(mutex_);
  std::erase_if(pod_locks_, [](const auto& entry) { return entry.second.expired(); });
  auto& entry = pod_locks_[sandbox_id];
  std::shared_ptr<std::mutex> mutex = entry.lock();
  if (!mutex) entry = mutex = std::make_shared<std::mutex>();
  return mutex;
}

PodLock Registry::LockPod(const std::string& sandbox_id) { return PodLock(PodMutex(sandbox_id)); }

std::optional<PodLock> Registry::TryLockPod(const std::string& sandbox_id) {
  PodLock lock(PodMutex(sandbox_id), std::try_to_lock);
  if (!lock.IsHeld()) return std::nullopt;
  return lock;
}

size_t Registry::LockedPods() const {
  std::lock_guard lock(mutex_);
  return static_cast<size_t>(
      std::count_if(pod_locks_.begin(), pod_locks_.end(), [](const auto& entry) { return !entry.second.expired(); }));
}

Result<void> Registry::Add(const SandboxRow& row) {
  std::lock_guard writing(write_mutex_);
  TRY(store_->Add(row));
  std::lock_guard lock(mutex_);
  sandboxes_.emplace(row.id, row);
  return {};
}

Result<void> Registry::Add(const ContainerRow& row) {
  std::lock_guard writing(write_mutex_);
  TRY(store_->Add(row));
  std::lock_guard lock(mutex_);
  containers_.emplace(row.id, row);
  return {};
}

Result<SandboxRow> Registry::Sandbox(const std::string& id) const {
  std::lock_guard lock(mutex_);
  return FindByPrefix(sandboxes_, id, "sandbox");
}

Result<ContainerRow> Registry::Container(const std::string& id) const {
  std::lock_guard lock(mutex_);
  return FindByPrefix(containers_, id, "container");
}

std::vector<SandboxRow> Registry::Sandboxes() const {
  std::lock_guard lock(mutex_);
  return OldestFirst(sandboxes_);
}

std::vector<ContainerRow> Registry::Containers() const {
  std::lock_guard lock(mutex_);
  return OldestFirst(containers_);
}

std::vector<ContainerRow> Registry::ContainersOf(const std::string& sandbox_id) const {
  std::vector<ContainerRow> rows = Containers();
  std::erase_if(rows, [&](const ContainerRow& row) { return row.sandbox_id != sandbox_id; });
  return rows;
}

template <class Row>
Result<Row> Registry::Change(std::map<std::string, Row>& rows, std::string_view kind, const std::string& id,
                             const std::function<void(Row&)>& change) {
  std::lock_guard writing(write_mutex_);
  std::unique_lock lock(mutex_);
  const auto found = rows.find(id);
  if (found == rows.end()) return Fail(Code::kNotFound, "{} {} does not exist", kind, id);
  Row row = found->second;
  lock.unlock();
  const Row before = row;
  change(row);
  if (row == before) return row;
  TRY(store_->Update(row));
  lock.lock();
  found->second = row;  // only who holds write_mutex_ removes it
  changed_.notify_all();
  return row;
}

Result<SandboxRow> Registry::ChangeSandbox(const std::string& id, const std::function<void(SandboxRow&)>& change) {
  return Change(sandboxes_, "sandbox", id, change);
}

Result<ContainerRow> Registry::ChangeContainer(const std::string& id,
                                               const std::function<void(ContainerRow&)>& change) {
  return Change(containers_, "container", id, change);
}

Result<void> Registry::RemoveSandbox(const std::string& id) {
  std::lock_guard writing(write_mutex_);
  TRY(store_->RemoveSandbox(id));
  std::lock_guard lock(mutex_);
  sandboxes_.erase(id);
  changed_.notify_all();
  return {};
}

Result<void> Registry::RemoveContainer(const std::string& id) {
  std::lock_guard writing(write_mutex_);
  TRY(store_->RemoveContainer(id));
  std::lock_guard lock(mutex_);
  containers_.erase(id);
  changed_.notify_all();
  return {};
}

bool Registry::WaitContainerStopped(const std::string& id, std::chrono::steady_clock::time_point deadline) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline, [&] {
    const auto found = containers_.find(id);
    return found == containers_.end() || found->second.step == ContainerStep::kExited;
  });
}

bool Registry::WaitSandboxStopped(const std::string& id, std::chrono::steady_clock::time_point deadline) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline, [&] {
    const auto found = sandboxes_.find(id);
    return found == sandboxes_.end() || found->second.pid == 0;
  });
}

}  // namespace portcullis::runtime
