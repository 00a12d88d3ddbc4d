// Digest of a stream, for content that does not fit in memory.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <span>
#include <string>

namespace portcullis::runtime {

class Sha256 {
 public:
  Sha256();
  void Update(std::span<const char> data);
  // "sha256:<hex>"; once, at the end.
  std::string Finish();

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

}  // namespace portcullis::runtime
