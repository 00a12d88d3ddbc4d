// portcullis profile inspect: the filters of a running process, and which profile they are.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "cli/profile/differences.h"
#include "cli/profile/match.h"
#include "cli/profile_verbs.h"
#include "engine/bpf/program.h"
#include "engine/filter/disassemble.h"
#include "engine/filter/prove.h"
#include "engine/seccomp/capabilities.h"
#include "engine/seccomp/library.h"
#include "engine/syscalls/syscalls.h"
#include "host/filter/filters.h"
#include "host/proc/process.h"

namespace portcullis::cli {
namespace {

// A profile that a filter may be.
struct Candidate {
  std::string name;  // "containerd@2.3.4 with the capabilities of the process"
  seccomp::ResolvedProfile profile;
};

struct CapabilitySet {
  std::string name;
  std::vector<std::string> names;
};

std::vector<CapabilitySet> CapabilitySets(pid_t pid) {
  const auto known = seccomp::CapabilityNames();
  std::vector<CapabilitySet> sets;
  if (const auto status = host::ReadStatus(pid)) {
    sets.push_back({"the capabilities of the process", seccomp::CapabilitiesOfMask(status->bounding_capabilities)});
  }
  sets.push_back({"Docker's default capabilities", seccomp::DockerDefaultCapabilities()});
  sets.push_back({"CRI-O's default capabilities", seccomp::CriODefaultCapabilities()});
  sets.push_back({"no capabilities", {}});
  sets.push_back({"all capabilities", {known.begin(), known.end()}});
  return sets;
}

Result<std::vector<Candidate>> CandidatesOf(const Operand& operand, const std::vector<CapabilitySet>& sets) {
  std::vector<Candidate> candidates;
  for (const CapabilitySet& set : sets) {
    ASSIGN_OR_RETURN(seccomp::ResolveContext context, ToContext({}, operand));
    context.bounding = set.names;
    ASSIGN_OR_RETURN(seccomp::ResolvedProfile resolved, ResolveOperand(operand, context));
    if (std::ranges::find(candidates, resolved, &Candidate::profile) != candidates.end()) continue;
    candidates.push_back({.name = operand.name + " with " + set.name, .profile = std::move(resolved)});
  }
  return candidates;
}

// Every content of the library, newest releases first.
Result<std::vector<Candidate>> LibraryCandidates(const std::vector<CapabilitySet>& sets) {
  std::vector<Candidate> candidates;
  for (const std::string& runtime : seccomp::LibraryRuntimes()) {
    auto releases = seccomp::ReleasesOf(runtime);
    std::ranges::reverse(releases);
    std::set<std::string> contents;
    for (const seccomp::LibraryRelease& release : releases) {
      if (!contents.insert(release.content).second) continue;
      ASSIGN_OR_RETURN(const Operand operand, ReadOperand(runtime + "@" + release.release));
      ASSIGN_OR_RETURN(auto more, CandidatesOf(operand, sets));
      std::ranges::move(more, std::back_inserter(candidates));
    }
  }
  return candidates;
}

// Calls of the native architecture, arguments 0, that a filter and a profile answer differently.
std::vector<filter::Difference> SampleDifferences(const bpf::Program& program,
                                                  const seccomp::ResolvedProfile& profile) {
  const filter::Behaviour behaviour = filter::Describe(profile);
  const uint32_t arch = syscalls::InfoOf(syscalls::NativeArch()).audit_arch;
  std::vector<filter::Difference> differences;
  constexpr std::array<uint64_t, 6> kZero{};
  for (const syscalls::Entry& entry : syscalls::ByNumber(syscalls::NativeArch())) {
    if (!differences.empty() && differences.back().first == entry.number) continue;
    const uint32_t got = bpf::Run(program, {.arch = arch, .nr = entry.number, .args = kZero}).value;
    const uint32_t wanted = filter::Answer(behaviour, arch, entry.number, kZero);
    if (got == wanted) continue;
    differences.push_back({.audit_arch = arch,
                           .first = entry.number,
                           .last = entry.number,
                           .for_some_arguments = false,
                           .args = {},
                           .from_first = got,
                           .from_second = wanted});
  }
  return differences;
}

// What a filter turned out to be.
struct Finding {
  std::string equal_to;               // "": none
  std::vector<std::string> left_out;  // equal but for these calls, which the filter's maker does not know
  std::string nearest;
  std::vector<filter::Difference> differences;  // to the nearest: calls, as far as arguments of 0 show them
  std::optional<filter::Counterexample> counterexample;
};

Result<Finding> Identify(const bpf::Program& program, const std::vector<Candidate>& candidates) {
  TRY(bpf::Check(program));
  Finding finding;
  std::optional<size_t> fewest;
  for (const Candidate& candidate : candidates) {
    auto differences = SampleDifferences(program, candidate.profile);
    const bool worth_a_proof = std::ranges::all_of(differences, [](const filter::Difference& difference) {
      return MayBeLeftOut(difference.audit_arch, difference.first, difference.from_first, difference.from_second);
    });
    const bool nearest = !fewest || differences.size() < *fewest;
    if (!worth_a_proof && !nearest) continue;
    ASSIGN_OR_RETURN(Match match, MatchFilter(program, candidate.profile, syscalls::NativeArch()));
    if (match.equal && (finding.equal_to.empty() || match.left_out.size() < finding.left_out.size())) {
      finding.equal_to = candidate.name;
      finding.left_out = std::move(match.left_out);
      if (finding.left_out.empty()) return finding;
    }
    if (!nearest) continue;
    fewest = differences.size();
    finding.nearest = candidate.name;
    finding.differences = std::move(differences);
    finding.counterexample = match.counterexample;
  }
  return finding;
}

void PrintText(const bpf::Program& program, size_t index, const Finding& finding) {
  std::printf("filter %zu: %zu instructions, longest path %zu\n", index, program.size(), bpf::LongestPath(program));
  if (!finding.equal_to.empty()) {
    std::printf("  equals %s (proven for every call)\n", finding.equal_to.c_str());
    if (!finding.left_out.empty()) {
      std::printf("  but for calls that the OCI runtime's libseccomp does not know: %s\n",
                  base::Join(finding.left_out, ", ").c_str());
    }
    return;
  }
  std::printf("  equals no profile that was compared; nearest: %s\n", finding.nearest.c_str());
  if (finding.counterexample) std::printf("  for example %s\n", CounterexampleText(*finding.counterexample).c_str());
  constexpr size_t kMostLines = 20;
  std::vector<filter::Difference> shown = finding.differences;
  if (shown.size() > kMostLines) shown.resize(kMostLines);
  std::fputs(DifferencesToText(shown).c_str(), stdout);
  if (finding.differences.size() > shown.size()) {
    std::printf("  and %zu more calls\n", finding.differences.size() - shown.size());
  }
}

nlohmann::json ToJson(const bpf::Program& program, const Finding& finding) {
  nlohmann::json item = {{"instructions", program.size()}, {"longestPath", bpf::LongestPath(program)}};
  if (!finding.equal_to.empty()) {
    item["equals"] = finding.equal_to;
    if (!finding.left_out.empty()) item["leftOut"] = finding.left_out;
    return item;
  }
  item["nearest"] = finding.nearest;
  item["differences"] = DifferencesToJson(finding.differences);
  if (finding.counterexample) item["example"] = CounterexampleText(*finding.counterexample);
  return item;
}

Result<pid_t> ToPid(const std::string& word) {
  int value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size() || value <= 0) {
    return Fail(Code::kInvalidArgument, "--pid: want the number of a process, not {}", base::Quote(word));
  }
  return value;
}

Result<int> Inspect(const std::string& pid_word, const std::vector<std::string>& operands, const std::string& format) {
  ASSIGN_OR_RETURN(const pid_t pid, ToPid(pid_word));
  ASSIGN_OR_RETURN(const std::vector<bpf::Program> filters, host::ReadFilters(pid));
  if (format == "raw" || format == "disassembly") {
    for (const bpf::Program& program : filters) {
      const std::string text = format == "raw" ? bpf::ToBytes(program) : filter::Disassemble(program);
      std::fwrite(text.data(), 1, text.size(), stdout);
    }
    return 0;
  }
  const std::vector<CapabilitySet> sets = CapabilitySets(pid);
  std::vector<Candidate> candidates;
  if (operands.empty()) {
    ASSIGN_OR_RETURN(candidates, LibraryCandidates(sets));
  } else {
    ASSIGN_OR_RETURN(const Operand operand, ReadOperand(operands[0]));
    ASSIGN_OR_RETURN(candidates, CandidatesOf(operand, sets));
  }
  nlohmann::json list = nlohmann::json::array();
  bool all_known = !filters.empty();
  for (size_t index = 0; index < filters.size(); ++index) {
    ASSIGN_OR_RETURN(const Finding finding, Identify(filters[index], candidates));
    all_known = all_known && !finding.equal_to.empty();
    if (format == "json") {
      list.push_back(ToJson(filters[index], finding));
    } else {
      PrintText(filters[index], index, finding);
    }
  }
  if (format == "json") {
    PrintJson(list);
  } else if (filters.empty()) {
    std::printf("process %d has no seccomp filter (unconfined)\n", pid);
  }
  return all_known ? 0 : 1;
}

}  // namespace

