// Image documents, references and CNI configurations from anyone: decoding must not crash, and what was accepted must
// keep its promises.
#include <cstdint>
#include <string_view>

#include "require.h"
#include "runtime/network/cni_config.h"
#include "runtime/network/cni_protocol.h"
#include "spec/oci/digest.h"
#include "spec/oci/image_types.h"
#include "spec/oci/reference.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace portcullis;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto reference = oci::ParseReference(text)) {
    const auto again = oci::ParseReference(reference->String());
    Require(again.has_value() && again->String() == reference->String());
  }
  if (const auto decoded = oci::DecodeManifest(text, "")) {
    if (const auto* manifest = std::get_if<oci::Manifest>(&*decoded)) {
      Require(oci::IsDigest(manifest->config.digest));
      Require(oci::DecodeManifest(oci::EncodeManifest(*manifest), "").has_value());
    } else {
      (void)oci::ChoosePlatform(std::get<oci::Index>(*decoded), "amd64");
    }
  }
  if (const auto config = oci::DecodeImageConfig(text)) {
    Require(oci::ChainIds(config->diff_ids).size() == config->diff_ids.size());
  }
  if (const auto network = runtime::ParseCniNetwork(text, "fuzz")) {
    Require(!network->plugins.empty());
    for (const runtime::CniPlugin& plugin : network->plugins) {
      Require(runtime::PluginInput(*network, plugin, "{}", "").has_value());
    }
  }
  for (const char* version : {"0.2.0", "0.4.0", "1.0.0"}) {
    const auto result = runtime::ParseCniResult(text, "fuzz", version);
    if (!result) continue;
    Require(result->PodIps().size() <= result->ips.size());
    // What is handed to the next plugin reads as the same again.
    const auto again = runtime::ParseCniResult(result->json, "fuzz", version);
    Require(again.has_value() && again->json == result->json);
  }
  return 0;
}
