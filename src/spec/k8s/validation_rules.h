// Inside ValidatePod: the list that problems are added to, and the rules by subject. Messages are Kubernetes' own
// (apimachinery's field errors: "Required value", "Invalid value: ...", ...).
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "spec/k8s/pod.h"

namespace portcullis::k8s {

class ErrorList {
 public:
  void Add(const std::string& field, std::string message);
  void Required(const std::string& field, std::string_view detail = "");
  void Invalid(const std::string& field, std::string_view value, std::string_view detail);  // quotes the value
  void InvalidNumber(const std::string& field, int64_t value, std::string_view detail);
  void Duplicate(const std::string& field, std::string_view value);
  void NotFound(const std::string& field, std::string_view value);
  void Forbidden(const std::string& field, std::string_view detail);
  void Unsupported(const std::string& field, std::string_view value, std::span<const std::string_view> supported);
  // Adds Invalid when `explanation` (of a Check... function) is not empty.
  void Check(const std::string& field, std::string_view value, const std::string& explanation);
  void Range(const std::string& field, int64_t value, int64_t min, int64_t max);
  Diagnostics Take() { return std::move(diagnostics_); }

 private:
  Diagnostics diagnostics_;
};

// "" when right, else Kubernetes' explanation.
std::string CheckQualifiedName(const std::string& text);
std::string CheckLabelValue(const std::string& text);
std::string CheckPortName(const std::string& text);
std::string CheckEnvName(const std::string& text);
std::string CheckIp(const std::string& text);
bool HasDotDot(std::string_view path);

void ValidateMetadata(const ObjectMeta& metadata, ErrorList& errors);
void ValidateVolumes(const PodSpec& spec, ErrorList& errors);
void ValidateContainers(const PodSpec& spec, ErrorList& errors);
void ValidateContainerSecurity(const Container& container, const std::string& path, ErrorList& errors);
void ValidatePodSecurity(const PodSpec& spec, ErrorList& errors);
void ValidateSeccomp(const Pod& pod, ErrorList& errors);
void ValidateAppArmor(const Pod& pod, ErrorList& errors);

}  // namespace portcullis::k8s
