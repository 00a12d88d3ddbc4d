// What a pull tells whoever watches it. Called from several threads at once; any may be empty.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace portcullis::runtime {

struct BlobSize {
  std::string digest;
  int64_t bytes = 0;
};

struct PullProgress {
  std::function<void(const std::string& text)> step;  // "docker.io/library/nginx:1.21: from https://…", for people
  std::function<void(const std::vector<BlobSize>& blobs)> expects;  // config and layers, in the manifest's order
  // How much of a blob is here: resumed, fetched, or all of it because it was here before.
  std::function<void(const std::string& digest, int64_t bytes)> has;
};

}  // namespace portcullis::runtime
