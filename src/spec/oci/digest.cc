#include "spec/oci/digest.h"

#include "base/check.h"
#include "base/strings.h"

namespace portcullis::oci {
namespace {

constexpr size_t kHexDigits = 64;

}  // namespace

bool IsDigest(std::string_view text) {
  if (!text.starts_with(kSha256Prefix) || text.size() != kSha256Prefix.size() + kHexDigits) return false;
  return text.find_first_not_of("0123456789abcdef", kSha256Prefix.size()) == std::string_view::npos;
}

Result<void> CheckDigest(std::string_view text, std::string_view what) {
  if (!IsDigest(text)) {
    return Fail(Code::kInvalidArgument, "{}: digest {} is not \"sha256:\" and 64 lower-case hexadecimal digits", what,
                base::Quote(text.substr(0, 128)));
  }
  return {};
}

std::string_view DigestHex(std::string_view digest) {
  CHECK(IsDigest(digest));
  return digest.substr(kSha256Prefix.size());
}

std::string DigestOf(std::string_view data) { return std::string(kSha256Prefix) + base::Sha256Hex(data); }

std::vector<std::string> ChainIds(std::span<const std::string> diff_ids) {
  std::vector<std::string> chain;
  chain.reserve(diff_ids.size());
  for (const std::string& diff_id : diff_ids) {
    chain.push_back(chain.empty() ? diff_id : DigestOf(chain.back() + " " + diff_id));
  }
  return chain;
}

}  // namespace portcullis::oci
