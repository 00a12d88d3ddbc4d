// portcullis profile list, show, resolve.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/profile_verbs.h"
#include "engine/seccomp/library.h"

namespace portcullis::cli {
namespace {

int Print(const nlohmann::json& json) {
  PrintJson(json);
  return 0;
}

int ListRuntime(const std::string& runtime) {
  const auto releases = seccomp::ReleasesOf(runtime);
  if (releases.empty()) {
    const auto found = seccomp::FindDefaultProfile(runtime);  // for its error
    return found ? 0 : ReportProfileError(found.error());
  }
  for (const seccomp::LibraryRelease& release : releases) {
    if (release.content == release.release) {
      std::printf("%s@%s\n", runtime.c_str(), release.release.c_str());
    } else {
      std::printf("%s@%s  same as %s\n", runtime.c_str(), release.release.c_str(), release.content.c_str());
    }
  }
  return 0;
}

}  // namespace

int ProfileListMain(const std::vector<std::string>& args) {
  std::vector<std::string> runtimes;
  CommandLine line("portcullis profile list", "Lists the default profiles of container runtimes, by release.");
  line.Positional("runtime", &runtimes, "containerd, containers-common, cri-o or docker; all unless given", false);
  if (const auto exit_code = line.Parse(args)) return *exit_code == 0 ? 0 : kProfileError;
  if (runtimes.empty()) runtimes = seccomp::LibraryRuntimes();
  for (const std::string& runtime : runtimes) {
    if (const int exit_code = ListRuntime(runtime); exit_code != 0) return exit_code;
  }
  return 0;
}

int ProfileShowMain(const std::vector<std::string>& args) {
  std::vector<std::string> operands;
  CommandLine line("portcullis profile show", "Prints a profile as its author wrote it, in canonical JSON.");
  line.Positional("profile", &operands, "file, - or library name", true);
  if (const auto exit_code = line.Parse(args)) return *exit_code == 0 ? 0 : kProfileError;
  const auto operand = ReadOnlyOperand(operands);
  return operand ? Print(seccomp::ToJson(operand->profile)) : ReportProfileError(operand.error());
}

int ProfileResolveMain(const std::vector<std::string>& args) {
  std::vector<std::string> operands;
  ResolveWords words;
  CommandLine line("portcullis profile resolve",
                   "Prints the profile that an OCI runtime gets for one container (linux.seccomp).");
  AddResolveFlags(line, &words);
  line.Positional("profile", &operands, "file, - or library name", true);
  if (const auto exit_code = line.Parse(args)) return *exit_code == 0 ? 0 : kProfileError;
  const auto operand = ReadOnlyOperand(operands);
  if (!operand) return ReportProfileError(operand.error());
  const auto resolved = ResolveOperand(*operand, words);
  return resolved ? Print(seccomp::ToJson(*resolved)) : ReportProfileError(resolved.error());
}

}  // namespace portcullis::cli
