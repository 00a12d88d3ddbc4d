#include "http/stream/websocket_handshake.h"

#include <openssl/evp.h>
#include <sys/random.h>

#include "base/check.h"
#include "base/strings.h"

namespace portcullis::http {
namespace {

constexpr size_t kKeySize = 16;

}  // namespace

std::string MakeWebSocketKey() {
  std::string key(kKeySize, '\0');
  CHECK(::getrandom(key.data(), key.size(), 0) == static_cast<ssize_t>(key.size()));
  return base::ToBase64(key);
}

bool IsWebSocketKey(std::string_view key) {
  const auto bytes = base::FromBase64(key);
  return bytes && bytes->size() == kKeySize;
}

std::string WebSocketAccept(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // the RFC's own constant
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  CHECK(EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), &size, EVP_sha1(),
                   nullptr) == 1);
  digest.resize(size);
  return base::ToBase64(digest);
}

}  // namespace portcullis::http
