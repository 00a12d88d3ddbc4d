#include "runtime/service/verbose_info.h"

#include <nlohmann/json.hpp>

#include "base/document.h"
#include "runtime/service/compiled_filters.h"

namespace portcullis::runtime {

std::map<std::string, std::string> InfoMap(const nlohmann::json& info) {
  return {{"info", info.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)}};
}

nlohmann::json JsonOrNull(std::string_view text) {
  if (text.empty()) return nullptr;
  auto json = base::ParseJson(text, "info");
  return json ? std::move(*json) : nlohmann::json(nullptr);
}

std::string SeccompFilterText(const nlohmann::json& spec, const std::string& maker) {
  const nlohmann::json::json_pointer profile("/linux/seccomp");
  if (!spec.is_object() || !spec.contains(profile)) return "none";
  if (maker == kOwnPause) return "compiled and proven equal to the profile, installed by " + maker;
  const auto annotations = spec.find("annotations");
  if (annotations != spec.end() && annotations->is_object() && annotations->contains(kFilterAnnotation)) {
    return "compiled and proven equal to the profile, handed to " + maker;
  }
  return "made by " + maker + " with libseccomp";
}

}  // namespace portcullis::runtime
