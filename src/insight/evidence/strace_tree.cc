#include "insight/evidence/strace_tree.h"

#include <utility>

#include "insight/evidence/strace_mode.h"

namespace portcullis::insight {

bool MakesProcess(std::string_view call) {
  return call == "clone" || call == "clone3" || call == "fork" || call == "vfork";
}

void StraceTree::BeginTrace() {
  processes_.clear();
  expected_.clear();
  attached_.clear();
  orphans_.clear();
  orphans_without_ = 0;
}

void StraceTree::BeginFile(uint32_t pid) {
  file_pid_ = pid;
  last_pid_ = pid;
  if (pid != 0) attached_.insert(pid);
}

void StraceTree::Attached(uint32_t pid) {
  if (attached_.size() < kMaxProcesses) attached_.insert(pid);
}

void StraceTree::Inherit(StraceProcess& process, const Heritage& heritage) {
  process.executable = heritage.executable;
  process.arch = heritage.arch;
  process.arch_known = heritage.arch_known;
}

StraceTree::Heritage StraceTree::HeritageOf(const StraceProcess& parent) {
  return {parent.executable, parent.arch, parent.arch_known};
}

// Lines without a pid are of the one process that is left, or of the file's own.
uint32_t StraceTree::PidOf(const StraceLine& line) {
  if (line.pid != 0) {
    if (!processes_.contains(line.pid) && processes_.contains(0) && !attached_.contains(line.pid) &&
        !expected_.contains(line.pid)) {
      // So far it was alone, and its lines had no pid.
      auto moved = processes_.extract(0);
      moved.key() = line.pid;
      processes_.insert(std::move(moved));
    }
    return line.pid;
  }
  if (file_pid_ != 0 || processes_.empty()) return file_pid_;
  if (processes_.size() == 1) return processes_.begin()->first;
  if (line.kind == StraceKind::kResumed) {
    for (const auto& [pid, process] : processes_) {
      if (process.pending && process.pending->name == line.name) return pid;
    }
  }
  return last_pid_;
}

const StraceProcess* StraceTree::LikelyParent() const {
  const StraceProcess* parent = nullptr;
  for (const auto& [pid, process] : processes_) {
    if (!process.pending || !MakesProcess(process.pending->name)) continue;
    if (parent != nullptr && parent->executable != process.executable) return nullptr;
    parent = &process;
  }
  return parent;
}

StraceProcess& StraceTree::ProcessOf(const StraceLine& line, bool is_first) {
  const uint32_t pid = PidOf(line);
  last_pid_ = pid;
  if (const auto found = processes_.find(pid); found != processes_.end()) return found->second;
  if (processes_.size() >= kMaxProcesses) {
    ++too_many_;
    return processes_.begin()->second;
  }
  StraceProcess process{.arch = native_, .arch_known = NarrowArchOf(native_) == native_};
  if (const auto heritage = expected_.find(pid); heritage != expected_.end()) {
    Inherit(process, heritage->second);
    expected_.erase(heritage);
  } else if (!is_first || !processes_.empty()) {
    // Its parent's clone has not returned yet, or not here (another pid namespace).
    ++orphans_without_;
    if (const StraceProcess* parent = LikelyParent()) Inherit(process, HeritageOf(*parent));
    orphans_.insert(pid);
  }
  return processes_.emplace(pid, std::move(process)).first->second;
}

StraceProcess* StraceTree::Last() {
  const auto found = processes_.find(last_pid_);
  return found == processes_.end() ? nullptr : &found->second;
}

void StraceTree::RemoveLast() { processes_.erase(last_pid_); }

void StraceTree::Made(const StraceProcess& parent, uint32_t child) {
  const bool was_orphan = orphans_.erase(child) > 0;
  if (was_orphan) --orphans_without_;
  if (const auto born = processes_.find(child); born != processes_.end()) {
    if (born->second.executable.empty()) born->second.executable = parent.executable;
  } else if (!was_orphan && expected_.size() < kMaxProcesses) {  // else it has ended already
    expected_[child] = HeritageOf(parent);
  }
}

uint64_t StraceTree::NotFollowed() const {
  return expected_.size() > orphans_without_ ? expected_.size() - orphans_without_ : 0;
}

}  // namespace portcullis::insight
