// What an attachment was made with, kept until DEL: one JSON file per container.
#pragma once

#include <string>

#include "base/result.h"
#include "runtime/network/cni_config.h"
#include "runtime/network/cni_request.h"

namespace portcullis::runtime {

struct CniAttachment {
  // As at ADD; of what goes to plugins as capabilities only the port mappings are read back, the rest is in
  // `capability_args`.
  CniRequest request;
  std::string capability_args = "{}";  // capability_args.h
  CniNetwork network;                  // as it was at ADD
  std::string result_json;             // "" while ADD has not finished
};

std::string EncodeAttachment(const CniAttachment& attachment);
Result<CniAttachment> DecodeAttachment(std::string_view json, const std::string& path);

}  // namespace portcullis::runtime
