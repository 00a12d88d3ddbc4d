#include "http/stream/spdy_frames.h"

#include <zlib.h>

#include <array>

#include "base/check.h"
#include "base/strings.h"

namespace portcullis::http::spdy {
namespace {

constexpr uint32_t kControlBit = 0x80000000u;
constexpr uint32_t kVersion = 3;

// The dictionary of SPDY/3 header blocks: these words, each after its length, then the tail.
constexpr std::array<std::string_view, 65> kDictionaryWords = {
    "options",
    "head",
    "post",
    "put",
    "delete",
    "trace",
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "age",
    "allow",
    "authorization",
    "cache-control",
    "connection",
    "content-base",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-md5",
    "content-range",
    "content-type",
    "date",
    "etag",
    "expect",
    "expires",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-modified",
    "location",
    "max-forwards",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "range",
    "referer",
    "retry-after",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "method",
    "get",
    "status",
    "200 OK",
    "version",
    "HTTP/1.1",
    "url",
    "public",
    "set-cookie",
    "keep-alive",
    "origin",
};
constexpr std::string_view kDictionaryTail =
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative "
    "Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 "
    "Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec "
    "00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, "
    "GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/"
    "javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

const std::string& Dictionary() {
  static const std::string dictionary = [] {
    std::string text;
    for (const std::string_view word : kDictionaryWords) {
      AppendUint32(text, static_cast<uint32_t>(word.size()));
      text += word;
    }
    text += kDictionaryTail;
    return text;
  }();
  return dictionary;
}

Bytef* Bytes(std::string_view text) { return reinterpret_cast<Bytef*>(const_cast<char*>(text.data())); }

}  // namespace

uint32_t ReadUint32(std::string_view bytes) {
  uint32_t number = 0;
  for (size_t i = 0; i < 4; ++i) number = number << 8 | static_cast<unsigned char>(bytes[i]);
  return number;
}

void AppendUint32(std::string& out, uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xff);
}

Result<FrameHead> ReadFrameHead(std::string_view bytes) {
  const uint32_t first = ReadUint32(bytes);
  const uint32_t second = ReadUint32(bytes.substr(4));
  FrameHead head{.flags = static_cast<uint8_t>(second >> 24), .length = second & 0xffffff};
  if ((first & kControlBit) == 0) {
    head.stream = first;
    return head;
  }
  if ((first >> 16 & 0x7fff) != kVersion) {
    return Fail(Code::kInvalidArgument, "SPDY frame of version {}, expected {}", first >> 16 & 0x7fff, kVersion);
  }
  head.type = static_cast<FrameType>(first & 0xffff);
  if (head.type == FrameType::kData) return Fail(Code::kInvalidArgument, "SPDY control frame of type 0");
  if (head.length > kMaxControlFrame) {
    return Fail(Code::kInvalidArgument, "SPDY control frame of {} bytes, at most {} are taken", head.length,
                kMaxControlFrame);
  }
  return head;
}

std::string DataFrame(uint32_t stream, std::string_view data, bool fin) {
  CHECK(data.size() <= kMaxDataFrame);
  std::string frame;
  frame.reserve(kFrameHead + data.size());
  AppendUint32(frame, stream);
  AppendUint32(frame, static_cast<uint32_t>(fin ? kFlagFin : 0) << 24 | static_cast<uint32_t>(data.size()));
  frame += data;
  return frame;
}

std::string ControlFrame(FrameType type, uint8_t flags, std::string_view payload) {
  CHECK(payload.size() <= 0xffffff);
  std::string frame;
  AppendUint32(frame, kControlBit | kVersion << 16 | static_cast<uint32_t>(type));
  AppendUint32(frame, static_cast<uint32_t>(flags) << 24 | static_cast<uint32_t>(payload.size()));
  frame += payload;
  return frame;
}

std::string WriteHeaderBlock(const std::map<std::string, std::string>& headers) {
  std::string block;
  AppendUint32(block, static_cast<uint32_t>(headers.size()));
  for (const auto& [name, value] : headers) {
    for (const std::string& text : {name, value}) {
      AppendUint32(block, static_cast<uint32_t>(text.size()));
      block += text;
    }
  }
  return block;
}

