// Names of the constants that system call arguments take, both ways: as people and strace write them, and for readers
// of findings; and which arguments matter.
//
//   ConstantValue(Arch::kX86_64, "CLONE_NEWUSER|CLONE_FS|0x10|SIGCHLD")  -> 0x10000211
//   DescribeArgument(Arch::kX86_64, "socket", 0, 38)                     -> "AF_ALG"
//   DescribeCall(Arch::kX86_64, "socket", {{0, 16}, {2, 9}})             -> "socket(AF_NETLINK, _, NETLINK_AUDIT)"
//   KeptArguments(Arch::kX86_64, "socket")                               -> {0, 1, 2}
//
// Look-ups only. The facts are in data/syscalls/constants.tsv, from the kernel's uapi headers, and which argument takes
// which set in data/syscalls/arguments.tsv.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/syscalls/arch.h"

namespace portcullis::syscalls {

struct CallArgument {
  int index = 0;  // from 0
  uint64_t value = 0;
  auto operator<=>(const CallArgument&) const = default;
};

// The value of an expression as strace and C have it: names, numbers (decimal, 0x, 0 for octal, negative), combined
// with `|` and `<<`, comments between /* and */ left out. A negative number fills the registers of the architecture.
// nullopt: holds a name that is not known, or is no such expression (a string, a structure, an address of more than 64
// bits).
std::optional<uint64_t> ConstantValue(Arch arch, std::string_view text);

// Every name that an expression may hold, sorted; to suggest one.
std::vector<std::string_view> ConstantNames();

// What the argument's value is called: "AF_ALG", "CLONE_NEWUSER|SIGCHLD", "PER_LINUX". A number where no name is known
// for it ("0x1234"), flags without a name after those with one ("CLONE_FS|0x7"). Arguments are ints for the kernel in
// all these calls: bits above the low 32 are told apart ("0x100000026 (for the kernel AF_ALG)").
std::string DescribeArgument(Arch arch, std::string_view syscall, int index, uint64_t value);

// The whole call as far as its arguments are known: "socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT)"; "_" for an argument
// before a known one that is not known itself; "bpf" when none is.
std::string DescribeCall(Arch arch, std::string_view syscall, std::span<const CallArgument> arguments);

// Indices, ascending, of the arguments that evidence keeps of a call: those that default profiles test, and those that
// a finding is about. Every source keeps the same ones, so that traces of different sources can be merged.
std::vector<int> KeptArguments(Arch arch, std::string_view syscall);

// Some default profile, of any runtime and release, tests it: a recorder must keep its value, and evidence that lacks
// it cannot be judged by.
bool IsTestedArgument(Arch arch, std::string_view syscall, int index);

}  // namespace portcullis::syscalls
