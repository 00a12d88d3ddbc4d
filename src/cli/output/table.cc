#include "cli/output/table.h"

#include <algorithm>

namespace portcullis::cli {
namespace {

constexpr size_t kMinimumWidth = 20;
constexpr size_t kPadding = 3;

size_t CharacterCount(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

Table::Table(std::vector<std::string> header) {
  if (!header.empty()) AddRow(std::move(header));
}

void Table::AddRow(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

std::string Table::Text() const {
  std::vector<size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()), kMinimumWidth);
    for (size_t i = 0; i + 1 < row.size(); ++i) widths[i] = std::max(widths[i], CharacterCount(row[i]) + kPadding);
  }
  std::string text;
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] - CharacterCount(row[i]), ' ');
    }
    text += '\n';
  }
  return text;
}

}  // namespace portcullis::cli
