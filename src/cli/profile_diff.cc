// portcullis profile diff.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "base/try.h"
#include "cli/profile_verbs.h"
#include "engine/bpf/program.h"
#include "engine/filter/prove.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis::cli {
namespace {

// One line of the answer: calls that changed alike.
struct Change {
  std::string arch;
  std::vector<std::string> calls;  // names; or one word for numbers without a name
  const filter::Difference* difference = nullptr;
};

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

Result<filter::Behaviour> BehaviourOf(const std::string& word, const ResolveWords& words, bool as_written) {
  ASSIGN_OR_RETURN(const Operand operand, ReadOperand(word));
  ASSIGN_OR_RETURN(const seccomp::ResolveContext context, ToContext(words, operand));
  ASSIGN_OR_RETURN(const seccomp::ResolvedProfile profile, ResolveOperand(operand, words));
  return filter::Describe(profile,
                          {.native = context.host,
                           .newer = as_written ? filter::NewerSyscalls::kAsWritten : filter::NewerSyscalls::kEnosys});
}

std::string ExampleText(const std::array<uint64_t, 6>& args) {
  return fmt::format("for some arguments, such as {:#x} {:#x} {:#x} {:#x} {:#x} {:#x}", args[0], args[1], args[2],
                     args[3], args[4], args[5]);
}

void PrintText(const std::vector<Change>& changes) {
  for (const Change& change : changes) {
    const filter::Difference& difference = *change.difference;
    std::printf("%-20s %s: %s -> %s%s\n", change.arch.c_str(), base::Join(change.calls, ", ").c_str(),
                bpf::ReturnText(difference.from_first).c_str(), bpf::ReturnText(difference.from_second).c_str(),
                difference.for_some_arguments ? (" " + ExampleText(difference.args)).c_str() : "");
  }
  std::printf("%zu difference%s\n", changes.size(), changes.size() == 1 ? "" : "s");
}

void PrintJson(const std::vector<Change>& changes) {
  nlohmann::json list = nlohmann::json::array();
  for (const Change& change : changes) {
    const filter::Difference& difference = *change.difference;
    nlohmann::json item = {{"architecture", change.arch},
                           {"calls", change.calls},
                           {"first", difference.first},
                           {"last", difference.last},
                           {"before", bpf::ReturnText(difference.from_first)},
                           {"after", bpf::ReturnText(difference.from_second)}};
    if (difference.for_some_arguments) item["forSomeArguments"] = difference.args;
    list.push_back(std::move(item));
  }
  std::puts(list.dump(2).c_str());
}

}  // namespace

int ProfileDiffMain(const std::vector<std::string>& args) {
  std::vector<std::string> operands;
  ResolveWords words;
  bool as_json = false;
  bool as_written = false;
  CommandLine line("portcullis profile diff",
                   "Tells which calls two profiles answer differently. Exit code 0: none, 1: some, 2: error.");
  AddResolveFlags(line, &words);
  line.Bool("--json", &as_json, "print JSON");
  line.Bool("--as-written", &as_written,
            "calls newer than a profile get its default action (else ENOSYS, as under runc)");
  line.Positional("profiles", &operands, "two files, library names, or one and -", true);
  if (const auto exit_code = line.Parse(args)) return *exit_code == 0 ? 0 : kProfileError;
  if (operands.size() != 2) {
    return ReportProfileError({.code = Code::kInvalidArgument, .message = "want two profiles to compare"});
  }
  const auto before = BehaviourOf(operands[0], words, as_written);
  if (!before) return ReportProfileError(before.error());
  const auto after = BehaviourOf(operands[1], words, as_written);
  if (!after) return ReportProfileError(after.error());
  const auto differences = filter::Differences(*before, *after);
  if (!differences) return ReportProfileError(differences.error());
  std::vector<Change> changes;
  for (const filter::Difference& difference : *differences) {
    changes.push_back({ArchName(difference.audit_arch, difference.first), CallsOf(difference), &difference});
  }
  as_json ? PrintJson(changes) : PrintText(changes);
  return changes.empty() ? 0 : 1;
}

}  // namespace portcullis::cli