int ProfileInspectMain(const std::vector<std::string>& args) {
  std::vector<std::string> operands;
  std::string pid;
  std::string format = "text";
  CommandLine line("portcullis profile inspect",
                   "Reads the seccomp filters of a running process, newest first, and tells which default profile each "
                   "one is, or what differs. Exit code 0: all are known, 1: one is not, or there is none; 2: error.");
  line.Text("--pid", &pid, "the process");
  line.Text("--format", &format, "text, json, disassembly or raw (struct sock_filter[])");
  line.Positional("profile", &operands, "compare with this profile alone: a file, - or a library name", false);
  if (const auto exit_code = line.Parse(args)) return *exit_code == 0 ? 0 : kProfileError;
  if (operands.size() > 1 || pid.empty()) {
    return ReportProfileError({.code = Code::kInvalidArgument, .message = "want --pid N and at most one profile"});
  }
  if (format != "text" && format != "json" && format != "disassembly" && format != "raw") {
    return ReportProfileError({.code = Code::kInvalidArgument,
                               .message = "--format: want text, json, disassembly or raw, not " + base::Quote(format)});
  }
  const auto exit_code = Inspect(pid, operands, format);
  return exit_code ? *exit_code : ReportProfileError(exit_code.error());
}

}  // namespace portcullis::cli
