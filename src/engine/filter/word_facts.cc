#include "engine/filter/word_facts.h"

#include <algorithm>
#include <bit>

namespace portcullis::filter {

WordFacts::WordFacts(const WordFacts& before, const WordTest& test, bool outcome)
    : words_(before.words_), before_(&before) {
  Word& word = words_.at(IndexOf(test.offset));
  if (test.at_least) {
    if (outcome) {
      word.low = std::max(word.low, test.value);
    } else {
      word.high = std::min(word.high, test.value - 1);  // a test against 0 is never made
    }
  } else if (outcome) {
    word.ones |= test.value;
    word.zeros |= test.mask & ~test.value;
    if (test.mask == UINT32_MAX) word.low = word.high = test.value;
  } else {
    failed_ = test;
    has_failed_ = true;
    if (std::has_single_bit(test.mask)) (test.value == 0 ? word.ones : word.zeros) |= test.mask;
    if (test.mask == UINT32_MAX && test.value == word.low && word.low != UINT32_MAX) ++word.low;
    if (test.mask == UINT32_MAX && test.value == word.high && word.high != 0) --word.high;
  }
  if (word.low == word.high) {
    word.ones |= word.low;
    word.zeros |= ~word.low;
  }
}

std::optional<bool> WordFacts::Decide(const WordTest& test) const {
  const Word& word = words_.at(IndexOf(test.offset));
  if (test.at_least) {
    if (word.low >= test.value || word.ones >= test.value) return true;
    if (word.high < test.value || ~word.zeros < test.value) return false;
    return std::nullopt;
  }
  if ((word.zeros & test.value) != 0 || (word.ones & test.mask & ~test.value) != 0) return false;
  if (((word.ones | word.zeros) & test.mask) == test.mask) return true;
  if (test.mask == UINT32_MAX && (test.value < word.low || test.value > word.high)) return false;
  for (const WordFacts* facts = this; facts != nullptr; facts = facts->before_) {
    if (facts->has_failed_ && facts->failed_ == test) return false;
  }
  return std::nullopt;
}

}  // namespace portcullis::filter
