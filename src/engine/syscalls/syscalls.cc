#include "engine/syscalls/syscalls.h"

#include <algorithm>

#include "engine/syscalls/tables.h"

namespace portcullis::syscalls {
namespace {

const Table* TableOf(Arch arch) {
  const auto tables = Tables();
  const auto found = std::ranges::find(tables, arch, &Table::arch);
  return found == tables.end() ? nullptr : &*found;
}

}  // namespace

bool HasTable(Arch arch) { return TableOf(arch) != nullptr; }

std::optional<uint32_t> NumberOf(Arch arch, std::string_view name) {
  const Table* table = TableOf(arch);
  if (table == nullptr) return std::nullopt;
  const auto name_at = [table](uint16_t index) { return table->by_number[index].name; };
  const auto found = std::ranges::lower_bound(table->by_name, name, {}, name_at);
  if (found == table->by_name.end() || name_at(*found) != name) return std::nullopt;
  return table->by_number[*found].number;
}

std::span<const Entry> NamesOf(Arch arch, uint32_t number) {
  const Table* table = TableOf(arch);
  if (table == nullptr) return {};
  const auto range = std::ranges::equal_range(table->by_number, number, {}, &Entry::number);
  return {range.begin(), range.end()};
}

std::optional<std::string_view> NameOf(Arch arch, uint32_t number) {
  const auto names = NamesOf(arch, number);
  if (names.empty()) return std::nullopt;
  return names.front().name;
}

std::span<const Entry> ByNumber(Arch arch) {
  const Table* table = TableOf(arch);
  return table == nullptr ? std::span<const Entry>{} : table->by_number;
}

std::span<const std::string_view> AllNames() { return TableNames(); }

bool IsKnownName(std::string_view name) { return std::ranges::binary_search(TableNames(), name); }

std::optional<KernelRelease> SinceOf(std::string_view name) {
  const auto names = TableNames();
  const auto found = std::ranges::lower_bound(names, name);
  if (found == names.end() || *found != name) return std::nullopt;
  const KernelRelease since = TableSince()[static_cast<size_t>(found - names.begin())];
  if (since == KernelRelease{0, 0}) return std::nullopt;
  return since;
}

}  // namespace portcullis::syscalls
