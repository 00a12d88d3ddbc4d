#include "runtime/service/compiled_filters.h"

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

}  // namespace

Result<std::string> CompiledFilters::Get(const seccomp::ResolvedProfile& profile) {
  if (std::ranges::any_of(profile.syscalls, [](const auto& r) { return r.action == seccomp::Action::kNotify; })) {
    return Fail(Code::kFailedPrecondition, "the profile asks a listener");
  }
  const std::string key = KeyOf(profile);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const auto ready = ready_.find(key); ready != ready_.end()) return ready->second;

  const filter::Behaviour behaviour = filter::Describe(profile);
  const std::string path = folder_ + "/" + key;
  if (const auto stored = base::ReadFile(path, bpf::kMaxInstructions * sizeof(bpf::Insn)); stored) {
    auto program = bpf::FromBytes(*stored, path);
    const auto proven = program ? CheckProven(*program, behaviour) : Result<void>(Failure(program.error()));
    if (proven) return ready_[key] = base::ToBase64(*stored);
    base::LogWarning("a stored filter is not used, it is made anew", {{"file", path}, {"err", proven.error().message}});
  }
  ASSIGN_OR_RETURN(const bpf::Program program, filter::CompileBehaviour(behaviour));
  TRY(CheckProven(program, behaviour));
  const std::string bytes = bpf::ToBytes(program);
  auto written = base::MakeDirs(folder_, 0700);
  if (written) written = base::WriteFileAtomic(path, bytes, 0600);
  if (!written) base::LogWarning("cannot store a filter", {{"file", path}, {"err", written.error().message}});
  if (ready_.size() >= kMostReady) ready_.clear();
  return ready_[key] = base::ToBase64(bytes);
}

}  // namespace portcullis::runtime
