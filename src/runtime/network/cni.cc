#include "runtime/network/cni.h"

#include <unistd.h>

#include <algorithm>

#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"
#include "runtime/network/capability_args.h"
#include "runtime/network/cni_protocol.h"
#include "runtime/network/cni_version.h"
#include "runtime/network/netns.h"

namespace portcullis::runtime {
namespace {

constexpr size_t kMaxCacheBytes = 4u << 20;
constexpr std::string_view kCacheSuffix = ".json";
constexpr std::string_view kFirstWithCheck = "0.4.0";   // and with prevResult for DEL
constexpr std::string_view kFirstWithStatus = "1.1.0";  // and with GC
// VERSION and STATUS answer from memory.
constexpr std::chrono::milliseconds kAnswerTimeout = std::chrono::seconds(5);

// These end up in file names and in CNI_ARGS, whose pairs are joined by ";".
Result<void> CheckRequest(const CniRequest& request) {
  if (request.container_id.empty() || request.container_id.front() == '.' ||
      request.container_id.find('/') != std::string::npos) {
    return Fail(Code::kInvalidArgument, "network attachment: container id {} is not a file name",
                base::Quote(request.container_id));
  }
  for (const std::string* text : {&request.pod_namespace, &request.pod_name, &request.pod_uid}) {
    if (text->find_first_of(";=\n") != std::string::npos) {
      return Fail(Code::kInvalidArgument, "network attachment of {}: {} has a character that separates CNI arguments",
                  request.container_id, base::Quote(*text));
    }
  }
  for (const CniPortMapping& port : request.port_mappings) {
    if (port.host_port < 0 || port.host_port > 65535 || port.container_port < 1 || port.container_port > 65535) {
      return Fail(Code::kInvalidArgument, "network attachment of {}: port mapping {}:{} is out of range",
                  request.container_id, port.host_port, port.container_port);
    }
  }
  return {};
}

Result<CniAttachment> ReadAttachment(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path, kMaxCacheBytes));
  return DecodeAttachment(text, path);
}

std::string PodOf(const CniRequest& request) { return fmt::format("{}/{}", request.pod_namespace, request.pod_name); }

// "network pods (/etc/cni/net.d/10-pods.conflist)"
std::string Named(const CniNetwork& network) { return fmt::format("network {} ({})", network.name, network.file); }

// The plugin is there and cannot do it now, or this machine lacks something at present (descriptors, memory): trying
// again is better than giving up what the plugin holds.
bool ForLater(const Error& error) {
  return error.code == Code::kUnavailable || error.code == Code::kDeadlineExceeded || IsScarcity(error);
}

}  // namespace

Cni::Cni(CniOptions options) : options_(std::move(options)) {
  const auto ids = Attached();
  if (!ids) return;  // the first ADD says what is wrong with the folder
  for (const std::string& id : *ids) {
    const auto attachment = ReadAttachment(CachePath(id));
    if (!attachment) continue;  // DEL will say it
    // They were taken by an earlier process; two that overlap were allowed by an earlier release.
    if (auto taken = host_ports_.Take(id, PodOf(attachment->request), attachment->request.port_mappings); !taken)
      base::LogWarning("host port is taken twice", {{"error", taken.error().message}});
  }
}

std::string Cni::CachePath(const std::string& container_id) const {
  return options_.cache_dir + "/" + container_id + std::string(kCacheSuffix);
}

