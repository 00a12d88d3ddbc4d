// What containers, images and OCI runtimes write and the runtime reads: log lines, passwd and group files, runtime
// specs, error texts, conmon's messages.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/document.h"
#include "require.h"
#include "runtime/container/log_file.h"
#include "runtime/container/runtime_message.h"
#include "spec/oci/runtime_spec.h"
#include "spec/oci/user.h"

namespace {

using namespace portcullis;

void ReadLogLine(std::string_view text) {
  const auto line = runtime::ParseCriLogLine(text);
  if (!line) return;
  Require(line->content.empty() || (line->content.data() >= text.data() &&
                                    line->content.data() + line->content.size() <= text.data() + text.size()));
}

// Input: the first line is the user; then passwd up to an empty line; the rest is group.
void LookUpUser(std::string_view text) {
  const size_t end = text.find('\n');
  if (end == std::string_view::npos) return;
  const std::string_view user = text.substr(0, end);
  const std::string_view files = text.substr(end + 1);
  const size_t gap = files.find("\n\n");
  const std::string_view passwd = files.substr(0, gap);
  const std::string_view group = gap == std::string_view::npos ? std::string_view() : files.substr(gap + 2);
  const auto found = oci::ResolveUser(passwd, group, user);
  if (!found) return;
  Require(found->uid <= 2147483647u && found->gid <= 2147483647u);
  for (const uint32_t gid : found->group_gids) Require(gid <= 2147483647u && gid != found->gid);
}

void ReadSpec(std::string_view text) {
  const auto json = base::ParseJson(text, "fuzz");
  if (!json) return;
  const auto spec = oci::SpecFromJson(*json, "fuzz");
  if (!spec) return;
  // What was read and written once is stable.
  const nlohmann::json written = oci::ToJson(*spec);
  const auto again = oci::SpecFromJson(written, "again");
  Require(again.has_value() && oci::ToJson(*again) == written);
}

void ReadMessages(std::string_view text) {
  const std::string cleaned = runtime::CleanRuntimeMessage(text);
  // One line of UTF-8 that protobuf takes, of bounded length.
  Require(!cleaned.empty() && cleaned.size() <= 2003 && cleaned.find('\n') == std::string::npos);
  (void)nlohmann::json(cleaned).dump();  // throws unless it is UTF-8
  const auto message = runtime::ParseSyncMessage(text);
  if (message) Require(message->pid || message->exit_code);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ReadLogLine(text);
  LookUpUser(text);
  ReadSpec(text);
  ReadMessages(text);
  return 0;
}
