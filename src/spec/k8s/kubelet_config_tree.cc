#include <algorithm>
#include <array>

#include "base/files.h"
#include "base/strings.h"
#include "spec/k8s/kubelet_config_internal.h"

namespace portcullis::k8s {
namespace {

using nlohmann::json;

// Kubernetes resolves these against the file's folder (KubeletConfigurationPathRefs).
constexpr std::array<std::string_view, 6> kPathFields = {"staticPodPath", "resolvConf",
                                                         "tlsCertFile",   "tlsPrivateKeyFile",
                                                         "podLogsDir",    "authentication.x509.clientCAFile"};

void ResolvePath(const std::string& field, const std::string& file, json& value) {
  if (std::find(kPathFields.begin(), kPathFields.end(), field) == kPathFields.end() || !value.is_string()) return;
  const std::string& path = value.get_ref<const std::string&>();
  if (path.empty() || path.front() == '/') return;
  const size_t slash = file.rfind('/');
  if (slash != std::string::npos) value = base::JoinPath(file.substr(0, slash + 1), path);
}

std::string Describe(const base::Document& document, const std::string& pointer) {
  const base::Position position = document.Where(pointer);
  return position.line == 0 ? document.file() : fmt::format("{}:{}", document.file(), position.line);
}

}  // namespace

void ConfigTree::Merge(const base::Document& document) { MergeObject(root_, document.root(), {}, document); }

void ConfigTree::MergeObject(json& target, const json& patch, const FieldPath& path, const base::Document& document) {
  for (const auto& [name, value] : patch.items()) {
    const FieldPath here = path.Child(name);
    if (value.is_null()) {
      target.erase(name);
      Forget(here.text);
    } else if (value.is_object()) {
      if (!target.contains(name) || !target[name].is_object()) {
        Forget(here.text);
        target[name] = json::object();
      }
      if (value.empty() && target[name].empty()) origins_[here.text] = Describe(document, here.pointer);
      MergeObject(target[name], value, here, document);
    } else {
      Forget(here.text);
      target[name] = value;
      ResolvePath(here.text, document.file(), target[name]);
      origins_[here.text] = Describe(document, here.pointer);
    }
  }
}

void ConfigTree::Set(const std::string& dotted_path, json value, const std::string& origin) {
  json* target = &root_;
  for (const std::string& name : base::Split(dotted_path, '.')) {
    if (!target->is_object()) *target = json::object();
    target = &(*target)[name];
  }
  *target = std::move(value);
  Forget(dotted_path);
  origins_[dotted_path] = origin;
}

void ConfigTree::Default(const std::string& dotted_path, json value) {
  if (At(dotted_path).is_null()) Set(dotted_path, std::move(value), "default");
}

const json& ConfigTree::At(const std::string& dotted_path) const {
  static const json kNull;
  const json* value = &root_;
  for (const std::string& name : base::Split(dotted_path, '.')) {
    if (!value->is_object()) return kNull;
    const auto it = value->find(name);
    if (it == value->end()) return kNull;
    value = &*it;
  }
  return *value;
}

std::string ConfigTree::OriginOf(const std::string& dotted_path) const {
  const auto exact = origins_.find(dotted_path);
  if (exact != origins_.end()) return exact->second;
  const auto below = origins_.lower_bound(dotted_path + ".");
  if (below != origins_.end() && below->first.starts_with(dotted_path + ".")) return below->second;
  // A flag sets a whole object at once.
  const size_t dot = dotted_path.rfind('.');
  if (dot != std::string::npos) {
    const auto parent = origins_.find(dotted_path.substr(0, dot));
    if (parent != origins_.end()) return parent->second;
  }
  return "default";
}

void ConfigTree::Forget(const std::string& dotted_path) {
  const std::string below = dotted_path + ".";
  std::erase_if(origins_,
                [&](const auto& entry) { return entry.first == dotted_path || entry.first.starts_with(below); });
}

}  // namespace portcullis::k8s
