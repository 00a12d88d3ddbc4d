#include "cli/profile/differences.h"

#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "engine/bpf/program.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis::cli {
namespace {

std::string ArchName(uint32_t audit_arch, uint32_t number) {
  const auto arch = syscalls::ArchFromAudit(audit_arch, number);
  return arch ? std::string(syscalls::InfoOf(*arch).scmp_name) : fmt::format("{:#x}", audit_arch);
}

// The names among the numbers of a difference; "numbers a to b" where there is none.
std::vector<std::string> CallsOf(const filter::Difference& difference) {
  std::vector<std::string> calls;
  const auto arch = syscalls::ArchFromAudit(difference.audit_arch, difference.first);
  if (arch) {
    for (const syscalls::Entry& entry : syscalls::ByNumber(*arch)) {
      if (entry.number >= difference.first && entry.number <= difference.last) calls.emplace_back(entry.name);
    }
  }
  if (calls.empty()) {
    calls.push_back(difference.first == difference.last
                        ? fmt::format("number {}", difference.first)
                        : fmt::format("numbers {} to {}", difference.first, difference.last));
  }
  return calls;
}

std::string ExampleText(const std::array<uint64_t, 6>& args) {
  return fmt::format("for some arguments, such as {:#x} {:#x} {:#x} {:#x} {:#x} {:#x}", args[0], args[1], args[2],
                     args[3], args[4], args[5]);
}

}  // namespace

std::string DifferencesToText(const std::vector<filter::Difference>& differences) {
  std::string text;
  for (const filter::Difference& difference : differences) {
    text += fmt::format("{:<20} {}: {} -> {}{}\n", ArchName(difference.audit_arch, difference.first),
                        base::Join(CallsOf(difference), ", "), bpf::ReturnText(difference.from_first),
                        bpf::ReturnText(difference.from_second),
                        difference.for_some_arguments ? " " + ExampleText(difference.args) : "");
  }
  return text;
}

nlohmann::json DifferencesToJson(const std::vector<filter::Difference>& differences) {
  nlohmann::json list = nlohmann::json::array();
  for (const filter::Difference& difference : differences) {
    nlohmann::json item = {{"architecture", ArchName(difference.audit_arch, difference.first)},
                           {"calls", CallsOf(difference)},
                           {"first", difference.first},
                           {"last", difference.last},
                           {"before", bpf::ReturnText(difference.from_first)},
                           {"after", bpf::ReturnText(difference.from_second)}};
    if (difference.for_some_arguments) item["forSomeArguments"] = difference.args;
    list.push_back(std::move(item));
  }
  return list;
}

std::string CounterexampleText(const filter::Counterexample& example) {
  const auto& [call, from_program, from_profile] = example;
  const auto arch = syscalls::ArchFromAudit(call.arch, call.nr);
  const auto name = arch ? syscalls::NameOf(*arch, call.nr) : std::nullopt;
  return fmt::format(
      "{} of {} with {:#x} {:#x} {:#x} {:#x} {:#x} {:#x}: the process gets {}, the profile says {}",
      name ? std::string(*name) : fmt::format("call {}", call.nr),
      arch ? std::string(syscalls::InfoOf(*arch).scmp_name) : fmt::format("architecture {:#x}", call.arch),
      call.args[0], call.args[1], call.args[2], call.args[3], call.args[4], call.args[5], bpf::ReturnText(from_program),
      bpf::ReturnText(from_profile));
}

}  // namespace portcullis::cli
