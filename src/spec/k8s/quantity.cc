#include "spec/k8s/quantity.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>

#include "base/strings.h"

namespace portcullis::k8s {
namespace {

__extension__ using Int128 = __int128;

constexpr Int128 kNanosPerUnit = 1000000000;
// The largest amount Kubernetes keeps, in billionths.
constexpr Int128 kMaxNanos = static_cast<Int128>(std::numeric_limits<int64_t>::max()) * kNanosPerUnit;
constexpr size_t kMaxText = 64;
constexpr uint64_t kMaxExponent = 100;
constexpr Int128 kMaxProduct = static_cast<Int128>(1) << 126;

struct Suffix {
  Int128 nanos = kNanosPerUnit;  // billionths in one of what the number counts
  int exponent = 0;              // power of ten on top
};

std::optional<Suffix> ParseSuffix(std::string_view suffix) {
  struct Entry {
    std::string_view name;
    Int128 nanos;
  };
  constexpr Int128 kKi = 1024;
  static constexpr std::array<Entry, 16> kSuffixes{{
      {"", kNanosPerUnit},
      {"n", 1},
      {"u", 1000},
      {"m", 1000000},
      {"k", kNanosPerUnit * 1000},
      {"M", kNanosPerUnit * 1000000},
      {"G", kNanosPerUnit * 1000000000},
      {"T", kNanosPerUnit * 1000000000000},
      {"P", kNanosPerUnit * 1000000000000000},
      {"E", kNanosPerUnit * 1000000000000000000},
      {"Ki", kNanosPerUnit * kKi},
      {"Mi", kNanosPerUnit * kKi * kKi},
      {"Gi", kNanosPerUnit * kKi * kKi * kKi},
      {"Ti", kNanosPerUnit * kKi * kKi * kKi * kKi},
      {"Pi", kNanosPerUnit * kKi * kKi * kKi * kKi * kKi},
      {"Ei", kNanosPerUnit * kKi * kKi * kKi * kKi * kKi * kKi},
  }};
  for (const Entry& entry : kSuffixes) {
    if (entry.name == suffix) return Suffix{entry.nanos, 0};
  }
  if (suffix.size() < 2 || (suffix[0] != 'e' && suffix[0] != 'E')) return std::nullopt;
  std::string_view digits = suffix.substr(1);
  const bool negative = digits[0] == '-';
  if (digits[0] == '-' || digits[0] == '+') digits.remove_prefix(1);
  auto exponent = base::ParseUint(digits);
  if (!exponent || *exponent > kMaxExponent) return std::nullopt;
  return Suffix{kNanosPerUnit, negative ? -static_cast<int>(*exponent) : static_cast<int>(*exponent)};
}

// a * b, cut to kMaxNanos; both are non-negative.
Int128 CappedMultiply(Int128 a, Int128 b) {
  if (a == 0 || b == 0) return 0;
  return a > kMaxNanos / b ? kMaxNanos : a * b;
}

std::string_view TakeDigits(std::string_view& text) {
  size_t length = 0;
  while (length < text.size() && text[length] >= '0' && text[length] <= '9') ++length;
  std::string_view digits = text.substr(0, length);
  text.remove_prefix(length);
  return digits;
}

// Moves the decimal point between `whole` and `fraction` by `places` to the right (to the left if negative).
void MovePoint(std::string& whole, std::string& fraction, int places) {
  for (; places > 0; --places) {
    whole += fraction.empty() ? '0' : fraction.front();
    if (!fraction.empty()) fraction.erase(0, 1);
  }
  for (; places < 0; ++places) {
    fraction.insert(fraction.begin(), whole.empty() ? '0' : whole.back());
    if (!whole.empty()) whole.pop_back();
  }
}

// whole.fraction times `unit`, rounded up to a billionth and cut to kMaxNanos.
Int128 Scale(std::string_view whole, std::string_view fraction, Int128 unit) {
  Int128 number = 0;
  for (char c : whole) number = std::min<Int128>(number * 10 + (c - '0'), kMaxNanos);
  // As many decimals as fit 127 bits together with the unit; further ones only round up.
  Int128 part = 0;
  Int128 denominator = 1;
  size_t used = 0;
  for (; used < fraction.size() && denominator <= kMaxProduct / unit / 10; ++used) {
    part = part * 10 + (fraction[used] - '0');
    denominator *= 10;
  }
  const bool more = fraction.find_first_not_of('0', used) != std::string_view::npos;
  const bool inexact = more || part * unit % denominator != 0;
  return std::min(CappedMultiply(number, unit) + part * unit / denominator + (inexact ? 1 : 0), kMaxNanos);
}

int64_t CutToInt64(Int128 value) {
  if (value > std::numeric_limits<int64_t>::max()) return std::numeric_limits<int64_t>::max();
  if (value < std::numeric_limits<int64_t>::min()) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(value);
}

// Division that rounds away from zero, as Kubernetes rounds quantities.
int64_t RoundedQuotient(Int128 value, Int128 unit) {
  Int128 quotient = value / unit;
  const Int128 rest = value % unit;
  if (rest > 0) ++quotient;
  if (rest < 0) --quotient;
  return CutToInt64(quotient);
}

}  // namespace

Quantity Quantity::FromValue(int64_t value) {
  Quantity quantity;
  quantity.nanos_ = static_cast<Int128>(value) * kNanosPerUnit;
  quantity.text_ = fmt::format("{}", value);
  return quantity;
}

Quantity Quantity::FromMilli(int64_t milli) {
  Quantity quantity;
  quantity.nanos_ = static_cast<Int128>(milli) * (kNanosPerUnit / 1000);
  quantity.text_ = milli % 1000 == 0 ? fmt::format("{}", milli / 1000) : fmt::format("{}m", milli);
  return quantity;
}

Result<Quantity> Quantity::Parse(std::string_view text) {
  const auto malformed = [&text] {
    return Fail(Code::kInvalidArgument,
                "quantity {} must be a number with an optional suffix (m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei)",
                base::Quote(text.substr(0, kMaxText)));
  };
  if (text.empty() || text.size() > kMaxText) return malformed();

  std::string_view rest = text;
  const bool negative = rest[0] == '-';
  if (rest[0] == '-' || rest[0] == '+') rest.remove_prefix(1);
  std::string whole(TakeDigits(rest));
  std::string fraction;
  if (!rest.empty() && rest[0] == '.') {
    rest.remove_prefix(1);
    fraction = TakeDigits(rest);
  }
  const auto suffix = ParseSuffix(rest);
  if (!suffix || (whole.empty() && fraction.empty())) return malformed();
  MovePoint(whole, fraction, suffix->exponent);
  const Int128 nanos = Scale(whole, fraction, suffix->nanos);

  Quantity quantity;
  quantity.nanos_ = negative ? -nanos : nanos;
  quantity.text_ = std::string(text);
  return quantity;
}

int64_t Quantity::Value() const { return RoundedQuotient(nanos_, kNanosPerUnit); }

int64_t Quantity::MilliValue() const { return RoundedQuotient(nanos_, kNanosPerUnit / 1000); }

int64_t Quantity::DividedBy(const Quantity& divisor) const {
  return RoundedQuotient(nanos_, divisor.nanos_ == 0 ? kNanosPerUnit : divisor.nanos_);
}

Quantity& Quantity::operator+=(const Quantity& other) {
  nanos_ += other.nanos_;
  if (nanos_ > kMaxNanos) nanos_ = kMaxNanos;
  if (nanos_ < -kMaxNanos) nanos_ = -kMaxNanos;
  text_ = nanos_ % kNanosPerUnit == 0 ? fmt::format("{}", Value()) : fmt::format("{}m", MilliValue());
  return *this;
}

}  // namespace portcullis::k8s
