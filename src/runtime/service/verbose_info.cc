#include "runtime/service/verbose_info.h"

#include <nlohmann/json.hpp>

#include "base/document.h"

namespace portcullis::runtime {

std::map<std::string, std::string> InfoMap(const nlohmann::json& info) {
  return {{"info", info.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)}};
}

nlohmann::json JsonOrNull(std::string_view text) {
  if (text.empty()) return nullptr;
  auto json = base::ParseJson(text, "info");
  return json ? std::move(*json) : nlohmann::json(nullptr);
}

}  // namespace portcullis::runtime
