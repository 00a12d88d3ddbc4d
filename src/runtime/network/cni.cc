#include "runtime/network/cni.h"

#include <unistd.h>

#include <algorithm>

#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"
#include "runtime/network/cni_cache.h"
#include "runtime/network/cni_protocol.h"
#include "runtime/network/netns.h"

namespace portcullis::runtime {
namespace {

constexpr size_t kMaxCacheBytes = 4u << 20;
constexpr std::string_view kCacheSuffix = ".json";

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

}  // namespace

std::string Cni::CachePath(const std::string& container_id) const {
  return options_.cache_dir + "/" + container_id + std::string(kCacheSuffix);
}

Result<std::string> Cni::FindPlugin(const std::string& type) const {
  for (const std::string& dir : options_.bin_dirs) {
    std::string path = dir + "/" + type;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  // Not kNotFound: for a client of StopPodSandbox that would mean that the sandbox is gone.
  return Fail(Code::kFailedPrecondition, "network plugin {} not found in {}", type,
              base::Join(options_.bin_dirs, ", "));
}

Result<CniResult> Cni::Add(const CniRequest& request) {
  TRY(CheckRequest(request));
  const std::string path = CachePath(request.container_id);
  if (base::Exists(path))
    return Fail(Code::kAlreadyExists, "container {} is attached to the network already", request.container_id);
  CniAttachment attachment{.request = request, .network = {}, .result_json = {}};
  ASSIGN_OR_RETURN(attachment.network, FindCniNetwork(options_.conf_dir));
  // Before anything runs: a plugin that is not there could not undo anything either.
  for (const CniPlugin& plugin : attachment.network.plugins) {
    if (auto found = FindPlugin(plugin.type); !found) return Failure(std::move(found).error());
  }
  TRY(base::MakeDirs(options_.cache_dir, 0700));
  TRY(base::WriteFileAtomic(path, EncodeAttachment(attachment), 0600));

  const auto attach = [&]() -> Result<CniResult> {
    CniResult result;
    for (const CniPlugin& plugin : attachment.network.plugins) {
      ASSIGN_OR_RETURN(std::string input, PluginInput(attachment.network, plugin, request, attachment.result_json));
      ASSIGN_OR_RETURN(std::string executable, FindPlugin(plugin.type));
      ASSIGN_OR_RETURN(attachment.result_json, RunPlugin({.executable = std::move(executable),
                                                          .command = "ADD",
                                                          .config = std::move(input),
                                                          .request = &request,
                                                          .bin_dirs = options_.bin_dirs,
                                                          .timeout = options_.plugin_timeout}));
      ASSIGN_OR_RETURN(result, ParseCniResult(attachment.result_json, plugin.type));
    }
    TRY(base::WriteFileAtomic(path, EncodeAttachment(attachment), 0600));
    return result;
  };
  auto result = attach();
  if (result) return result;
  // Plugins that ran before the failing one, and that one itself, can leave interfaces and addresses behind.
  if (auto undone = Del(request.container_id); !undone) {
    base::LogWarning("network attachment stays half-made",
                     {{"container", request.container_id}, {"error", undone.error().message}});
  }
  return Wrap(std::move(result).error(), "attach container {} to network {}", request.container_id,
              attachment.network.name);
}

Result<void> Cni::Del(const std::string& container_id) {
  const std::string path = CachePath(container_id);
  auto attachment = ReadAttachment(path);
  if (!attachment) {
    if (attachment.error().sys_errno == ENOENT) return {};
    return Failure(std::move(attachment).error());
  }
  if (!base::Exists(attachment->request.netns_path))
    attachment->request.netns_path.clear();  // gone: the spec's way to say it
  const auto& plugins = attachment->network.plugins;
  Result<void> first_failure;
  for (auto plugin = plugins.rbegin(); plugin != plugins.rend(); ++plugin) {
    const auto detach = [&]() -> Result<void> {
      ASSIGN_OR_RETURN(std::string input,
                       PluginInput(attachment->network, *plugin, attachment->request, attachment->result_json));
      ASSIGN_OR_RETURN(std::string executable, FindPlugin(plugin->type));
      auto output = RunPlugin({.executable = std::move(executable),
                               .command = "DEL",
                               .config = std::move(input),
                               .request = &attachment->request,
                               .bin_dirs = options_.bin_dirs,
                               .timeout = options_.plugin_timeout});
      if (!output) return Failure(std::move(output).error());
      return {};
    };
    // One plugin's failure must not keep the others from freeing what they hold.
    if (auto detached = detach(); !detached && first_failure) first_failure = std::move(detached);
  }
  if (!first_failure)
    return Wrap(std::move(first_failure).error(), "detach container {} from network {}", container_id,
                attachment->network.name);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return FailErrno(errno, "remove {}", path);
  return {};
}

Result<void> Cni::Check(const std::string& container_id) {
  ASSIGN_OR_RETURN(const CniAttachment attachment, ReadAttachment(CachePath(container_id)));
  if (attachment.result_json.empty())
    return Fail(Code::kFailedPrecondition, "container {} is only half attached to the network", container_id);
  if (attachment.network.disable_check) return {};
  for (const CniPlugin& plugin : attachment.network.plugins) {
    ASSIGN_OR_RETURN(std::string input,
                     PluginInput(attachment.network, plugin, attachment.request, attachment.result_json));
    ASSIGN_OR_RETURN(std::string executable, FindPlugin(plugin.type));
    auto output = RunPlugin({.executable = std::move(executable),
                             .command = "CHECK",
                             .config = std::move(input),
                             .request = &attachment.request,
                             .bin_dirs = options_.bin_dirs,
                             .timeout = options_.plugin_timeout});
    if (!output) return Wrap(std::move(output).error(), "check network of container {}", container_id);
  }
  return {};
}

Result<CniResult> Cni::Cached(const std::string& container_id) const {
  ASSIGN_OR_RETURN(const CniAttachment attachment, ReadAttachment(CachePath(container_id)));
  if (attachment.result_json.empty())
    return Fail(Code::kNotFound, "container {} is only half attached to the network", container_id);
  return ParseCniResult(attachment.result_json, attachment.network.plugins.back().type);
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

Result<void> Cni::CheckVersions(const CniNetwork& network) const {
  for (const CniPlugin& plugin : network.plugins) {
    ASSIGN_OR_RETURN(std::string executable, FindPlugin(plugin.type));
    ASSIGN_OR_RETURN(const std::string answer, RunPlugin({.executable = std::move(executable),
                                                          .command = "VERSION",
                                                          .config = "{\"cniVersion\":\"" + network.cni_version + "\"}",
                                                          .request = nullptr,
                                                          .bin_dirs = options_.bin_dirs,
                                                          .timeout = options_.plugin_timeout}));
    ASSIGN_OR_RETURN(const std::vector<std::string> versions, ParseVersions(answer, plugin.type));
    if (std::ranges::find(versions, network.cni_version) == versions.end()) {
      return Fail(Code::kFailedPrecondition, "network plugin {} does not speak cniVersion {} of {}; it speaks {}",
                  plugin.type, network.cni_version, network.file, base::Join(versions, ", "));
    }
  }
  return {};
}

CniStatus Cni::Status() {
  const auto not_ready = [](const Error& error) {
    return CniStatus{.ready = false,
                     .reason = "NetworkPluginNotReady",
                     .message = "Network plugin returns error: cni plugin not initialized: " + error.message};
  };
  const auto network = FindCniNetwork(options_.conf_dir);
  if (!network) return not_ready(network.error());
  const std::scoped_lock lock(mutex_);
  if (checked_source_ != network->source) {
    if (const auto checked = CheckVersions(*network); !checked) return not_ready(checked.error());
    checked_source_ = network->source;
  }
  for (const CniPlugin& plugin : network->plugins) {
    if (const auto found = FindPlugin(plugin.type); !found) return not_ready(found.error());
  }
  return {.ready = true, .reason = {}, .message = {}};
}

}  // namespace portcullis::runtime
