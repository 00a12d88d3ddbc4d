// What scripts/generate-constants makes of data/syscalls/constants.tsv and arguments.tsv; constants.h is the interface.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace portcullis::syscalls {

// Where a value or a use holds: groups of architectures that differ from the others.
enum class ConstantPlace : uint8_t { kEverywhere, kMips, kPpc, kS390, kX86 };

struct Constant {
  std::string_view name;
  uint64_t value;
  ConstantPlace place;  // an entry of a place comes after, and instead of, that of kEverywhere
};

struct ConstantSet {
  std::string_view name;
  bool flags;         // any of them, else one of them
  uint64_t low_mask;  // these bits are of the set `low`
  int low;            // -1: none
  std::span<const Constant> constants;
};

struct ArgumentUse {
  enum Use : uint8_t { kNamed, kKept, kTested };
  std::string_view call;
  int index;
  int set;
  Use use;
  ConstantPlace place;
  bool not_there;  // holds everywhere but at `place`
  int other;       // holds when this argument has `other_value`; -1: always
  uint64_t other_value;
};

std::span<const ConstantSet> ConstantSets();
std::span<const ArgumentUse> ArgumentUses();  // sorted by call, then index

}  // namespace portcullis::syscalls
