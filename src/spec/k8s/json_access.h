// Reading JSON without exceptions: a member of the wrong type reads as absent (CheckShape has reported it by then).
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "spec/k8s/pod.h"

namespace portcullis::k8s {

// The member, or a shared null when `object` is not an object or has no such member.
const nlohmann::json& Member(const nlohmann::json& object, const char* name);

std::string StringOr(const nlohmann::json& object, const char* name, std::string fallback = "");
std::optional<std::string> OptionalString(const nlohmann::json& object, const char* name);
std::optional<bool> OptionalBool(const nlohmann::json& object, const char* name);
bool BoolOr(const nlohmann::json& object, const char* name, bool fallback);
// Integers that do not fit 64 bits read as absent.
std::optional<int64_t> OptionalInt(const nlohmann::json& object, const char* name);
std::optional<int64_t> IntegerOf(const nlohmann::json& value);
std::vector<std::string> Strings(const nlohmann::json& object, const char* name);
StringMap StringMapOf(const nlohmann::json& object, const char* name);
std::optional<Quantity> QuantityOf(const nlohmann::json& value);

}  // namespace portcullis::k8s
