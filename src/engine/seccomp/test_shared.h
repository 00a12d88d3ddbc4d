// For tests: the data beside the checkout (../shared, or $PORTCULLIS_SHARED), which need not be there.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>

namespace portcullis::seccomp {

inline std::filesystem::path SharedPath(const std::string& relative) {
  const char* root = std::getenv("PORTCULLIS_SHARED");
  return std::filesystem::path(root != nullptr ? root : PORTCULLIS_SOURCE_DIR "/../shared") / relative;
}

inline std::optional<std::string> SharedText(const std::string& relative) {
  std::ifstream file(SharedPath(relative));
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::optional<nlohmann::json> SharedJson(const std::string& relative) {
  const auto text = SharedText(relative);
  if (!text) return std::nullopt;
  return nlohmann::json::parse(*text);
}

}  // namespace portcullis::seccomp
