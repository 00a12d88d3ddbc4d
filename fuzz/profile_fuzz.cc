// Profiles from anyone: parsing, writing, resolving, checking, linting and evaluating must not crash, and must agree
// with themselves.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "engine/seccomp/capabilities.h"
#include "engine/seccomp/check.h"
#include "engine/seccomp/evaluate.h"
#include "engine/seccomp/profile_json.h"
#include "engine/seccomp/resolve.h"
#include "require.h"

namespace {

using namespace portcullis::seccomp;

void Exercise(const Profile& profile) {
  const auto again = ProfileFromJson(ToJson(profile), "again");
  Require(again.has_value());
  Require(*again == profile);
  (void)LintPortability(profile, "fuzz");
  const bool usable = CheckUsable(profile, "fuzz").has_value();
  for (const Flavour flavour :
       {Flavour::kPortcullis, Flavour::kContainerd, Flavour::kCriO, Flavour::kDocker, Flavour::kOciOnly}) {
    const auto resolved = Resolve(profile, {.bounding = DockerDefaultCapabilities(),
                                            .host = Arch::kX86_64,
                                            .kernel = KernelVersion{6, 1},
                                            .flavour = flavour});
    Require(resolved.has_value() || !usable);
    if (!resolved) continue;
    const auto copy = FromJson(ToJson(*resolved), "copy");
    Require(copy.has_value());
    Require(*copy == *resolved);
    (void)LintForLibseccomp(*resolved, "fuzz");
    for (const uint32_t number : {0u, 41u, 56u, 0x40000001u}) {
      const Decision decision = Evaluate(*resolved, Arch::kX86_64, number, {16, 1, 9}, Arch::kX86_64);
      Require(!decision.rule || *decision.rule < resolved->syscalls.size());
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const ParseMode mode : {ParseMode::kStrict, ParseMode::kLenient}) {
    if (const auto profile = ParseProfile(text, "fuzz", mode)) Exercise(*profile);
  }
  return 0;
}
