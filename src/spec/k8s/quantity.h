// Quantity: Kubernetes' amounts ("100m", "1Gi", "1e3", "0.5", "12").
//
//   ASSIGN_OR_RETURN(Quantity cpu, Quantity::Parse("250m"));
//   cpu.MilliValue()  -> 250          Quantity::Parse("1Ki")->Value() -> 1024
//
// Held in billionths (the finest step Kubernetes keeps; finer digits are rounded away from zero, as there), in 128
// bits.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace portcullis::k8s {

class Quantity {
 public:
  Quantity() = default;
  static Quantity FromValue(int64_t value);
  static Quantity FromMilli(int64_t milli);

  // Suffixes: n u m "" k M G T P E, Ki Mi Gi Ti Pi Ei, and decimal exponents e3 / E3. Amounts over 2^63-1 are cut to
  // it.
  static Result<Quantity> Parse(std::string_view text);

  int64_t Value() const;       // whole units, rounded up (away from zero), as Kubernetes rounds
  int64_t MilliValue() const;  // thousandths, rounded up; cut to the range of int64_t
  // ceil(amount / divisor), as resourceFieldRef gives it; a zero divisor counts as 1.
  int64_t DividedBy(const Quantity& divisor) const;
  bool IsZero() const { return nanos_ == 0; }
  bool IsNegative() const { return nanos_ < 0; }
  // As written; "0" for a default-constructed one.
  const std::string& text() const { return text_; }

  friend bool operator==(const Quantity& a, const Quantity& b) { return a.nanos_ == b.nanos_; }
  friend auto operator<=>(const Quantity& a, const Quantity& b) { return a.nanos_ <=> b.nanos_; }
  Quantity& operator+=(const Quantity& other);

 private:
  __extension__ using Int128 = __int128;
  Int128 nanos_ = 0;
  std::string text_ = "0";
};

}  // namespace portcullis::k8s
