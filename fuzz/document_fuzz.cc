// YAML and JSON from anyone: reading must not crash, hang or eat memory, and what was read must be valid JSON text.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/document.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto document = portcullis::base::ParseYaml(text, "fuzz")) {
    (void)document->root().dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    (void)document->Where("/spec/containers/0");
  }
  if (const auto json = portcullis::base::ParseJson(text, "fuzz")) {
    (void)json->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  return 0;
}
