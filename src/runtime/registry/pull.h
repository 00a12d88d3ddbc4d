// From a registry to an OCI image layout on disk, from which the image store loads.
//
// The folder may hold what an earlier, interrupted pull left: whole blobs are kept, partial ones resumed. A blob gets
// its name only when its digest and size are right. A blob that another pull fetches at this moment is waited for, and
// shared.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "runtime/registry/pull_progress.h"
#include "runtime/registry/registry_client.h"
#include "spec/oci/reference.h"

namespace portcullis::runtime {

struct PullHooks {
  std::function<bool(const std::string& digest, int64_t size)> have;  // the store has this blob: it is not fetched
  PullProgress progress;
};

// What a name stands for at a registry now.
struct RemoteImage {
  std::string digest;  // of what the reference names: a manifest or an index
  std::string media_type;
  std::string document;  // raw bytes
};

Result<RemoteImage> ResolveRemote(RegistryClient& client, const oci::Reference& reference);
// The digest alone, which registries do not count as a pull; "" when this one does not tell.
Result<std::string> ResolveDigest(RegistryClient& client, const oci::Reference& reference);

// Fetches manifest, config and layers for this host's platform into `folder`, a sibling of other pulls' folders.
Result<void> FetchLayout(RegistryClient& client, const RemoteImage& image, const std::string& folder,
                         const PullHooks& hooks);

}  // namespace portcullis::runtime
