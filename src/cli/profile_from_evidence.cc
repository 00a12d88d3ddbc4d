// portcullis profile from-evidence: the profile that recorded calls need.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "cli/preflight/inputs.h"
#include "cli/profile_base.h"
#include "cli/profile_verbs.h"
#include "engine/algebra/lint.h"
#include "engine/filter/compile.h"
#include "engine/seccomp/check.h"
#include "engine/syscalls/syscalls.h"
#include "insight/preflight/missing.h"
#include "insight/preflight/preflight.h"
#include "runtime/trial/start_trial.h"
#include "spec/k8s/seccomp_profile.h"
#include "spec/k8s/workloads.h"

namespace portcullis::cli {
namespace {

using insight::Effect;

struct Flags {
  std::vector<std::string> traces;
  ResolveWords words;
  std::string base = "containerd";
  std::string container;
  std::string format = "delta";
  std::string install;
  std::string root_dir = "/var/lib/kubelet";
  bool minimal = false;
  bool tolerated = false;
  bool denied = false;
  bool overwrite = false;
  bool start_test = true;
  bool incomplete = false;
};

// What was seen that matters, of all replicas and runs together.
struct Seen {
  std::vector<insight::Needed> needed;  // denied by the base, and missed
  std::set<std::string> names;          // of all calls that went through, or should
  std::vector<std::string> left_out;    // denied by the base, and not missed
  size_t workloads = 0;
};

// How well a workload's container fits the one that was asked for, by the names that each kind of owner gives its pods;
// 0: not at all. What only fits as a static pod of some node comes last, since any name that goes on does.
int FitOf(const insight::Workload& workload, const insight::Workload& wanted) {
  const bool same_namespace = workload.pod_namespace.empty() || workload.pod_namespace == wanted.pod_namespace;
  if (workload.pod.empty() || !same_namespace || workload.container != wanted.container) return 0;
  if (workload.pod == wanted.pod) return 3;
  k8s::PodTemplate owner;
  owner.name = wanted.pod;
  for (const char* kind : {"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"}) {
    owner.kind = kind;
    if (k8s::MayBePodOf(owner, workload.pod)) return 2;
  }
  owner.kind = "Pod";
  return k8s::MayBePodOf(owner, workload.pod) ? 1 : 0;
}

// "they are of default/web-0/nginx, default/db-0/redis"
std::string WhoseText(const insight::Evidence& evidence) {
  constexpr size_t kMost = 5;
  std::vector<std::string> names;
  for (const insight::Workload& one : evidence.workloads()) {
    if (names.size() < kMost) names.push_back(NameOf(insight::SubjectOf(one)));
  }
  if (names.empty()) return "they have no calls at all";
  const size_t more = evidence.workloads().size() - names.size();
  return "they are of " + base::Join(names, ", ") + (more == 0 ? "" : fmt::format(" and {} more", more));
}

// All that belongs together, as calls of one container.
Result<insight::Evidence> Gather(const Flags& flags, const std::optional<insight::Workload>& wanted,
                                 size_t* workloads) {
  insight::Evidence all;
  insight::Evidence chosen;
  ProgressLine progress;
  for (const std::string& path : flags.traces) {
    ASSIGN_OR_RETURN(const insight::Evidence one, ReadTraceFile(path, progress));
    all.Merge(one);
  }
  chosen.source = all.source;
  chosen.completeness = all.completeness;
  int best = 0;
  for (const insight::Workload& one : all.workloads()) best = std::max(best, wanted ? FitOf(one, *wanted) : 0);
  const size_t index = chosen.AddWorkload(wanted.value_or(insight::Workload{.command = "evidence"}));
  std::vector<bool> taken;
  for (const insight::Workload& one : all.workloads()) {
    // A trace of a command that was mapped by hand names no pod.
    const bool is_command = one.pod.empty() && one.container_id.empty();
    taken.push_back(!wanted || (best > 0 ? FitOf(one, *wanted) == best : is_command));
    *workloads += taken.back() ? 1 : 0;
  }
  for (const auto& [call, facts] : all.calls()) {
    if (!taken.at(call.workload)) continue;
    insight::Call moved = call;
    moved.workload = index;
    chosen.Add(std::move(moved), facts);
  }
  if (*workloads == 0 && wanted) {
    return Fail(Code::kNotFound, "no trace has calls of container {}/{}/{} ({})", wanted->pod_namespace, wanted->pod,
                wanted->container, WhoseText(all));
  }
  return chosen;
}

// Recorded under the profile that is to be mended: a filter's answer hides what the kernel would have said.
insight::Call WithoutFilter(insight::Call call) {
  if (call.result == insight::CallResult::kErrno) call.error = 0;
  return call;
}

bool WentThrough(const insight::Call& call) {
  const auto outcome = insight::OutcomeOf(call);
  return call.result != insight::CallResult::kErrno && (!outcome || *outcome != insight::kKilled);
}

Result<void> Collect(const insight::Evidence& evidence, const ProfileBase& from, const insight::Enforced& base,
                     const Flags& flags, Seen& seen) {
  for (const auto& [recorded, facts] : evidence.calls()) {
    const insight::Call call = flags.denied ? WithoutFilter(recorded) : recorded;
    const auto arch = syscalls::ArchFromAudit(call.audit_arch, call.number);
    const auto name = arch ? syscalls::NameOf(*arch, call.number) : std::nullopt;
    const auto judgement = insight::Judge(base, nullptr, call);
    if (!judgement) {
      // Calls that fail are part of what a program does: their errno should stay what it was.
      if (name) seen.names.emplace(*name);
      continue;
    }
    const std::string caller = call.executable.empty() ? call.comm : call.executable;
    bool on_purpose = false;
    if (from.delta) {
      ASSIGN_OR_RETURN(on_purpose, insight::DeniesOnPurpose(*from.delta, base, call));
    }
    const bool went_through = WentThrough(call) || (flags.denied && call.result == insight::CallResult::kErrno);
    const bool missed = judgement->effect == Effect::kBreaks || judgement->effect == Effect::kUnknown ||
                        (flags.tolerated && judgement->effect == Effect::kTolerated && went_through);
    if (missed && !on_purpose) {
      seen.needed.push_back({call, caller});
      if (name) seen.names.emplace(*name);
    } else {
      if (WentThrough(call) && judgement->known != nullptr) {
        for (const std::string_view other : judgement->known->instead) seen.names.emplace(other);
      }
      std::string why = on_purpose ? "the delta denies it" : judgement->why;
      // strace writes a filter's refusal and the kernel's alike, so this is for who knows the recording to say.
      if (judgement->effect == Effect::kNone && call.result == insight::CallResult::kErrno) {
        why += "; if a filter denied it then, --denied allows it";
      }
      seen.left_out.push_back(
          fmt::format("{} ({}): {}", name ? std::string(*name) : std::to_string(call.number), caller, why));
    }
  }
  std::ranges::sort(seen.left_out);
  seen.left_out.erase(std::ranges::unique(seen.left_out).begin(), seen.left_out.end());
  return {};
}

void Tell(const std::string& text) { std::fprintf(stderr, "portcullis profile: %s\n", text.c_str()); }

std::string DeltaBaseName(const Operand& operand) {
  const size_t at = operand.name.find('@');
  if (operand.flavour == seccomp::Flavour::kPortcullis || at == std::string::npos) return operand.name;
  return "RuntimeDefault@" + operand.name.substr(0, at) + "-" + operand.name.substr(at + 1);
}

Diagnostics LintOf(const seccomp::ResolvedProfile& profile, syscalls::Arch host) {
  Diagnostics findings = seccomp::LintForLibseccomp(profile, "the profile");
  for (Diagnostic& one : algebra::LintAnswers(profile, "the profile", host)) findings.push_back(std::move(one));
  return findings;
}

// What lint has to say beyond what holds for the base already; false: the profile must not be used.
bool Lint(const seccomp::ResolvedProfile& profile, const seccomp::ResolvedProfile& base, syscalls::Arch host) {
  std::set<std::string> known;
  for (const Diagnostic& one : LintOf(base, host)) known.insert(one.message);
  Diagnostics findings = LintOf(profile, host);
  std::erase_if(findings, [&](const Diagnostic& one) { return known.contains(one.message); });
  for (const Diagnostic& one : findings) Tell("lint: " + FormatDiagnostic(one));
  return !HasErrors(findings);
}

Result<void> StartTest(const seccomp::ResolvedProfile& profile) {
  auto starts = runtime::TryStarts(profile, {});
  if (!starts) return Wrap(starts.error(), "not tested, and so not offered (--start-test=false leaves the test out)");
  for (const runtime::StartOutcome& one : *starts) {
    const char* with = one.no_new_privileges ? "with" : "without";
    if (!one.error.empty()) {
      return Fail(Code::kFailedPrecondition, "no container starts under this profile: {} {} noNewPrivileges: {}",
                  one.runtime, with, one.error);
    }
    Tell(fmt::format("a container starts under it with {} {} noNewPrivileges", one.runtime, with));
  }
  return {};
}

// Written whole or not at all; another profile of this name is not replaced by accident.
Result<std::string> Install(const std::string& text, const Flags& flags) {
  ASSIGN_OR_RETURN(std::string path, k8s::LocalhostProfilePath(flags.root_dir, flags.install));
  const auto present = base::ReadFile(path, seccomp::kMaxProfileBytes);
  if (present && *present == text) return path;
  if (base::Exists(path) && !flags.overwrite) {
    return Fail(Code::kAlreadyExists, "{} is another profile already (--overwrite replaces it)", path);
  }
  TRY(base::MakeDirs(path.substr(0, path.rfind('/'))));
  TRY(base::WriteFileAtomic(path, text));
  return path;
}

Result<std::string> MakeText(const Flags& flags, const ProfileBase& base, const insight::Addition& addition,
                             const seccomp::ResolvedProfile& profile) {
  if (flags.format == "delta") {
    return base.delta ? insight::AddToDeltaText(base.delta_text, addition, flags.base)
                      : insight::DeltaText(addition, DeltaBaseName(base.operand));
  }
  algebra::Delta delta = base.delta.value_or(algebra::Delta{});
  delta.allow.insert(delta.allow.end(), addition.delta.allow.begin(), addition.delta.allow.end());
  if (flags.format == "oci") return seccomp::ToJson(profile).dump(2) + "\n";
  if (delta.allow.empty() && delta.deny.empty()) return seccomp::ToJson(base.operand.profile).dump(2) + "\n";
  ASSIGN_OR_RETURN(const seccomp::Profile docker,
                   algebra::ApplyToProfile(base.operand.profile, delta, base.context.flavour));
  for (const Diagnostic& one : seccomp::LintPortability(docker, "the profile")) Tell("lint: " + FormatDiagnostic(one));
  return seccomp::ToJson(docker).dump(2) + "\n";
}

Result<void> CheckFlags(const Flags& flags) {
  if (flags.format != "delta" && flags.format != "oci" && flags.format != "docker") {
    return Fail(Code::kInvalidArgument, "--format: want delta, oci or docker, not {}", base::Quote(flags.format));
  }
  if (flags.traces.empty())
    return Fail(Code::kInvalidArgument, "want traces: portcullis profile from-evidence TRACE...");
  if (flags.minimal && flags.format != "oci") {
    return Fail(Code::kInvalidArgument,
                "--minimal makes a complete profile for one kind of container: it needs --format oci");
  }
  if (!flags.install.empty() && flags.format == "delta") {
    return Fail(Code::kInvalidArgument, "--install writes a complete profile: it needs --format oci or docker");
  }
  return {};
}

Result<int> Run(const Flags& flags) {
  TRY(CheckFlags(flags));
  std::optional<insight::Workload> wanted;
  if (!flags.container.empty()) {
    ASSIGN_OR_RETURN(wanted, ParseContainerName(flags.container, "--container"));
  }
  ASSIGN_OR_RETURN(const ProfileBase from, ReadProfileBase(flags.base, flags.words));
  const syscalls::Arch host = from.context.host;
  const seccomp::ResolvedProfile& resolved = from.resolved;
  const insight::Enforced base{resolved, filter::Describe(resolved, {.native = host}), host};

  Seen seen;
  ASSIGN_OR_RETURN(const insight::Evidence evidence, Gather(flags, wanted, &seen.workloads));
  TRY(Collect(evidence, from, base, flags, seen));
  if (!evidence.IsComplete() && !flags.incomplete) {
    return Fail(
        Code::kFailedPrecondition,
        "the evidence is INCOMPLETE (losses, or a trace without its end): a profile made of it would lack calls; "
        "record again, or take it as it is with --incomplete");
  }
  if (flags.minimal && evidence.completeness.unseen.contains(std::string(insight::unseen::kAllowedCalls))) {
    return Fail(Code::kFailedPrecondition,
                "--minimal: logs do not show the calls that a profile allows; record the container");
  }
  const insight::Addition addition = insight::AdditionFor(base, seen.needed);
  for (const std::string& one : addition.impossible) Tell("cannot be allowed by a profile on this base: " + one);
  for (const std::string& one : seen.left_out) Tell("left denied: " + one);

  seccomp::ResolvedProfile profile = resolved;
  if (!addition.delta.allow.empty()) {
    ASSIGN_OR_RETURN(profile, algebra::Apply(resolved, addition.delta, host));
  } else if (!flags.minimal) {
    Tell(fmt::format("{} needs nothing beyond {}", wanted ? flags.container : "the evidence", from.name));
    if (flags.format == "delta") return addition.impossible.empty() ? 0 : 1;
  }
  if (flags.minimal) {
    std::set<std::string> names = seen.names;
    names.merge(insight::RuntimeCalls());
    ASSIGN_OR_RETURN(profile, insight::OnlySeen(profile, names, host));
  }
  const auto compiled = filter::Compile(profile, {.native = host});
  if (!compiled) return Failure(compiled.error());
  if (!Lint(profile, resolved, host))
    return Fail(Code::kFailedPrecondition, "lint found an error, and the profile is not offered");
  if (flags.start_test && host == syscalls::NativeArch()) TRY(StartTest(profile));
  ASSIGN_OR_RETURN(const std::string text, MakeText(flags, from, addition, profile));
  if (flags.install.empty()) {
    std::fputs(text.c_str(), stdout);
  } else {
    ASSIGN_OR_RETURN(const std::string path, Install(text, flags));
    std::printf("%s\n", path.c_str());
    Tell("for the manifest: securityContext: {seccompProfile: {type: Localhost, localhostProfile: " + flags.install +
         "}}");
  }
  return addition.impossible.empty() ? 0 : 1;
}

}  // namespace

int ProfileFromEvidenceMain(const std::vector<std::string>& args) {
  Flags flags;
  CommandLine line(
      "portcullis profile from-evidence",
      "Makes the profile that recorded calls need: a default, and what it lacks. Exit code 1: some calls cannot be "
      "allowed by a profile.");
  line.Text("--base", &flags.base,
            "the default that the container would get (containerd@2.2, cri-o@1.34), or what it has: a profile's or a "
            "delta's file");
  AddResolveFlags(line, &flags.words);
  line.Text("--container", &flags.container,
            "NAMESPACE/POD/CONTAINER; its replicas, and traces of commands where no trace "
            "names it; without it all that the traces have");
  line.Text("--format", &flags.format, "delta, or a complete profile: oci (as every runtime reads it) or docker");
  line.Bool("--minimal", &flags.minimal, "allow only what was seen, and what OCI runtimes call themselves");
  line.Bool("--denied", &flags.denied,
            "the base was in force when this was recorded: what a filter denied then is missing from it");
  line.Bool("--tolerated", &flags.tolerated, "also allow calls that programs are known to do without");
  line.Bool("--incomplete", &flags.incomplete, "also of evidence that lost events");
  line.Bool("--start-test", &flags.start_test,
            "start a container under it with crun and runc before it is offered (root)");
  line.Text("--install", &flags.install, "write it under this name below <root-dir>/seccomp");
  line.Text("--root-dir", &flags.root_dir, "the kubelet's");
  line.Bool("--overwrite", &flags.overwrite, "--install may replace another profile");
  line.Positional("trace", &flags.traces, "traces of replicas and runs; - is standard input", false);
  if (const auto exit_code = line.Parse(args)) return *exit_code == 0 ? 0 : kProfileError;
  const auto done = Run(flags);
  return done ? *done : ReportProfileError(done.error());
}

}  // namespace portcullis::cli
