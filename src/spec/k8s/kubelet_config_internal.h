// The parts of MergeKubeletConfig (kubelet_config.h): one merged JSON tree that remembers where each value came from,
// and what is done to it.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/document.h"
#include "spec/k8s/kubelet_config.h"
#include "spec/k8s/schema.h"

namespace portcullis::k8s {

// A JSON object under construction. Origins are kept per leaf, by dotted path ("authentication.webhook.enabled").
class ConfigTree {
 public:
  // RFC 7396: scalars and lists replace, objects merge, null deletes. `document` gives the positions for the origins;
  // relative paths in it are resolved against its folder.
  void Merge(const base::Document& document);
  void Set(const std::string& dotted_path, nlohmann::json value, const std::string& origin);
  // Fills `dotted_path` when it is absent; origin "default".
  void Default(const std::string& dotted_path, nlohmann::json value);

  // Null when absent.
  const nlohmann::json& At(const std::string& dotted_path) const;
  // Of the path, the first leaf below it, or the object that it is in; "default" when absent.
  std::string OriginOf(const std::string& dotted_path) const;
  const nlohmann::json& root() const { return root_; }
  const std::map<std::string, std::string>& origins() const { return origins_; }

 private:
  void MergeObject(nlohmann::json& target, const nlohmann::json& patch, const FieldPath& path,
                   const base::Document& document);
  void Forget(const std::string& dotted_path);

  nlohmann::json root_ = nlohmann::json::object();
  std::map<std::string, std::string> origins_;
};

struct MergedConfig::State {
  explicit State(FeatureGates feature_gates) : gates(std::move(feature_gates)) {}
  ConfigTree tree;
  FeatureGates gates;
  SeccompDefaultDecision seccomp_default;
};

// Reads one file: kind, apiVersion, shape. Each problem is added to `errors`, in Kubernetes' words where it has some;
// warnings about ignored fields are left to WarnAboutFields, which sees the merged result. nullopt: there was an error.
std::optional<base::Document> ReadConfigDocument(const ConfigText& text, bool drop_in,
                                                 std::vector<std::string>& errors);

// A flag's text as the JSON value of its field.
Result<nlohmann::json> ParseFlagValue(const std::string& field, const std::string& text);

// The schema of a dotted path, or nullptr.
const FieldSchema* FieldAt(const std::string& dotted_path);

// Kubernetes' checks (kubernetes-seccomp.md 1.7), each with its text; `gates` decides about fields behind gates.
std::vector<std::string> ValidateConfig(const ConfigTree& tree, const FeatureGates& gates);

// One line per top-level field that was set and has no effect here.
std::vector<std::string> WarnAboutFields(const ConfigTree& tree);

}  // namespace portcullis::k8s