Result<std::string> Cni::FindPlugin(const std::string& type) const {
  for (const std::string& dir : options_.bin_dirs) {
    std::string path = fmt::format("{}/{}", dir, type);
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  // Not kNotFound: for a client of StopPodSandbox that would mean that the sandbox is gone.
  return Fail(Code::kFailedPrecondition, "network plugin {} not found in {}", type,
              base::Join(options_.bin_dirs, ", "));
}

Result<std::string> Cni::Call(std::string_view command, const CniAttachment& attachment,
                              const CniPlugin& plugin) const {
  ASSIGN_OR_RETURN(std::string executable, FindPlugin(plugin.type));
  const bool earlier_result = command == "ADD" || CniAtLeast(attachment.network.cni_version, kFirstWithCheck);
  ASSIGN_OR_RETURN(std::string input, PluginInput(attachment.network, plugin, attachment.capability_args,
                                                  earlier_result ? attachment.result_json : std::string()));
  return RunPlugin({.executable = std::move(executable),
                    .command = command,
                    .config = std::move(input),
                    .request = &attachment.request,
                    .bin_dirs = options_.bin_dirs,
                    .timeout = options_.plugin_timeout});
}

Result<std::string> Cni::CallWithoutPod(std::string_view command, const CniPlugin& plugin, std::string config) const {
  ASSIGN_OR_RETURN(std::string executable, FindPlugin(plugin.type));
  return RunPlugin({.executable = std::move(executable),
                    .command = command,
                    .config = std::move(config),
                    .request = nullptr,
                    .bin_dirs = options_.bin_dirs,
                    .timeout = std::min(options_.plugin_timeout, kAnswerTimeout)});
}

Result<CniResult> Cni::Attach(CniAttachment& attachment) const {
  CniResult result;
  for (const CniPlugin& plugin : attachment.network.plugins) {
    ASSIGN_OR_RETURN(const std::string answer, Call("ADD", attachment, plugin));
    ASSIGN_OR_RETURN(result, ParseCniResult(answer, plugin.type, attachment.network.cni_version));
    attachment.result_json = result.json;
  }
  if (result.PodIps().empty()) return Fail(Code::kInternal, "the plugins gave the pod no address");
  TRY(base::WriteFileAtomic(CachePath(attachment.request.container_id), EncodeAttachment(attachment), 0600));
  return result;
}

Result<CniResult> Cni::Add(const CniRequest& request) {
  TRY(CheckRequest(request));
  const std::string& id = request.container_id;
  const std::string path = CachePath(id);
  if (base::Exists(path)) return Fail(Code::kAlreadyExists, "container {} is attached to the network already", id);
  CniAttachment attachment{
      .request = request, .capability_args = CapabilityArgs(request), .network = {}, .result_json = {}};
  ASSIGN_OR_RETURN(attachment.network, CurrentNetwork());
  if (options_.adapt) attachment.network = options_.adapt(std::move(attachment.network), request);
  // Before anything runs: a plugin that is not there could not undo anything either.
  for (const CniPlugin& plugin : attachment.network.plugins) {
    if (auto found = FindPlugin(plugin.type); !found)
      return Wrap(std::move(found).error(), "attach container {} to {}", id, Named(attachment.network));
  }
  TRY(host_ports_.Take(id, PodOf(request), request.port_mappings));
  const auto keep = [&]() -> Result<void> {
    TRY(base::MakeDirs(options_.cache_dir, 0700));
    return base::WriteFileAtomic(path, EncodeAttachment(attachment), 0600);
  };
  if (auto kept = keep(); !kept) {
    host_ports_.Release(id);
    return Failure(std::move(kept).error());
  }
  auto result = Attach(attachment);
  if (result) return result;
  // Plugins that ran before the failing one, and that one itself, can leave interfaces and addresses behind.
  if (auto undone = Del(id); !undone)
    base::LogWarning("network attachment stays half-made", {{"container", id}, {"error", undone.error().message}});
  return Wrap(std::move(result).error(), "attach container {} to {}", id, Named(attachment.network));
}

Result<void> Cni::Detach(const CniAttachment& attachment) const {
  const auto& plugins = attachment.network.plugins;
  Result<void> failure;
  for (auto plugin = plugins.rbegin(); plugin != plugins.rend(); ++plugin) {
    // One plugin's failure must not keep the others from freeing what they hold. What is told is the first one, unless
    // another one says that there will be a better time.
    auto output = Call("DEL", attachment, *plugin);
    if (!output && (failure || (ForLater(output.error()) && !ForLater(failure.error()))))
      failure = Failure(std::move(output).error());
  }
  if (failure) return {};
  return Wrap(std::move(failure).error(), "detach container {} from {}", attachment.request.container_id,
              Named(attachment.network));
}

Result<void> Cni::Forget(const std::string& container_id) {
  const std::string path = CachePath(container_id);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return FailErrno(errno, "remove {}", path);
  host_ports_.Release(container_id);
  return {};
}

Result<void> Cni::Del(const std::string& container_id) {
  auto attachment = ReadAttachment(CachePath(container_id));
  if (!attachment) {
    if (attachment.error().sys_errno == ENOENT) return {};
    return Failure(std::move(attachment).error());
  }
  // Gone: the spec's way to say it.
  if (!IsNetworkNamespace(attachment->request.netns_path)) attachment->request.netns_path.clear();
  TRY(Detach(*attachment));
  return Forget(container_id);
}

Result<void> Cni::DelOrForget(const std::string& container_id) {
  auto detached = Del(container_id);
  if (detached || ForLater(detached.error())) return detached;
  const auto attachment = ReadAttachment(CachePath(container_id));
  if (!attachment) {
    // Of a file that is damaged nothing will ever be learned.
    base::LogWarning("network attachment is forgotten: an address or firewall rule may be left",
                     {{"container", container_id}, {"error", attachment.error().message}});
    return Forget(container_id);
  }
  if (IsNetworkNamespace(attachment->request.netns_path)) return detached;
  base::LogWarning(
      "network attachment is forgotten: its namespace is gone, and DEL failed; an address or firewall rule "
      "may be left",
      {{"container", container_id},
       {"pod", PodOf(attachment->request)},
       {"result", attachment->result_json},
       {"error", detached.error().message}});
  return Forget(container_id);
}

Result<void> Cni::Check(const std::string& container_id) {
  ASSIGN_OR_RETURN(const CniAttachment attachment, ReadAttachment(CachePath(container_id)));
  if (attachment.result_json.empty())
    return Fail(Code::kFailedPrecondition, "container {} is only half attached to the network", container_id);
  if (!CniAtLeast(attachment.network.cni_version, kFirstWithCheck)) {
    return Fail(Code::kUnimplemented, "check network of container {}: {} is of cniVersion {}, and CHECK came with {}",
                container_id, Named(attachment.network), attachment.network.cni_version, kFirstWithCheck);
  }
  if (attachment.network.disable_check) return {};
  for (const CniPlugin& plugin : attachment.network.plugins) {
    auto output = Call("CHECK", attachment, plugin);
    if (!output) return Wrap(std::move(output).error(), "check network of container {}", container_id);
  }
  return {};
}

Result<void> Cni::Gc() {
  auto network = CurrentNetwork();
  if (!network || network->disable_gc || !CniAtLeast(network->cni_version, kFirstWithStatus)) return {};
  ASSIGN_OR_RETURN(const std::vector<std::string> ids, Attached());
  std::vector<CniRequest> valid;
  for (const std::string& id : ids) {
    // One that cannot be read may be of this network: nothing is freed then.
    ASSIGN_OR_RETURN(CniAttachment attachment, ReadAttachment(CachePath(id)));
    if (attachment.network.name == network->name) valid.push_back(std::move(attachment.request));
  }
  for (const CniPlugin& plugin : network->plugins) {
    ASSIGN_OR_RETURN(std::string input, GcInput(*network, plugin, valid));
    auto output = CallWithoutPod("GC", plugin, std::move(input));
    if (!output) return Wrap(std::move(output).error(), "collect garbage of {}", Named(*network));
  }
  return {};
}

Result<CniResult> Cni::Cached(const std::string& container_id) const {
  ASSIGN_OR_RETURN(const CniAttachment attachment, ReadAttachment(CachePath(container_id)));
  if (attachment.result_json.empty())
    return Fail(Code::kNotFound, "container {} is only half attached to the network", container_id);
  return ParseCniResult(attachment.result_json, attachment.network.plugins.back().type, attachment.network.cni_version);
}

Result<std::vector<std::string>> Cni::Attached() const {
  std::vector<std::string> ids;
  auto names = base::ListDir(options_.cache_dir);
  if (!names) {
    if (names.error().sys_errno == ENOENT) return ids;
    return Failure(std::move(names).error());
  }
  for (const std::string& name : *names) {
    if (name.ends_with(kCacheSuffix)) ids.push_back(name.substr(0, name.size() - kCacheSuffix.size()));
  }
  return ids;
}

Result<void> Cni::Negotiate(CniNetwork& network) {
  {
    const std::scoped_lock lock(mutex_);
    if (negotiated_source_ == network.source) {
      network.cni_version = negotiated_version_;
      return {};
    }
  }
  std::vector<std::string> common = network.versions;
  for (const CniPlugin& plugin : network.plugins) {
    ASSIGN_OR_RETURN(const std::string answer,
                     CallWithoutPod("VERSION", plugin, "{\"cniVersion\":\"" + network.cni_version + "\"}"));
    ASSIGN_OR_RETURN(const std::vector<std::string> spoken, ParseVersions(answer, plugin.type));
    std::erase_if(common,
                  [&](const std::string& version) { return std::ranges::find(spoken, version) == spoken.end(); });
    if (common.empty()) {
      return Fail(Code::kFailedPrecondition, "network plugin {} does not speak cniVersion {} of {}; it speaks {}",
                  plugin.type, base::Join(network.versions, ", "), network.file, base::Join(spoken, ", "));
    }
  }
  network.cni_version = common.back();
  const std::scoped_lock lock(mutex_);
  negotiated_source_ = network.source;
  negotiated_version_ = network.cni_version;
  return {};
}

void Cni::TellChange(const CniFolder& folder) {
  std::string now = folder.network ? folder.network->file + folder.network->source : std::string();
  for (const Error& error : folder.skipped) now += "\n" + error.message;
  {
    const std::scoped_lock lock(mutex_);
    if (std::exchange(told_, now) == now) return;
  }
  for (const Error& error : folder.skipped)
    base::LogWarning("network configuration is skipped", {{"error", error.message}});
  if (folder.network) {
    std::vector<std::string> plugins;
    for (const CniPlugin& plugin : folder.network->plugins) plugins.push_back(plugin.type);
    base::LogInfo(
        "pods get network",
        {{"name", folder.network->name}, {"file", folder.network->file}, {"plugins", base::Join(plugins, ",")}});
  } else {
    base::LogWarning("pods get no network", {{"error", NoNetwork(folder, options_.conf_dir).message}});
  }
}

Result<CniNetwork> Cni::CurrentNetwork() {
  CniFolder folder = LoadCniFolder(options_.conf_dir);
  TellChange(folder);
  if (!folder.network) return Failure(NoNetwork(folder, options_.conf_dir));
  CniNetwork network = *std::move(folder.network);
  // With one version there is nothing to choose: a plugin that does not speak it says so itself.
  if (network.versions.size() > 1) TRY(Negotiate(network));
  return network;
}

CniStatus Cni::Status() {
  CniStatus status;
  const auto not_ready = [&](const Error& error) {
    status.reason = "NetworkPluginNotReady";
    status.message = "Network plugin returns error: cni plugin not initialized: " + error.message;
    return status;
  };
  CniFolder folder = LoadCniFolder(options_.conf_dir);
  TellChange(folder);
  for (const Error& error : folder.skipped) status.skipped.push_back(error.message);
  if (!folder.network) return not_ready(NoNetwork(folder, options_.conf_dir));
  CniNetwork& network = *folder.network;
  status.network = network.name;
  status.file = network.file;
  status.cni_version = network.cni_version;
  for (const CniPlugin& plugin : network.plugins) {
    if (auto found = FindPlugin(plugin.type); !found)
      return not_ready(Wrap(std::move(found).error(), "{}", Named(network)).value());
  }
  if (auto negotiated = Negotiate(network); !negotiated) return not_ready(negotiated.error());
  status.cni_version = network.cni_version;
  if (CniAtLeast(network.cni_version, kFirstWithStatus)) {
    for (const CniPlugin& plugin : network.plugins) {
      auto input = PluginInput(network, plugin, "{}", "");
      if (!input) return not_ready(input.error());
      if (auto answer = CallWithoutPod("STATUS", plugin, *std::move(input)); !answer)
        return not_ready(Wrap(std::move(answer).error(), "{}", Named(network)).value());
    }
  }
  status.ready = true;
  return status;
}

}  // namespace portcullis::runtime
