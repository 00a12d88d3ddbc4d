// Tables of names and values, read both ways.
//
//   constexpr std::array<Named<Phase>, 2> kPhases = {{{"init", Phase::kInit}, {"exec", Phase::kExec}}};
//   NameIn(kPhases, Phase::kInit)   -> "init"
//   ValueIn(kPhases, "exec")        -> Phase::kExec
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace portcullis::base {

template <class T>
using Named = std::pair<std::string_view, T>;

// The first name of a value; "" when it has none.
template <class Table, class T>
std::string_view NameIn(const Table& table, T value) {
  const auto found = std::ranges::find(table, value, &Named<T>::second);
  return found == table.end() ? std::string_view{} : found->first;
}

template <class Table>
auto ValueIn(const Table& table, std::string_view name)
    -> std::optional<std::remove_cvref_t<decltype(table.begin()->second)>> {
  for (const auto& [candidate, value] : table) {
    if (candidate == name) return value;
  }
  return std::nullopt;
}

}  // namespace portcullis::base
