#include "insight/evidence/strace_gaps.h"

#include <utility>

namespace portcullis::insight {

void StraceGaps::AddUnknown(std::string_view name, uint64_t calls) {
  unknown += calls;
  if (an_unknown.empty()) an_unknown = name.substr(0, 64);
}

void StraceGaps::Tell(Completeness& completeness) const {
  const auto lose = [&completeness](uint64_t count, std::string why) {
    if (count > 0) completeness.losses.push_back({"strace", count, std::move(why)});
  };
  lose(damaged, "lines that are cut off, or broken by other output (strace -o keeps them apart)");
  lose(headless, "results of calls whose beginning is missing");
  lose(unknown, fmt::format("calls that are not known here, such as {}", an_unknown));
  lose(unread, fmt::format("arguments that default profiles test could not be read, such as {}", an_unread));
  lose(not_followed, "child processes that were not followed (strace -f), or whose file is missing");
  lose(ambiguous,
       "32-bit calls that strace shows alike whether made directly or through socketcall or ipc (strace -n tells)");
  lose(killed_unknown, "processes that a filter killed in a call that the trace does not show");
  lose(too_many, "lines of more processes than Linux can have");
  auto& unseen = completeness.unseen;
  unseen.insert("calls that strace was told not to show (-e, -P, -z, -Z)");
  if (saw_ambiguous_errno) unseen.insert("whether EPERM and ENOSYS are a filter's answer or the kernel's own");
  if (saw_summary) unseen.insert({"arguments", "executables", "the errno of a call that failed"});
  if (!an_unread_other.empty()) unseen.insert("arguments with names not known here, such as " + an_unread_other);
  if (undecided_programs > 0) {
    unseen.insert("whether programs that made few calls ran in 32 bit mode (strace -n tells)");
  }
  if (running > 0) unseen.insert("what processes did after strace ended");
}

}  // namespace portcullis::insight
