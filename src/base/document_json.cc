// JSON into a tree, strictly.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/document.h"
#include "base/strings.h"

namespace portcullis::base {
namespace {

// Builds a tree while refusing duplicate keys and deep nesting, which nlohmann's own parser accepts.
class StrictSax : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return Add(nullptr); }
  bool boolean(bool value) override { return Add(value); }
  bool number_integer(number_integer_t value) override { return Add(value); }
  bool number_unsigned(number_unsigned_t value) override { return Add(value); }
  bool number_float(number_float_t value, const string_t& text) override {
    if (text.find_first_of(".eE") == std::string::npos) return Refuse("number " + text + " does not fit into 64 bits");
    return Add(value);
  }
  bool string(string_t& value) override { return Add(std::move(value)); }
  bool binary(binary_t&) override { return Refuse("binary value"); }
  bool start_object(size_t) override { return Push(nlohmann::json::object()); }
  bool end_object() override { return Pop(); }
  bool start_array(size_t) override { return Push(nlohmann::json::array()); }
  bool end_array() override { return Pop(); }
  bool key(string_t& value) override {
    if (stack_.back()->contains(value)) return Refuse("duplicate key " + Quote(value));
    key_ = std::move(value);
    return true;
  }
  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    if (error_.empty()) {
      error_position_ = position;
      const std::string what = error.what();
      const size_t colon = what.find(": ");
      error_ = colon == std::string::npos ? what : what.substr(colon + 2);
    }
    return false;
  }

  nlohmann::json TakeRoot() { return std::move(root_); }
  const std::string& error() const { return error_; }
  size_t error_position() const { return error_position_; }

 private:
  bool Refuse(std::string why) {
    error_ = std::move(why);
    return false;
  }
  template <class V>
  nlohmann::json* Place(V&& value) {
    if (stack_.empty()) return &(root_ = std::forward<V>(value));
    if (stack_.back()->is_array()) {
      stack_.back()->push_back(std::forward<V>(value));
      return &stack_.back()->back();
    }
    return &((*stack_.back())[key_] = std::forward<V>(value));
  }
  template <class V>
  bool Add(V&& value) {
    Place(std::forward<V>(value));
    return true;
  }
  bool Push(nlohmann::json container) {
    if (stack_.size() >= kMaxDepth) return Refuse("nesting deeper than " + std::to_string(kMaxDepth));
    stack_.push_back(Place(std::move(container)));
    return true;
  }
  bool Pop() {
    stack_.pop_back();
    return true;
  }

  nlohmann::json root_;
  std::vector<nlohmann::json*> stack_;  // parents stay in place while a child is open
  std::string key_;
  std::string error_;
  size_t error_position_ = 0;
};

}  // namespace

Result<nlohmann::json> ParseJson(std::string_view text, const std::string& name_for_errors) {
  if (Trim(text).empty()) return Fail(Code::kInvalidArgument, "{}: unexpected end of JSON input", name_for_errors);
  StrictSax sax;
  if (!nlohmann::json::sax_parse(text, &sax)) {
    const std::string_view before = text.substr(0, std::min(text.size(), sax.error_position()));
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    return Fail(Code::kInvalidArgument, "{}: {}{}", name_for_errors,
                sax.error_position() > 0 ? fmt::format("line {}: ", line) : "", sax.error());
  }
  return sax.TakeRoot();
}

}  // namespace portcullis::base
