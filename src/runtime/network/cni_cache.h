// What an attachment was made with, kept until DEL: one JSON file per container.
#pragma once

#include <string>

#include "base/result.h"
#include "runtime/network/cni.h"

namespace portcullis::runtime {

struct CniAttachment {
  CniRequest request;
  CniNetwork network;       // as it was at ADD
  std::string result_json;  // "" while ADD has not finished
};

std::string EncodeAttachment(const CniAttachment& attachment);
Result<CniAttachment> DecodeAttachment(std::string_view json, const std::string& path);

}  // namespace portcullis::runtime
