#include "cli/preflight/inputs.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "cli/output/human.h"
#include "cli/profile/operand.h"
#include "http/client.h"
#include "insight/evidence/trace_file.h"
#include "spec/k8s/static_pod.h"

namespace portcullis::cli {
namespace {

constexpr int kMaxFolderDepth = 16;
constexpr size_t kMaxPodsBytes = 256u << 20;  // the manifests' own limit is checked after
constexpr std::chrono::seconds kPodsTimeout{20};

bool IsFolder(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

Result<void> AddFile(const std::string& path, Manifests& out) {
  auto text = path == "-" ? base::ReadFd(STDIN_FILENO, k8s::kMaxManifestBytes, "standard input")
                          : base::ReadFile(path, k8s::kMaxManifestBytes);
  if (!text) return Wrap(text.error(), "manifest");
  AddManifestText(*text, path == "-" ? "standard input" : path, out);
  return {};
}

Result<void> AddFolder(const std::string& path, int depth, Manifests& out) {
  if (depth > kMaxFolderDepth)
    return Fail(Code::kResourceExhausted, "manifests: {}: too many folders in each other", path);
  ASSIGN_OR_RETURN(const std::vector<std::string> names, base::ListDir(path));
  for (const std::string& name : names) {
    if (name.starts_with('.')) continue;
    const std::string below = base::JoinPath(path, name);
    if (IsFolder(below)) {
      TRY(AddFolder(below, depth + 1, out));
    } else if (name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json")) {
      TRY(AddFile(below, out));
    }
  }
  return {};
}

}  // namespace

void AddManifestText(std::string_view text, const std::string& name, Manifests& out) {
  k8s::WorkloadsLoad load = k8s::LoadWorkloads(text, name);
  ++out.files;
  out.others += load.others;
  for (Diagnostic& diagnostic : load.diagnostics) out.diagnostics.push_back(std::move(diagnostic));
  for (const k8s::PodTemplate& object : load.templates) {
    for (insight::Subject& subject : insight::SubjectsOf(object, out.diagnostics))
      out.subjects.push_back(std::move(subject));
  }
}

Result<void> AddManifests(const std::string& path, Manifests& out) {
  if (path == "-" || !IsFolder(path)) return AddFile(path, out);
  const size_t before = out.files;
  TRY(AddFolder(path, 0, out));
  if (out.files == before) return Fail(Code::kNotFound, "manifests: folder {} has no *.yaml, *.yml or *.json", path);
  return {};
}

Result<void> AddPodsOfNode(const std::string& address, Manifests& out) {
  const std::string url = "http://" + address + "/pods";
  auto answer = http::Send({.url = url, .max_body_bytes = kMaxPodsBytes, .timeout = kPodsTimeout}, {});
  if (!answer) return Wrap(answer.error(), "pods of the node at {}", address);
  if (answer->status != 200) return Fail(Code::kUnavailable, "pods of the node: {} answers {}", url, answer->status);
  AddManifestText(answer->body, url, out);
  return {};
}

void AddContainersOfRuntime(const std::vector<StatusRow>& rows, Manifests& out) {
  for (const StatusRow& row : rows) {
    const size_t slash = row.pod.find('/');
    insight::Subject subject{.kind = "Pod",
                             .pod_namespace = slash == std::string::npos ? "" : row.pod.substr(0, slash),
                             .pod = slash == std::string::npos ? row.pod : row.pod.substr(slash + 1),
                             .container = row.container,
                             .container_id = row.id,
                             .bounding = row.bounding,
                             .privileged = row.privileged,
                             .declared = row.declared,
                             .decided_by = row.decided_by};
    const bool is_default = row.effective.starts_with("RuntimeDefault");
    if (row.decided_by == kUnknown) {
      subject.node_decides = row.effective == "Unconfined" || row.effective == kUnknown;
      if (!subject.node_decides) subject.declared = row.effective;
    } else {
      subject.node_decides = row.decided_by == "node default";
    }
    subject.asks_default = !subject.node_decides && is_default;
    out.subjects.push_back(std::move(subject));
  }
}

ProgressLine::ProgressLine() : live_(::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (dirty_) std::fputs("\r\033[K", stderr);
}

void ProgressLine::Say(const std::string& text) {
  if (!live_) return;
  std::fprintf(stderr, "\r\033[K%s", text.c_str());
  std::fflush(stderr);
  dirty_ = true;
}

Result<insight::Evidence> ReadTraceFile(const std::string& path, ProgressLine& progress) {
  return insight::ReadTrace(path, [&](uint64_t bytes) {
    progress.Say(fmt::format("reading {}: {}", path, HumanSize(static_cast<double>(bytes), 3)));
  });
}

Result<insight::Workload> ParseContainerName(const std::string& word, const std::string& flag) {
  const std::vector<std::string> parts = base::Split(word, '/');
  const bool whole = parts.size() == 3 && !parts[0].empty() && !parts[1].empty() && !parts[2].empty();
  if (!whole) return Fail(Code::kInvalidArgument, "{}: want NAMESPACE/POD/CONTAINER, not {}", flag, base::Quote(word));
  return insight::Workload{.pod_namespace = parts[0], .pod = parts[1], .container = parts[2]};
}

Result<insight::Target> ReadTarget(const std::string& word, const TargetWords& words) {
  // CRI-O spells its own name both ways.
  const std::string name = word == "crio" || word.starts_with("crio@") ? "cri-o" + word.substr(4) : word;
  ASSIGN_OR_RETURN(const Operand operand, ReadOperand(name));
  ASSIGN_OR_RETURN(
      const seccomp::ResolveContext context,
      ToContext({.capabilities = "default", .arch = words.arch, .kernel = words.kernel, .flavour = ""}, operand));
  insight::Target target{.name = operand.name,
                         .profile = operand.profile,
                         .flavour = context.flavour,
                         .kernel = *context.kernel,
                         .host = context.host,
                         .newer = insight::UsualNewer(context.flavour)};
  if (words.oci_runtime == "crun") {
    target.newer = filter::NewerSyscalls::kAsWritten;
  } else if (words.oci_runtime == "runc") {
    target.newer = filter::NewerSyscalls::kEnosys;
  } else if (!words.oci_runtime.empty()) {
    return Fail(Code::kInvalidArgument, "--oci-runtime: want runc or crun, not {}", base::Quote(words.oci_runtime));
  }
  return target;
}

}  // namespace portcullis::cli
