// Spellings of the model's enumerations. Private to this room: use the functions of profile.h.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "base/named.h"
#include "engine/seccomp/profile.h"

namespace portcullis::seccomp {

using base::Named;
using base::NameIn;
using base::ValueIn;

inline constexpr std::array<Named<Action>, 9> kActionNames = {{
    {"SCMP_ACT_KILL", Action::kKill},
    {"SCMP_ACT_KILL_THREAD", Action::kKillThread},
    {"SCMP_ACT_KILL_PROCESS", Action::kKillProcess},
    {"SCMP_ACT_TRAP", Action::kTrap},
    {"SCMP_ACT_ERRNO", Action::kErrno},
    {"SCMP_ACT_TRACE", Action::kTrace},
    {"SCMP_ACT_ALLOW", Action::kAllow},
    {"SCMP_ACT_LOG", Action::kLog},
    {"SCMP_ACT_NOTIFY", Action::kNotify},
}};

inline constexpr std::array<Named<CompareOp>, 7> kCompareOpNames = {{
    {"SCMP_CMP_NE", CompareOp::kNotEqual},
    {"SCMP_CMP_LT", CompareOp::kLess},
    {"SCMP_CMP_LE", CompareOp::kLessEqual},
    {"SCMP_CMP_EQ", CompareOp::kEqual},
    {"SCMP_CMP_GE", CompareOp::kGreaterEqual},
    {"SCMP_CMP_GT", CompareOp::kGreater},
    {"SCMP_CMP_MASKED_EQ", CompareOp::kMaskedEqual},
}};

inline constexpr std::array<Named<FilterFlag>, 4> kFilterFlagNames = {{
    {"SECCOMP_FILTER_FLAG_TSYNC", FilterFlag::kTsync},
    {"SECCOMP_FILTER_FLAG_LOG", FilterFlag::kLog},
    {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", FilterFlag::kSpecAllow},
    {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", FilterFlag::kWaitKillableRecv},
}};

// errno names with this architecture's values; names that share a value come after the usual one.
std::span<const Named<int>> ErrnoNames();

}  // namespace portcullis::seccomp
