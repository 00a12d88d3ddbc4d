// Image references as users write them, in Docker's normal form.
//
//   ParseReference("nginx")              -> docker.io / library/nginx, tag "latest"
//   ParseReference("redis:6.2")->String()          == "docker.io/library/redis:6.2"
//   ParseReference("localhost:5000/a/b@sha256:…")  -> localhost:5000 / a/b, no tag, a digest
//
// Grammar: distribution-spec ("pull"), Docker's reference grammar: `[host[:port]/]name[:tag][@digest]`. The first
// component is a host when it holds a dot or a colon, is "localhost", or has an upper-case letter. `docker.io` names of
// one component get "library/".
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace portcullis::oci {

struct Reference {
  std::string registry;    // "docker.io", "localhost:5000"
  std::string repository;  // "library/nginx"
  std::string tag;         // "" only when there is a digest
  std::string digest;      // "sha256:…" or ""

  std::string Name() const;                                        // "docker.io/library/nginx"
  std::string String() const;                                      // name[:tag][@digest]
  std::string TagString() const;                                   // name:tag; "" when there is no tag
  std::string WithDigest(std::string_view manifest_digest) const;  // name@digest, as in repoDigests
};

// The error is kInvalidArgument: `couldn't parse image name "X": invalid reference format: <why>` (the kubelet's
// words).
Result<Reference> ParseReference(std::string_view text);

}  // namespace portcullis::oci
