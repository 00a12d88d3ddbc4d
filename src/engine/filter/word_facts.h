// What is known about the words of seccomp_data on one path of a filter, so that no test is made whose outcome earlier
// tests have settled. Sound, not complete: Decide may say "unknown" about a settled test, never the reverse.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "engine/filter/arg_tests.h"

namespace portcullis::filter {

class WordFacts {
 public:
  WordFacts() = default;

  // The facts after `test` came out as `outcome` in a place where `before` held. Keeps a reference to `before`.
  WordFacts(const WordFacts& before, const WordTest& test, bool outcome);

  std::optional<bool> Decide(const WordTest& test) const;

 private:
  struct Word {
    uint32_t low = 0;  // low <= word <= high
    uint32_t high = UINT32_MAX;
    uint32_t ones = 0;  // bits that are known to be set
    uint32_t zeros = 0;
  };
  static size_t IndexOf(uint32_t offset) { return offset / 4; }

  std::array<Word, 16> words_{};
  const WordFacts* before_ = nullptr;
  WordTest failed_;  // when has_failed_: this masked test is false
  bool has_failed_ = false;
};

}  // namespace portcullis::filter
