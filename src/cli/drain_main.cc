// portcullis drain: end this node's pods, as `kubectl drain` does from afar; portcullis uncordon: take pods again.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "base/clock.h"
#include "base/strings.h"
#include "base/try.h"
#include "cli/command_line.h"
#include "cli/crictl/client_config.h"
#include "cli/verbs.h"
#include "cri/grpc/client.h"
#include "node/pod/cri_config.h"
#include "node/source/cordon.h"

namespace portcullis::cli {
namespace {

constexpr int kLookEveryMillis = 200;

struct Flags {
  std::string root_dir = "/var/lib/kubelet";
  std::string endpoint = kDefaultEndpoint;
  std::string timeout = "0";
  bool dry_run = false;
};

struct Found {
  std::map<std::string, std::string> pods;    // sandbox id: "namespace/name", those that this machine's node made
  std::map<std::string, std::string> others;  // made by other clients of the runtime
};

Result<Found> FindPods(cri::RuntimeApi& runtime) {
  ASSIGN_OR_RETURN(const cri::ListPodSandboxResponse listed, runtime.ListPodSandbox({}));
  Found found;
  for (const cri::PodSandbox& sandbox : listed.items) {
    const bool ours = sandbox.annotations.contains(std::string(node::kNodeAnnotation));
    const std::string name =
        sandbox.metadata ? sandbox.metadata->namespace_ + "/" + sandbox.metadata->name : sandbox.id;
    (ours ? found.pods : found.others)[sandbox.id] = name;
  }
  return found;
}

void Say(const char* what, const std::map<std::string, std::string>& pods) {
  for (const auto& [id, name] : pods) std::printf("%s %s\n", what, name.c_str());
  std::fflush(stdout);
}

// Which of `before` are not in `now`.
std::map<std::string, std::string> Gone(const std::map<std::string, std::string>& before,
                                        const std::map<std::string, std::string>& now) {
  std::map<std::string, std::string> gone;
  std::ranges::copy_if(before, std::inserter(gone, gone.end()),
                       [&](const auto& pod) { return !now.contains(pod.first); });
  return gone;
}

Result<int> Drain(const Flags& flags) {
  const auto timeout = base::ParseGoDuration(flags.timeout);
  if (!timeout || timeout->count() < 0) {
    return Fail(Code::kInvalidArgument, "--timeout={}: expected a duration such as 5m, or 0 for no limit",
                flags.timeout);
  }
  const auto runtime = cri::Connect({.endpoint = flags.endpoint});
  const auto found = runtime ? FindPods(**runtime) : Result<Found>(Failure(runtime.error()));
  if (flags.dry_run) {
    if (!found) return Failure(found.error());
    Say("would end", found->pods);
    Say("would leave (not this node's)", found->others);
    return 0;
  }
  // Also with no runtime to ask: the next start finds the node cordoned.
  TRY(node::Cordon(flags.root_dir));
  std::printf("cordoned: this node takes no pods until `portcullis uncordon`\n");
  if (!found) return Wrap(found.error(), "the node is cordoned, but its pods cannot be seen");
  Say("ending", found->pods);
  Say("left (not this node's; `crictl rmp` ends it)", found->others);
  const auto deadline = base::Now() + *timeout;
  std::map<std::string, std::string> left = found->pods;
  while (!left.empty()) {
    if (timeout->count() > 0 && base::Now() >= deadline) {
      for (const auto& [id, name] : left) {
        std::fprintf(stderr, "portcullis drain: %s did not end within %s\n", name.c_str(), flags.timeout.c_str());
      }
      return 1;
    }
    ::poll(nullptr, 0, kLookEveryMillis);
    ASSIGN_OR_RETURN(const Found now, FindPods(**runtime));
    Say("ended", Gone(left, now.pods));
    // A pod whose start was under way when the node was cordoned shows late.
    Say("ending", Gone(now.pods, left));
    left = now.pods;
  }
  std::printf("drained\n");
  return 0;
}

int Report(const char* verb, const Error& error) {
  std::fprintf(stderr, "portcullis %s: %s%s\n", verb, error.message.c_str(),
               error.code == Code::kUnavailable
                   ? "; is portcullis node running? (--runtime-endpoint names another socket)"
                   : "");
  return 1;
}

}  // namespace

int DrainMain(const std::vector<std::string>& args) {
  Flags flags;
  CommandLine line("portcullis drain",
                   "Takes no new pods, ends this node's pods within their grace periods, waits for their end.");
  line.Text("--root-dir", &flags.root_dir, "the node's --root-dir; what makes it take no pods is a file there");
  line.Text("-r,--runtime-endpoint", &flags.endpoint, "socket of the runtime");
  line.Text("--timeout", &flags.timeout, "how long to wait (5m); 0: as long as it takes");
  line.Bool("--dry-run", &flags.dry_run, "only say which pods would be ended");
  line.Footer(
      "Static pods start again with `portcullis uncordon`; their manifests stay. A restart does not uncordon.\n"
      "Exit codes: 0 drained, 1 some pods did not end in time, or an error.");
  if (const auto exit_code = line.Parse(args)) return *exit_code;
  const auto code = Drain(flags);
  return code ? *code : Report("drain", code.error());
}

int UncordonMain(const std::vector<std::string>& args) {
  Flags flags;
  CommandLine line("portcullis uncordon", "Takes pods again after `portcullis drain`; a running node does so at once.");
  line.Text("--root-dir", &flags.root_dir, "the node's --root-dir");
  if (const auto exit_code = line.Parse(args)) return *exit_code;
  const auto done = node::Uncordon(flags.root_dir);
  return done ? 0 : Report("uncordon", done.error());
}

}  // namespace portcullis::cli
