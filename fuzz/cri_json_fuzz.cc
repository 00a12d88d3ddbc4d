// Pod and container configurations as JSON: what crictl's users write, and what the runtime's database gives back. What
// was read survives being written in either style.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/document.h"
#include "cri/json.h"
#include "require.h"

using namespace portcullis;

namespace {

template <class Message>
void TryMessage(const nlohmann::json& json) {
  const auto message = cri::FromJson<Message>(json);
  if (!message) return;
  const auto go = cri::FromJson<Message>(cri::ToGoJson(*message));
  Require(go.has_value() && *go == *message);
  const auto proto = cri::FromJson<Message>(cri::ToProtoJson(*message));
  Require(proto.has_value() && *proto == *message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto json = base::ParseJson({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!json) return 0;
  TryMessage<cri::PodSandboxConfig>(*json);
  TryMessage<cri::ContainerConfig>(*json);
  return 0;
}