Result<std::map<std::string, std::string>> ReadHeaderBlock(std::string_view block) {
  const auto cut_short = [] { return Fail(Code::kInvalidArgument, "SPDY header block is cut short"); };
  const auto take = [&block]() -> std::optional<std::string_view> {
    if (block.size() < 4) return std::nullopt;
    const uint32_t length = ReadUint32(block);
    block.remove_prefix(4);
    if (length > block.size()) return std::nullopt;
    const std::string_view text = block.substr(0, length);
    block.remove_prefix(length);
    return text;
  };
  if (block.size() < 4) return cut_short();
  const uint32_t count = ReadUint32(block);
  block.remove_prefix(4);
  std::map<std::string, std::string> headers;
  for (uint32_t i = 0; i < count; ++i) {
    const auto name = take();
    const auto value = name ? take() : std::nullopt;
    if (!value) return cut_short();
    if (name->empty()) return Fail(Code::kInvalidArgument, "SPDY header without a name");
    if (!headers.emplace(base::ToLower(*name), *value).second) {
      return Fail(Code::kInvalidArgument, "SPDY header {} is there twice", base::Quote(*name));
    }
  }
  if (!block.empty()) return Fail(Code::kInvalidArgument, "SPDY header block has {} bytes too many", block.size());
  return headers;
}

struct HeaderDeflater::State {
  z_stream zlib{};
  State() {
    CHECK(deflateInit(&zlib, Z_BEST_COMPRESSION) == Z_OK);
    CHECK(deflateSetDictionary(&zlib, Bytes(Dictionary()), static_cast<uInt>(Dictionary().size())) == Z_OK);
  }
  ~State() { deflateEnd(&zlib); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

HeaderDeflater::HeaderDeflater() : state_(std::make_unique<State>()) {}
HeaderDeflater::~HeaderDeflater() = default;
HeaderDeflater::HeaderDeflater(HeaderDeflater&&) noexcept = default;

std::string HeaderDeflater::Compress(std::string_view block) {
  z_stream& zlib = state_->zlib;
  zlib.next_in = Bytes(block);
  zlib.avail_in = static_cast<uInt>(block.size());
  std::string out;
  do {
    char buffer[4096];
    zlib.next_out = reinterpret_cast<Bytef*>(buffer);
    zlib.avail_out = sizeof buffer;
    const int code = deflate(&zlib, Z_SYNC_FLUSH);
    CHECK(code == Z_OK || code == Z_BUF_ERROR);
    out.append(buffer, sizeof buffer - zlib.avail_out);
  } while (zlib.avail_out == 0);
  return out;
}

struct HeaderInflater::State {
  z_stream zlib{};
  State() { CHECK(inflateInit(&zlib) == Z_OK); }
  ~State() { inflateEnd(&zlib); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

HeaderInflater::HeaderInflater() : state_(std::make_unique<State>()) {}
HeaderInflater::~HeaderInflater() = default;
HeaderInflater::HeaderInflater(HeaderInflater&&) noexcept = default;

Result<std::string> HeaderInflater::Expand(std::string_view compressed) {
  z_stream& zlib = state_->zlib;
  zlib.next_in = Bytes(compressed);
  zlib.avail_in = static_cast<uInt>(compressed.size());
  std::string out;
  while (true) {
    char buffer[4096];
    zlib.next_out = reinterpret_cast<Bytef*>(buffer);
    zlib.avail_out = sizeof buffer;
    int code = inflate(&zlib, Z_SYNC_FLUSH);
    if (code == Z_NEED_DICT) {
      if (inflateSetDictionary(&zlib, Bytes(Dictionary()), static_cast<uInt>(Dictionary().size())) != Z_OK) {
        return Fail(Code::kInvalidArgument, "SPDY header block with another dictionary");
      }
      code = inflate(&zlib, Z_SYNC_FLUSH);
    }
    if (code != Z_OK && code != Z_BUF_ERROR) {
      return Fail(Code::kInvalidArgument, "SPDY header block cannot be inflated");
    }
    out.append(buffer, sizeof buffer - zlib.avail_out);
    if (out.size() > kMaxHeaderBlock) {
      return Fail(Code::kInvalidArgument, "SPDY header block of more than {} bytes", kMaxHeaderBlock);
    }
    if (zlib.avail_out != 0) return out;
  }
}

}  // namespace portcullis::http::spdy
