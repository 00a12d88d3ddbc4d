#include "base/document.h"

#include <nlohmann/json.hpp>

namespace portcullis::base {

Document::Document() : root_(std::make_unique<nlohmann::json>()) {}
Document::Document(nlohmann::json root, std::string file, std::map<std::string, Position> positions)
    : root_(std::make_unique<nlohmann::json>(std::move(root))),
      file_(std::move(file)),
      positions_(std::move(positions)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

const nlohmann::json& Document::root() const { return *root_; }

Document Document::Part(const std::string& json_pointer) const {
  std::map<std::string, Position> positions;
  for (auto it = positions_.lower_bound(json_pointer); it != positions_.end() && it->first.starts_with(json_pointer);
       ++it) {
    const std::string rest = it->first.substr(json_pointer.size());
    if (rest.empty() || rest.front() == '/') positions.emplace(rest, it->second);
  }
  return Document(root_->at(nlohmann::json::json_pointer(json_pointer)), file_, std::move(positions));
}

Position Document::Where(const std::string& json_pointer) const {
  std::string pointer = json_pointer;
  while (true) {
    if (const auto found = positions_.find(pointer); found != positions_.end() && found->second.line > 0)
      return found->second;
    const size_t slash = pointer.rfind('/');
    if (slash == std::string::npos) return {};
    pointer.resize(slash);
  }
}

}  // namespace portcullis::base
