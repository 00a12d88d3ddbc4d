#include "runtime/streaming/token_cache.h"

#include <sys/random.h>

#include "base/check.h"

namespace portcullis::runtime {

std::string MakeToken() {
  static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  unsigned char random[8];
  CHECK(::getrandom(random, sizeof random, 0) == sizeof random);
  std::string token;
  for (const unsigned char byte : random) token += kAlphabet[byte % kAlphabet.size()];
  return token;
}

}  // namespace portcullis::runtime
