// Content digests as OCI writes them. One algorithm is accepted: "sha256:" and 64 lower-case hex digits
// (OCI image-spec, descriptor.md, "Digests"; the other registered algorithm, sha512, is optional there and unused in
// practice).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace portcullis::oci {

inline constexpr std::string_view kSha256Prefix = "sha256:";

bool IsDigest(std::string_view text);

// As IsDigest, with an error that names `what` ("layer 3") and the value.
Result<void> CheckDigest(std::string_view text, std::string_view what);

// "sha256:ab12..." -> "ab12...". The text must be a digest.
std::string_view DigestHex(std::string_view digest);

// Digest of bytes held in memory.
std::string DigestOf(std::string_view data);

// Chain ids, oldest layer first: the name of "this layer on top of all below it"
// (image-spec config.md, "Layer ChainID"): C(0) = diff(0), C(n) = sha256(C(n-1) + " " + diff(n)).
std::vector<std::string> ChainIds(std::span<const std::string> diff_ids);

}  // namespace portcullis::oci
