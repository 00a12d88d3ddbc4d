#include "insight/live/process_owners.h"

namespace portcullis::insight {

ProcessOwners::Entry& ProcessOwners::Fresh(uint32_t pid) {
  Entry& entry = entries_[pid];
  entry = {.generation = ++generations_};
  return entry;
}

void ProcessOwners::SetCgroup(uint32_t pid, std::string_view text) {
  const auto found = entries_.find(pid);
  if (found == entries_.end() && entries_.size() >= kMaxProcesses) return;
  Entry& entry = found == entries_.end() ? Fresh(pid) : found->second;
  entry.own = OwnerOfCgroupFile(text);
}

void ProcessOwners::Forked(uint32_t parent, uint32_t child) {
  if (entries_.size() >= kMaxProcesses) return;
  // The owner at this moment: the parent may move to another cgroup later.
  const auto owner = OwnerOf(parent);
  Entry& entry = Fresh(child);
  entry.own = owner;
}

void ProcessOwners::MissedExec(uint32_t pid) {
  const auto found = entries_.find(pid);
  if (found == entries_.end() || !found->second.own) return;
  ProcessOwner& owner = *found->second.own;
  if (!owner) {
    found->second.own.reset();
  } else {
    owner->is_monitor = false;
  }
}

void ProcessOwners::Exited(uint32_t pid) {
  const auto found = entries_.find(pid);
  if (found == entries_.end() || found->second.ended) return;
  found->second.ended = true;
  ended_.emplace_back(pid, found->second.generation);
  while (ended_.size() > kMaxEnded) {
    const auto [oldest, generation] = ended_.front();
    ended_.pop_front();
    const auto entry = entries_.find(oldest);
    if (entry != entries_.end() && entry->second.generation == generation) entries_.erase(entry);
  }
}

void ProcessOwners::Forget() {
  entries_.clear();
  ended_.clear();
}

std::optional<ProcessOwner> ProcessOwners::OwnerOf(uint32_t pid) const {
  const auto found = entries_.find(pid);
  if (found == entries_.end()) return std::nullopt;
  return found->second.own;
}

}  // namespace portcullis::insight
