#include "insight/evidence/strace_summary.h"

#include <optional>
#include <utility>

#include "base/strings.h"
#include "insight/evidence/strace_mode.h"

namespace portcullis::insight {
namespace {

std::vector<std::string> WordsOf(std::string_view text) {
  std::vector<std::string> words;
  for (std::string& word : base::Split(text, ' ')) {
    if (!word.empty()) words.push_back(std::move(word));
  }
  return words;
}

}  // namespace

void StraceSummary::BeginFile() {
  place_ = Place::kNone;
  arch_ = native_;
}

bool StraceSummary::TakeTitle(const StraceLine& line, std::string_view text) {
  if (!line.mode.empty()) {
    const auto arch = ArchOfStraceMode(native_, line.mode);
    arch_ = arch.value_or(native_);
    return arch.has_value();
  }
  place_ = Place::kTitle;
  std::string words(text);
  if (const size_t at = words.find("% time"); at != std::string::npos) words.replace(at, 6, "%time");
  columns_ = WordsOf(words);
  return true;
}

StraceSummary::Taken StraceSummary::TakeLine(std::string_view text) {
  if (text.starts_with("----")) {
    place_ = place_ == Place::kTitle ? Place::kRows : Place::kTotal;
    return Rule{};
  }
  if (place_ == Place::kTotal) {
    place_ = Place::kNone;
    if (text.find("total") != std::string_view::npos) return Rule{};
    return Over{};
  }
  if (place_ == Place::kTitle) return Rule{};
  const std::vector<std::string> cells = WordsOf(text);
  // The errors of a call without any are left out.
  std::vector<std::string> columns = columns_;
  if (cells.size() + 1 == columns.size()) std::erase(columns, "errors");
  if (cells.size() != columns.size()) return Damaged{};
  Row row;
  std::optional<uint64_t> calls;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (columns[i] == "syscall") row.name = cells[i];
    if (columns[i] == "calls") calls = base::ParseUint(cells[i]);
    if (columns[i] == "errors") row.errors = base::ParseUint(cells[i]).value_or(UINT64_MAX);
  }
  if (!calls || *calls > INT64_MAX || row.errors > *calls) return Damaged{};
  row.calls = *calls;
  return row;
}

}  // namespace portcullis::insight
