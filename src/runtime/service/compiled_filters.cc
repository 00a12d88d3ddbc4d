#include "runtime/service/compiled_filters.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"
#include "engine/filter/compile.h"
#include "engine/filter/prove.h"

namespace portcullis::runtime {
namespace {

// To be raised with every change of the compiler that should reach hosts with a filled cache.
constexpr int kCompilerVersion = 1;

// Distinct profiles that a process keeps in memory; a node has a handful.
constexpr size_t kMostReady = 256;

std::string KeyOf(const seccomp::ResolvedProfile& profile) {
  const nlohmann::json key = {{"compiler", kCompilerVersion},
                              {"architecture", syscalls::InfoOf(syscalls::NativeArch()).scmp_name},
                              {"profile", seccomp::ToJson(profile)}};
  return base::Sha256Hex(key.dump());
}

Result<void> CheckProven(const bpf::Program& program, const filter::Behaviour& behaviour) {
  ASSIGN_OR_RETURN(const filter::Verdict verdict, filter::Prove(program, behaviour));
  if (verdict.equal) return {};
  const bpf::Data& call = verdict.counterexample->call;
  return Fail(Code::kInternal, "the filter differs from the profile: architecture {:#x}, call {}", call.arch, call.nr);
}

Result<base::UniqueFd> SealedFile(std::string_view bytes) {
  base::UniqueFd file(::memfd_create("seccomp-filter", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.valid()) return FailErrno(errno, "make a memory file for a filter");
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::write(file.get(), bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno != EINTR) return FailErrno(errno, "write a filter into its memory file");
    if (n > 0) done += static_cast<size_t>(n);
  }
  if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
    return FailErrno(errno, "seal the memory file of a filter");
  }
  return file;
}

}  // namespace

Result<std::string> CompiledFilters::Proven(const seccomp::ResolvedProfile& profile, const std::string& key) const {
  const filter::Behaviour behaviour = filter::Describe(profile);
  const std::string path = folder_ + "/" + key;
  if (auto stored = base::ReadFile(path, bpf::kMaxInstructions * sizeof(bpf::Insn)); stored) {
    auto program = bpf::FromBytes(*stored, path);
    const auto proven = program ? CheckProven(*program, behaviour) : Result<void>(Failure(program.error()));
    if (proven) return *std::move(stored);
    base::LogWarning("a stored filter is not used, it is made anew", {{"file", path}, {"err", proven.error().message}});
  }
  ASSIGN_OR_RETURN(const bpf::Program program, filter::CompileBehaviour(behaviour));
  TRY(CheckProven(program, behaviour));
  std::string bytes = bpf::ToBytes(program);
  auto written = base::MakeDirs(folder_, 0700);
  if (written) written = base::WriteFileAtomic(path, bytes, 0600);
  if (!written) base::LogWarning("cannot store a filter", {{"file", path}, {"err", written.error().message}});
  return bytes;
}

Result<CompiledFilters::Ready*> CompiledFilters::Prepare(const seccomp::ResolvedProfile& profile) {
  if (std::ranges::any_of(profile.syscalls, [](const auto& r) { return r.action == seccomp::Action::kNotify; })) {
    return Fail(Code::kFailedPrecondition, "the profile asks a listener");
  }
  const std::string key = KeyOf(profile);
  if (const auto ready = ready_.find(key); ready != ready_.end()) return &ready->second;
  ASSIGN_OR_RETURN(std::string bytes, Proven(profile, key));
  if (ready_.size() >= kMostReady) ready_.clear();
  Ready& made = ready_[key];
  made.bytes = std::move(bytes);
  return &made;
}

Result<std::string> CompiledFilters::Get(const seccomp::ResolvedProfile& profile) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ASSIGN_OR_RETURN(const Ready* ready, Prepare(profile));
  return base::ToBase64(ready->bytes);
}

Result<base::UniqueFd> CompiledFilters::File(const seccomp::ResolvedProfile& profile) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ASSIGN_OR_RETURN(Ready* const ready, Prepare(profile));
  if (!ready->file.valid()) {
    ASSIGN_OR_RETURN(ready->file, SealedFile(ready->bytes));
  }
  base::UniqueFd copy(::fcntl(ready->file.get(), F_DUPFD_CLOEXEC, 3));
  if (!copy.valid()) return FailErrno(errno, "duplicate the descriptor of a filter");
  return copy;
}

}  // namespace portcullis::runtime
