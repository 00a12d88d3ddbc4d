// portcullis: one executable, one verb per job. Called through a link named `crictl`, it is crictl.
#include <malloc.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "cli/verbs.h"

namespace {

constexpr std::string_view kUsage = R"(portcullis: a Kubernetes node that is secure by default

usage: portcullis VERB [flags]

  node      run pods from manifests, with its own runtime or any CRI runtime
  runtime   serve the CRI runtime alone, for a kubelet or crictl
  crictl    ask and drive a CRI runtime (also through a link named crictl)
  status    per container: declared and effective seccomp profile, who decided, and the kernel's own word
  image     load, list and remove images without a registry
  profile   look at, check, compile and prove seccomp profiles
  evidence  what workloads were seen to call, from audit records and traces
  record    what a command or containers call, from the kernel itself
  preflight what the default profile, or a new runtime, would break
  try       run a test suite under a profile: what was denied beside what failed
  tolerate  run a program with one denied call at a time: which denials it survives
  drain     take no new pods and end those of this node
  uncordon  take pods again
  completion  the script that completes these words in bash, zsh or fish
  version   print the version

portcullis VERB --help tells the flags of a verb.
)";

constexpr int kMostHeaps = 2;

}  // namespace

int main(int argc, char** argv) {
  using namespace portcullis::cli;
  const char* slash = std::strrchr(argv[0], '/');
  const std::string_view name = slash == nullptr ? argv[0] : slash + 1;
  if (name == "crictl") return CrictlMain(argc, argv);
  if (argc < 2) {
    std::fputs(kUsage.data(), stderr);
    return 2;
  }
  const std::string_view verb = argv[1];
  const std::vector<std::string> args(argv + 2, argv + argc);
  // A heap a thread would keep what each burst of pods needed once, for ever.
  if (verb == "node" || verb == "runtime") ::mallopt(M_ARENA_MAX, kMostHeaps);
  if (verb == "node") return NodeMain(args);
  if (verb == "runtime") return RuntimeMain(args);
  if (verb == "image") return ImageMain(args);
  if (verb == "profile") return ProfileMain(args);
  if (verb == "evidence") return EvidenceMain(args);
  if (verb == "record") return RecordMain(args);
  if (verb == "preflight") return PreflightMain(args);
  if (verb == "try") return TryMain(args);
  if (verb == "tolerate") return TolerateMain(args);
  if (verb == "__under-filter") return UnderFilterVerb(args);
  if (verb == "drain") return DrainMain(args);
  if (verb == "uncordon") return UncordonMain(args);
  if (verb == "completion") return CompletionMain(args);
  if (verb == "__complete") return CompleteMain(args);
  if (verb == "crictl") return CrictlMain(argc - 1, argv + 1);
  if (verb == "status") return StatusMain(argc - 1, argv + 1);
  if (verb == "version" || verb == "--version") {
    std::puts("portcullis " PORTCULLIS_VERSION);
    return 0;
  }
  if (verb == "help" || verb == "--help" || verb == "-h") {
    std::fputs(kUsage.data(), stdout);
    return 0;
  }
  std::fprintf(stderr, "portcullis: unknown verb \"%s\"\n%s", argv[1], kUsage.data());
  return 2;
}
