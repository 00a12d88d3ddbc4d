// Evidence from strace's output: -f, -ff (one file a process), -c tables, with or without pids and any kind of time
// stamps, -i, -k, -n, -T, -y, -Y, -X, -e raw; to a file or mixed with the program's own output.
//
//   StraceReader reader({.arch = syscalls::Arch::kX86_64});
//   TRY(reader.Read({"trace.4711", "trace.4712"}));      // -ff -o trace: files of one trace, in any order
//   Evidence evidence = reader.Take();
//
// Files are streamed. strace cannot tell a filter's EPERM or ENOSYS from the kernel's own: both become
// CallResult::kErrno, and completeness.unseen says so; only SIGSYS is a filter's for certain. Lines that are cut off,
// children that were not followed and tested arguments that cannot be read are losses.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/syscalls/arch.h"
#include "insight/evidence/evidence.h"

namespace portcullis::insight {

struct StraceOptions {
  // What "64 bit mode" is: the architecture of the machine that strace ran on.
  syscalls::Arch arch = syscalls::NativeArch();
};

struct StraceCounts {
  uint64_t bytes = 0;  // uncompressed
  uint64_t lines = 0;
  uint64_t calls = 0;   // those of -c tables as often as the table says
  uint64_t others = 0;  // lines that are not strace's
};

class StraceReader {
 public:
  explicit StraceReader(const StraceOptions& options = {});
  ~StraceReader();

  // Files whose names differ only in the number at their end (before .gz, .zst, .xz, .bz2) are one trace of -ff; any
  // other file is a trace of its own. "-" is standard input. Fails for a file in which nothing is strace's.
  // `progress` is told the file, and the bytes read of it as stored; may be empty.
  Result<void> Read(const std::vector<std::string>& paths,
                    const std::function<void(const std::string& path, uint64_t bytes)>& progress = {});

  // The same by hand: BeginTrace, then for each file BeginFile, its text in pieces of any size, EndFile. `pid` is whose
  // the lines without a pid are; 0: not known.
  void BeginTrace();
  void BeginFile(uint32_t pid);
  void Feed(std::string_view piece);
  void EndFile();

  // What was found; call it once, at the end. Calls that had no result yet count only then.
  Evidence Take();
  StraceCounts counts() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace portcullis::insight
