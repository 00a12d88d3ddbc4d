// The `info` of a verbose status: one key, "info", whose value is a JSON object as text (what crictl prints under
// .info).
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace portcullis::runtime {

std::map<std::string, std::string> InfoMap(const nlohmann::json& info);

// JSON from text that this runtime itself wrote; null when it cannot be read (a bundle that is gone).
nlohmann::json JsonOrNull(std::string_view text);

// The maker of a pause process of our own.
inline constexpr char kOwnPause[] = "portcullis-pause";

// Who made the filter that the bundle `spec` leads to: "none", "compiled and proven equal to the profile, handed to
// crun", "... installed by portcullis-pause", "made by runc with libseccomp".
std::string SeccompFilterText(const nlohmann::json& spec, const std::string& maker);

}  // namespace portcullis::runtime
