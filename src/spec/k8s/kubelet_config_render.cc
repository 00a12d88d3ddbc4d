#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "spec/k8s/kubelet_config.h"

namespace portcullis::k8s {
namespace {

using nlohmann::json;

// Column in which the origins start, where the value leaves room.
constexpr size_t kCommentColumn = 56;

// A string that YAML reads back as the same string without quotes.
bool IsPlain(const std::string& text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (text.empty() || (!letter(text.front()) && text.front() != '/')) return false;
  for (char c : text) {
    if (!letter(c) && !(c >= '0' && c <= '9') && std::string_view("/._-").find(c) == std::string_view::npos) {
      return false;
    }
  }
  static constexpr std::string_view kWords[] = {"true", "false", "yes", "no", "on", "off", "y", "n", "null"};
  return std::find(std::begin(kWords), std::end(kWords), base::ToLower(text)) == std::end(kWords);
}

std::string Scalar(const json& value) {
  if (value.is_string() && IsPlain(value.get_ref<const std::string&>())) return value.get<std::string>();
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

void Render(const MergedConfig& config, const json& object, const std::string& prefix, size_t indent,
            std::string& out) {
  for (const auto& [name, value] : object.items()) {
    const std::string path = prefix.empty() ? name : prefix + "." + name;
    std::string line = std::string(indent, ' ') + (IsPlain(name) ? name : base::Quote(name)) + ":";
    if (value.is_object() && !value.empty()) {
      out += line + "\n";
      Render(config, value, path, indent + 2, out);
      continue;
    }
    line += " " + Scalar(value);
    if (line.size() < kCommentColumn) line.resize(kCommentColumn, ' ');
    out += fmt::format("{}  # {}\n", line, config.OriginOf(path));
  }
}

void CollectOrigins(const MergedConfig& config, const json& object, const std::string& prefix, json& out) {
  for (const auto& [name, value] : object.items()) {
    const std::string path = prefix.empty() ? name : prefix + "." + name;
    if (value.is_object() && !value.empty()) {
      CollectOrigins(config, value, path, out);
    } else {
      out[path] = config.OriginOf(path);
    }
  }
}

// With what may be a secret masked, as the kubelet does.
json Shown(const MergedConfig& config) {
  json shown = config.json();
  if (const auto headers = shown.find("staticPodURLHeader"); headers != shown.end() && headers->is_object()) {
    for (auto& [name, values] : headers->items()) values = json::array({"<masked>"});
  }
  if (const auto url = shown.find("staticPodURL"); url != shown.end() && url->is_string()) {
    std::string text = url->get<std::string>();
    const size_t scheme = text.find("://");
    const size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
    const size_t at = text.substr(0, text.find_first_of("/?#", begin)).rfind('@');
    if (at != std::string::npos && at >= begin) *url = text.replace(begin, at - begin, "<masked>");
  }
  return shown;
}

}  // namespace

std::string RenderConfigText(const MergedConfig& config) {
  std::string out;
  out += fmt::format("# {}\n", config.seccomp_default().summary);
  out += fmt::format("# feature gates as of Kubernetes {}\n", FormatKubeVersion(config.feature_gates().version()));
  for (const std::string& warning : config.warnings) out += fmt::format("# warning: {}\n", warning);
  Render(config, Shown(config), "", 0, out);
  return out;
}

json RenderConfigJson(const MergedConfig& config) {
  json origins = json::object();
  const json shown = Shown(config);
  CollectOrigins(config, shown, "", origins);
  return {{"kubeletconfig", shown},
          {"origins", std::move(origins)},
          {"seccompDefault",
           {{"enabled", config.seccomp_default().enabled}, {"summary", config.seccomp_default().summary}}},
          {"emulatedVersion", FormatKubeVersion(config.feature_gates().version())},
          {"featureGates", config.feature_gates().set_gates()},
          {"warnings", config.warnings}};
}

}  // namespace portcullis::k8s
