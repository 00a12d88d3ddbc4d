// portcullis profile: look at, check, compile and compare seccomp profiles. Needs no node.
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string_view>

#include "cli/profile_verbs.h"
#include "cli/verbs.h"

namespace portcullis::cli {
namespace {

constexpr std::string_view kUsage = R"(portcullis profile: seccomp profiles, without a node

usage: portcullis profile VERB [flags] PROFILE

  list [RUNTIME]          the default profiles of containerd, CRI-O, Docker and containers-common, by release
  show PROFILE            the profile as its author wrote it
  resolve PROFILE         as an OCI runtime gets it, for given capabilities, architecture and kernel
  compile PROFILE         as the kernel gets it: --format stats|disassembly|c|raw|base64
  eval PROFILE CALL...    what one call gets, and which rule decides: eval containerd socket AF_ALG
  prove PROFILE           that the compiled filter answers every possible call as written
  diff PROFILE PROFILE    which calls two profiles answer differently, and for which arguments
  subset PROFILE PROFILE  whether the first permits nothing that the second does not, or where it does
  merge PROFILE...        the profile that permits what any of them permits
  intersect PROFILE PROFILE   the profile that permits what both permit
  subtract PROFILE PROFILE    what the first permits and the second does not
  minimise PROFILE        an equal profile without what never decides
  log-twin PROFILE        the profile that only logs what this one denies, for a trial run
  delta FILE              the complete profile of a delta: base, allow, deny
  from-evidence TRACE...  the profile that recorded calls need: a delta, or complete; --minimal
  inspect --pid N         the filters of a running process, and which profile they are
  lint PROFILE            what will surprise: --format text|json|sarif

PROFILE is a file, - (standard input), or a release of the library: containerd, containerd@1.7.13, cri-o@1.34.
Exit codes: 0 good, 1 a finding or a difference, 2 an error.
portcullis profile VERB --help tells the flags of a verb.
)";

struct Verb {
  std::string_view name;
  int (*main)(const std::vector<std::string>&);
};

constexpr Verb kVerbs[] = {
    {"list", ProfileListMain},
    {"show", ProfileShowMain},
    {"resolve", ProfileResolveMain},
    {"eval", ProfileEvalMain},
    {"prove", ProfileProveMain},
    {"compile", ProfileCompileMain},
    {"diff", ProfileDiffMain},
    {"lint", ProfileLintMain},
    {"subset", ProfileSubsetMain},
    {"merge", ProfileMergeMain},
    {"intersect", ProfileIntersectMain},
    {"subtract", ProfileSubtractMain},
    {"minimise", ProfileMinimiseMain},
    {"log-twin", ProfileLogTwinMain},
    {"delta", ProfileDeltaMain},
    {"inspect", ProfileInspectMain},
    {"from-evidence", ProfileFromEvidenceMain},
};

}  // namespace

int ReportProfileError(const Error& error) {
  std::fprintf(stderr, "portcullis profile: %s\n", error.message.c_str());
  return kProfileError;
}

void PrintJson(const nlohmann::json& json) {
  std::puts(json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

void AddResolveFlags(CommandLine& line, ResolveWords* words) {
  line.Text("--caps", &words->capabilities, "capabilities of the container: default, none, all, or a list");
  line.Text("--arch", &words->arch, "architecture of the host (amd64, arm64, ...); this machine's unless given");
  line.Text("--kernel", &words->kernel, "kernel of the host (6.18); the running one unless given");
  line.Text("--flavour", &words->flavour,
            "whose rules: portcullis, containerd, cri-o, docker, oci; those of the library's runtime unless given");
}

void AddAsWrittenFlag(CommandLine& line, bool* as_written) {
  line.Bool("--as-written", as_written,
            "calls newer than a profile get its default action (else ENOSYS, as under runc)");
}

filter::NewerSyscalls NewerOf(bool as_written) {
  return as_written ? filter::NewerSyscalls::kAsWritten : filter::NewerSyscalls::kEnosys;
}

Result<Operand> ReadOnlyOperand(const std::vector<std::string>& operands) {
  if (operands.size() != 1) {
    return Fail(Code::kInvalidArgument, "want one profile: a file, - or a name such as containerd@1.7.13");
  }
  return ReadOperand(operands[0]);
}

int ProfileMain(const std::vector<std::string>& args) {
  const std::string_view name = args.empty() ? "" : std::string_view(args[0]);
  if (name == "help" || name == "--help" || name == "-h") {
    std::fputs(kUsage.data(), stdout);
    return 0;
  }
  for (const Verb& verb : kVerbs) {
    if (verb.name == name) return verb.main({args.begin() + 1, args.end()});
  }
  if (!args.empty()) std::fprintf(stderr, "portcullis profile: unknown verb \"%s\"\n", args[0].c_str());
  std::fputs(kUsage.data(), stderr);
  return kProfileError;
}

}  // namespace portcullis::cli
