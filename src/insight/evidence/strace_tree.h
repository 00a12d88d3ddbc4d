// Whose lines are whose in a trace of several processes, and what a process has from its parent: its program, and the
// mode that the program runs in.
//
//   StraceTree tree(Arch::kX86_64);
//   StraceProcess& parent = tree.ProcessOf(line, true);
//   tree.Made(parent, 1785);                    // its clone returned 1785
//   tree.ProcessOf(line_of_1785, false);        // has parent's program
//
// Pure. Lines come in any order in which strace writes them: a child's first line may be before its parent's clone
// returns, and in another file of -ff.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/syscalls/arch.h"
#include "insight/evidence/evidence.h"
#include "insight/evidence/strace_line.h"

namespace portcullis::insight {

// A call in strace's words.
struct StraceCallText {
  std::string name;
  std::string arguments;
  std::optional<uint32_t> number;
  uint64_t address = 0;
  int64_t time = 0;
  std::string result;
  std::string location;  // of a stack trace: the first frame that is no library's
  std::string library_location;
};

// A finished call that the next line of its process may still change: SIGSYS, a stack trace.
struct StraceHeldCall {
  Call call;
  CallFacts facts;
  std::string library_location;
  std::optional<uint64_t> value;
};

struct StraceProcess {
  std::string executable;
  std::string comm;
  syscalls::Arch arch;
  bool arch_known = false;
  bool trapped = false;                   // got a filter's SIGSYS, and may die of it
  std::vector<StraceCallText> undecided;  // calls of a program whose mode is not known yet
  std::optional<StraceCallText> pending;  // without its result so far
  std::optional<StraceHeldCall> held;
};

// Of the calls that fork does.
bool MakesProcess(std::string_view call);

class StraceTree {
 public:
  // Of a hostile file: as many as Linux can have.
  static constexpr size_t kMaxProcesses = 1u << 22;

  explicit StraceTree(syscalls::Arch native) : native_(native) {}

  void BeginTrace();
  // `pid`: whose the lines without a pid are; 0: not known.
  void BeginFile(uint32_t pid);

  // `pid` is told to be another's than the first process's.
  void Attached(uint32_t pid);
  // Of the process that the line is of, made when it is new. `is_first`: there was no call in the trace before.
  StraceProcess& ProcessOf(const StraceLine& line, bool is_first);
  // The one of the last line; nullptr: it has ended, or there was no line.
  StraceProcess* Last();
  void RemoveLast();
  // A call of `parent` made `child`.
  void Made(const StraceProcess& parent, uint32_t child);

  std::map<uint32_t, StraceProcess>& processes() { return processes_; }
  // Children that have no line, of which none can be one whose parent is not known: in another pid namespace, clone
  // gives another number.
  uint64_t NotFollowed() const;
  // Lines that were taken for the first process's, there being too many.
  uint64_t too_many() const { return too_many_; }

 private:
  struct Heritage {
    std::string executable;
    syscalls::Arch arch;
    bool arch_known;
  };
  static void Inherit(StraceProcess& process, const Heritage& heritage);
  static Heritage HeritageOf(const StraceProcess& parent);

  uint32_t PidOf(const StraceLine& line);
  // The one process that may have made a new one: it is in such a call. nullptr: none, or several that differ.
  const StraceProcess* LikelyParent() const;

  syscalls::Arch native_;
  std::map<uint32_t, StraceProcess> processes_;
  std::unordered_map<uint32_t, Heritage> expected_;  // children that parents have made and that have no line yet
  std::set<uint32_t> attached_;
  std::set<uint32_t> orphans_;    // seen before their parent's clone returned
  uint64_t orphans_without_ = 0;  // of those, without a parent so far
  uint64_t too_many_ = 0;
  uint32_t file_pid_ = 0;
  uint32_t last_pid_ = 0;
};

}  // namespace portcullis::insight
