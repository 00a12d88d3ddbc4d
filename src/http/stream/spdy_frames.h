// Frames of SPDY/3.1 (draft-mbelshe-httpbis-spdy-00, section 2.2): control 0x8003, type16, flags8, length24; data
// stream31, flags8, length24. Header blocks (section 2.6.10) are compressed with one zlib stream per direction and a
// fixed dictionary.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace portcullis::http::spdy {

enum class FrameType : uint16_t {
  kData = 0,  // not a number of the protocol: a frame without the control bit
  kSynStream = 1,
  kSynReply = 2,
  kRstStream = 3,
  kSettings = 4,
  kPing = 6,
  kGoAway = 7,
  kHeaders = 8,
  kWindowUpdate = 9,
};

inline constexpr uint8_t kFlagFin = 1;
inline constexpr size_t kFrameHead = 8;
inline constexpr size_t kMaxControlFrame = 64u << 10;
inline constexpr size_t kMaxHeaderBlock = 64u << 10;  // inflated
inline constexpr size_t kMaxDataFrame = 64u << 10;    // of those sent; those received may be of any size

inline constexpr uint32_t kStatusRefusedStream = 3;
inline constexpr uint32_t kStatusCancel = 5;

struct FrameHead {
  FrameType type = FrameType::kData;  // may be a number that the protocol does not know
  uint32_t stream = 0;                // of data frames
  uint8_t flags = 0;
  uint32_t length = 0;  // of what follows the head
};

// `bytes` has at least kFrameHead. kInvalidArgument: another version, or a control frame over kMaxControlFrame.
Result<FrameHead> ReadFrameHead(std::string_view bytes);

uint32_t ReadUint32(std::string_view bytes);  // big endian, of the first four
void AppendUint32(std::string& out, uint32_t number);

std::string DataFrame(uint32_t stream, std::string_view data, bool fin);  // data of at most kMaxDataFrame
std::string ControlFrame(FrameType type, uint8_t flags, std::string_view payload);

// The block before compression: count, then length and text of each name and value.
std::string WriteHeaderBlock(const std::map<std::string, std::string>& headers);
// Names become lower case. Errors: cut short, longer than it says, an empty or repeated name.
Result<std::map<std::string, std::string>> ReadHeaderBlock(std::string_view block);

class HeaderDeflater {
 public:
  HeaderDeflater();
  ~HeaderDeflater();
  HeaderDeflater(HeaderDeflater&&) noexcept;
  // The next block of the connection.
  std::string Compress(std::string_view block);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class HeaderInflater {
 public:
  HeaderInflater();
  ~HeaderInflater();
  HeaderInflater(HeaderInflater&&) noexcept;
  // The next block of the connection. Errors: not zlib's, another dictionary, more than kMaxHeaderBlock.
  Result<std::string> Expand(std::string_view compressed);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace portcullis::http::spdy
