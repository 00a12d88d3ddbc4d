#include "runtime/trial/start_trial.h"

#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "runtime/container/oci_runtime.h"
#include "runtime/trial/ending_program.h"
#include "spec/oci/runtime_spec.h"

namespace portcullis::runtime {
namespace {

constexpr std::chrono::milliseconds kPoll{10};

class Trial {
 public:
  Trial(std::string folder, Cgroups cgroups, const StartTrialOptions& options)
      : folder_(std::move(folder)),
        cgroups_(std::move(cgroups)),
        options_(options),
        parent_("/portcullis-trial-" + base::RandomHex(4)) {}
  ~Trial() {
    static_cast<void>(cgroups_.Destroy(parent_));
    static_cast<void>(base::RemoveTree(folder_));
  }
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  Result<void> Prepare() {
    TRY(base::MakeDirs(folder_ + "/bundle/rootfs/proc"));
    TRY(base::MakeDirs(folder_ + "/bundle/rootfs/dev"));
    return base::WriteFileAtomic(folder_ + "/bundle/rootfs/end", EndingProgram(), 0755);
  }

  Result<std::string> Start(const RuntimeProgram& program, const seccomp::ResolvedProfile& profile,
                            bool no_new_privileges) {
    OciRuntime runtime({.program = program,
                        .conmon_path = FindProgram("conmon"),
                        .state_dir = folder_ + "/run",
                        .deadline = options_.deadline},
                       cgroups_);
    TRY(runtime.Prepare());
    const ContainerHandle handle{.id = base::RandomHex(32), .bundle = folder_ + "/bundle", .cgroup_parent = parent_};
    TRY(base::WriteFileAtomic(handle.bundle + "/config.json",
                              oci::ToJson(SpecOf(handle, profile, no_new_privileges)).dump()));
    const auto made = runtime.Create(handle, {.name = "trial", .log_path = folder_ + "/log"});
    if (!made) return made.error().message;
    std::string problem;
    if (const auto started = runtime.Start(handle, Filter::kWanted); !started) {
      problem = started.error().message;
    } else {
      problem = AwaitEnd(runtime, handle);
    }
    if (const auto deleted = runtime.Delete(handle, true); !deleted && problem.empty())
      problem = deleted.error().message;
    return problem;
  }

 private:
  static oci::Spec SpecOf(const ContainerHandle& handle, const seccomp::ResolvedProfile& profile,
                          bool no_new_privileges) {
    oci::Spec spec;
    spec.process.args = {"/end"};
    spec.process.no_new_privileges = no_new_privileges;
    // A user of its own and no capabilities: the way with the most calls after the filter is on.
    spec.process.user = {.uid = 65534, .gid = 65534, .additional_gids = {65534}};
    spec.process.capabilities = oci::Capabilities{};
    spec.root.path = "rootfs";
    // A /dev of its own for each start: runc 1.3.6 fails on the links that an earlier start left in the folder.
    spec.mounts = {{.destination = "/proc", .type = "proc", .source = "proc", .options = {"nosuid", "noexec", "nodev"}},
                   {.destination = "/dev", .type = "tmpfs", .source = "tmpfs", .options = {"nosuid", "mode=755"}}};
    for (const auto type : {oci::NamespaceType::kMount, oci::NamespaceType::kPid, oci::NamespaceType::kIpc,
                            oci::NamespaceType::kUts, oci::NamespaceType::kNetwork}) {
      spec.linux_.namespaces.push_back({.type = type, .path = ""});
    }
    spec.linux_.cgroups_path = handle.CgroupsPath();
    spec.linux_.seccomp = profile;
    return spec;
  }

  std::string AwaitEnd(const OciRuntime& runtime, const ContainerHandle& handle) const {
    const auto deadline = std::chrono::steady_clock::now() + options_.deadline;
    const std::string exit_file = runtime.ExitDir() + "/" + handle.id;
    while (!base::Exists(exit_file)) {
      if (std::chrono::steady_clock::now() > deadline) return "its program did not end (is exit_group denied?)";
      std::this_thread::sleep_for(kPoll);
    }
    const auto code = base::ReadFile(exit_file);
    if (!code) return code.error().message;
    const std::string text(base::Trim(*code));
    return text == "0" ? "" : "its program, which only calls exit_group, ended with exit code " + text;
  }

  std::string folder_;
  Cgroups cgroups_;
  StartTrialOptions options_;
  std::string parent_;
};

}  // namespace

Result<std::vector<StartOutcome>> TryStarts(const seccomp::ResolvedProfile& profile, const StartTrialOptions& options) {
  if (::geteuid() != 0) return Fail(Code::kPermissionDenied, "start test: containers need root");
  if (EndingProgram().empty())
    return Fail(Code::kUnimplemented, "start test: there is no test program for this architecture");
  if (FindProgram("conmon").empty()) return Fail(Code::kNotFound, "start test: conmon is not installed");
  ASSIGN_OR_RETURN(Cgroups cgroups, Cgroups::Detect());
  std::vector<StartOutcome> outcomes;
  Trial trial(options.scratch + "/portcullis-trial-" + base::RandomHex(4), cgroups, options);
  TRY(trial.Prepare());
  for (const char* name : {"crun", "runc"}) {
    // On a hybrid host Debian's crun runs through our helper alone.
    const bool needs_helper = std::string_view(name) == "crun" && cgroups.layout() == CgroupLayout::kHybrid;
    if (needs_helper && FindProgram("portcullis-crun").empty()) continue;
    const auto program = ChooseOciRuntime(name, cgroups.layout(), FindProgram);
    if (!program) continue;
    for (const bool no_new_privileges : {false, true}) {
      auto problem = trial.Start(*program, profile, no_new_privileges);
      if (!problem) return Wrap(problem.error(), "start test with {}", name);
      outcomes.push_back({name, no_new_privileges, *std::move(problem)});
      if (!outcomes.back().error.empty()) return outcomes;
    }
  }
  if (outcomes.empty()) return Fail(Code::kNotFound, "start test: neither crun nor runc is installed");
  return outcomes;
}

}  // namespace portcullis::runtime
