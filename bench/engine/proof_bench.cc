// Proves the compiled filter of every default profile of the library equal to the profile, over the whole input space:
// every content x sets of capabilities x every host architecture with a table. Exit code 1: a filter is not equal.
#include <chrono>
#include <cstdio>
#include <set>

#include "engine/filter/compile.h"
#include "engine/filter/prove.h"
#include "engine/seccomp/capabilities.h"
#include "engine/seccomp/library.h"
#include "engine/seccomp/resolve.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis {
namespace {

std::vector<std::vector<std::string>> CapabilitySets(const seccomp::Profile& profile) {
  const std::vector<std::string> usual = seccomp::DockerDefaultCapabilities();
  std::set<std::string> all(usual.begin(), usual.end());
  for (const seccomp::Rule& rule : profile.syscalls) {
    all.insert(rule.includes.caps.begin(), rule.includes.caps.end());
    all.insert(rule.excludes.caps.begin(), rule.excludes.caps.end());
  }
  std::vector<std::vector<std::string>> sets{{}, usual, usual, usual, {all.begin(), all.end()}};
  sets[2].emplace_back("CAP_SYS_ADMIN");
  sets[3].emplace_back("CAP_NET_ADMIN");
  sets[3].emplace_back("CAP_BPF");
  return sets;
}

struct Totals {
  size_t proven = 0;
  size_t failed = 0;
  size_t classes = 0;
  size_t longest = 0;  // instructions
};

void ProveOne(const seccomp::DefaultProfile& found, const std::vector<std::string>& capabilities, syscalls::Arch host,
              Totals& totals) {
  const std::string name = fmt::format("{}@{} on {} with {} capabilities", found.runtime, found.release,
                                       syscalls::InfoOf(host).scmp_name, capabilities.size());
  const auto fail = [&](const std::string& why) {
    std::printf("%s: %s\n", name.c_str(), why.c_str());
    ++totals.failed;
  };
  const auto resolved = seccomp::Resolve(
      found.profile,
      {.bounding = capabilities, .host = host, .kernel = seccomp::KernelVersion{6, 18}, .flavour = found.flavour});
  if (!resolved) return fail(resolved.error().message);
  const filter::Options options{.native = host};
  const auto filter = filter::Compile(*resolved, options);
  if (!filter) return fail(filter.error().message);
  const auto verdict = filter::Prove(filter->program, filter::Describe(*resolved, options));
  if (!verdict) return fail(verdict.error().message);
  if (!verdict->equal) return fail("not equal");
  ++totals.proven;
  totals.classes += verdict->classes;
  totals.longest = std::max(totals.longest, filter->program.size());
}

int Main() {
  const auto start = std::chrono::steady_clock::now();
  Totals totals;
  size_t contents = 0;
  for (const std::string& runtime : seccomp::LibraryRuntimes()) {
    std::set<std::string> labels;
    for (const auto& release : seccomp::ReleasesOf(runtime)) labels.insert(release.content);
    for (const std::string& label : labels) {
      const auto found = seccomp::FindDefaultProfile(runtime + "@" + label);
      if (!found) {
        std::printf("%s\n", found.error().message.c_str());
        return 1;
      }
      ++contents;
      for (const auto& capabilities : CapabilitySets(found->profile)) {
        for (const auto& info : syscalls::AllArchs()) {
          if (syscalls::HasTable(info.arch)) ProveOne(*found, capabilities, info.arch, totals);
        }
      }
    }
    const std::chrono::duration<double> so_far = std::chrono::steady_clock::now() - start;
    std::printf("%-18s %3zu contents, %zu filters so far, %.1f s\n", runtime.c_str(), labels.size(), totals.proven,
                so_far.count());
    std::fflush(stdout);
  }
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  std::printf(
      "%zu contents: %zu filters proven equal, %zu not; %zu classes of calls compared, longest filter %zu "
      "instructions, %.1f s (%.2f ms a filter: resolve, compile and prove)\n",
      contents, totals.proven, totals.failed, totals.classes, totals.longest, spent.count(),
      1000 * spent.count() / static_cast<double>(totals.proven + totals.failed));
  return totals.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace portcullis

int main() { return portcullis::Main(); }
