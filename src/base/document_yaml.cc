// YAML streams into documents whose values have positions, with limits on size and depth.
#include <libfyaml.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/document.h"
#include "base/json_pointer.h"
#include "base/strings.h"
#include "base/try.h"
#include "base/yaml_scalar.h"

namespace portcullis::base {
namespace {

struct FreeParser {
  void operator()(fy_parser* parser) const { fy_parser_destroy(parser); }
};
struct FreeDiag {
  void operator()(fy_diag* diag) const { fy_diag_destroy(diag); }  // unref keeps collected errors
};
struct FreeDocument {
  fy_parser* parser;
  void operator()(fy_document* document) const { fy_parse_document_destroy(parser, document); }
};

class YamlReader {
 public:
  explicit YamlReader(const std::string& file) : file_(file) {}

  Result<nlohmann::json> Read(fy_node* node, const std::string& pointer, int depth) {
    if (++nodes_ > kMaxNodes) return Fail(Code::kResourceExhausted, "{}: more than {} values", file_, kMaxNodes);
    const Position at = Where(node);
    positions_[pointer] = at;
    if (depth > kMaxDepth) return Fault(at, fmt::format("nesting deeper than {}", kMaxDepth));
    if (node == nullptr) return nlohmann::json(nullptr);
    if (fy_node_is_alias(node)) {
      // Resolved here, one use at a time, so that the two limits above also hold for aliases (cycles, "billion
      // laughs").
      fy_node* target = fy_node_resolve_alias(node);
      if (target == nullptr) return Fault(at, "alias without an anchor");
      return Read(target, pointer, depth + 1);
    }
    switch (fy_node_get_type(node)) {
      case FYNT_SCALAR:
        return ReadScalar(node, at);
      case FYNT_SEQUENCE:
        return ReadSequence(node, pointer, depth);
      case FYNT_MAPPING:
        return ReadMapping(node, pointer, depth);
    }
    return Fault(at, "unknown kind of value");
  }

  std::map<std::string, Position> TakePositions() { return std::move(positions_); }

 private:
  static constexpr size_t kMaxNodes = 200'000;

  Failure Fault(Position at, const std::string& what) {
    return Fail(Code::kInvalidArgument, "{}:{}:{}: {}", file_, at.line, at.column, what);
  }

  static Position Where(fy_node* node) {
    if (node == nullptr) return {};
    fy_token* token = nullptr;
    switch (fy_node_get_type(node)) {
      case FYNT_SCALAR:
        token = fy_node_get_scalar_token(node);
        break;
      case FYNT_SEQUENCE:
      case FYNT_MAPPING:
        break;
    }
    if (token != nullptr) {
      if (const fy_mark* mark = fy_token_start_mark(token)) return {mark->line + 1, mark->column + 1};
    }
    if (fy_node_get_type(node) == FYNT_MAPPING) {
      void* iterator = nullptr;
      if (fy_node_pair* pair = fy_node_mapping_iterate(node, &iterator)) return Where(fy_node_pair_key(pair));
    }
    if (fy_node_get_type(node) == FYNT_SEQUENCE) {
      void* iterator = nullptr;
      if (fy_node* item = fy_node_sequence_iterate(node, &iterator)) return Where(item);
    }
    return {};
  }

  Result<nlohmann::json> ReadScalar(fy_node* node, Position at) {
    size_t length = 0;
    const char* text = fy_node_get_scalar(node, &length);
    const std::string_view value(text == nullptr ? "" : text, length);
    size_t tag_length = 0;
    const char* tag_text = fy_node_get_tag(node, &tag_length);
    const std::string_view tag(tag_text == nullptr ? "" : tag_text, tag_length);
    if (tag == "tag:yaml.org,2002:str" || tag == "!") return nlohmann::json(std::string(value));
    if (!tag.empty()) return Fault(at, fmt::format("tag {} is not supported", Quote(tag)));
    if (fy_node_get_style(node) == FYNS_PLAIN) return PlainScalar(value);
    return nlohmann::json(std::string(value));
  }

  Result<nlohmann::json> ReadSequence(fy_node* node, const std::string& pointer, int depth) {
    nlohmann::json out = nlohmann::json::array();
    void* iterator = nullptr;
    while (fy_node* item = fy_node_sequence_iterate(node, &iterator)) {
      ASSIGN_OR_RETURN(nlohmann::json value, Read(item, pointer + "/" + std::to_string(out.size()), depth + 1));
      out.push_back(std::move(value));
    }
    return out;
  }

  Result<nlohmann::json> ReadMapping(fy_node* node, const std::string& pointer, int depth) {
    nlohmann::json out = nlohmann::json::object();
    nlohmann::json merged = nlohmann::json::object();
    std::set<std::string> seen;
    void* iterator = nullptr;
    while (fy_node_pair* pair = fy_node_mapping_iterate(node, &iterator)) {
      fy_node* key_node = fy_node_pair_key(pair);
      size_t length = 0;
      const char* text = key_node == nullptr ? nullptr : fy_node_get_scalar(key_node, &length);
      if (text == nullptr) return Fault(Where(key_node), "a key must be a string");
      const std::string key(text, length);
      if (!seen.insert(key).second) return Fault(Where(key_node), "duplicate key " + Quote(key));
      if (key == "<<" && fy_node_get_style(key_node) == FYNS_PLAIN) {
        ASSIGN_OR_RETURN(nlohmann::json source, Read(fy_node_pair_value(pair), pointer + "/<<", depth + 1));
        TRY(MergeInto(std::move(source), Where(key_node), merged));
        continue;
      }
      const std::string child = ChildPointer(pointer, key);
      fy_node* value_node = fy_node_pair_value(pair);
      ASSIGN_OR_RETURN(nlohmann::json value, Read(value_node, child, depth + 1));
      // A key is where a reader looks for a field, and it is there even when the value is empty or a block.
      if (const Position at = Where(key_node);
          value_node == nullptr || fy_node_get_type(value_node) != FYNT_SCALAR || positions_[child].line == 0) {
        positions_[child] = at;
      }
      out[key] = std::move(value);
    }
    for (auto& [key, value] : merged.items()) {
      if (!out.contains(key)) out[key] = std::move(value);
    }
    return out;
  }

  // YAML 1.1 merge key: the keys of one mapping, or of several of which the earlier win.
  Result<void> MergeInto(nlohmann::json source, Position at, nlohmann::json& merged) {
    if (source.is_object()) source = nlohmann::json::array({std::move(source)});
    if (!source.is_array()) return Fault(at, "<< takes a mapping or a list of mappings");
    for (nlohmann::json& mapping : source) {
      if (!mapping.is_object()) return Fault(at, "<< takes a mapping or a list of mappings");
      for (auto& [key, value] : mapping.items()) {
        if (!merged.contains(key)) merged[key] = std::move(value);
      }
    }
    return {};
  }

  const std::string& file_;
  std::map<std::string, Position> positions_;
  size_t nodes_ = 0;
};

std::string CollectErrors(fy_diag* diag, const std::string& file) {
  void* iterator = nullptr;
  if (const fy_diag_error* error = fy_diag_errors_iterate(diag, &iterator)) {
    return fmt::format("{}:{}:{}: {}", file, error->line, error->column, error->msg);
  }
  return fmt::format("{}: not valid YAML", file);
}

// libfyaml keeps bytes as they are; everything behind this point expects UTF-8.
bool ValidUtf8(std::string_view text) {
  return nlohmann::json(std::string(text)).dump(-1, ' ', false, nlohmann::json::error_handler_t::ignore).size() ==
         nlohmann::json(std::string(text)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).size();
}

// One stream of YAML documents, read one after the other.
class YamlStream {
 public:
  // `text` must outlive the stream.
  static Result<YamlStream> Open(std::string_view text, const std::string& file) {
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    if (text.find('\0') != std::string_view::npos || !ValidUtf8(text)) {
      return Fail(Code::kInvalidArgument, "{}: not UTF-8 text", file);
    }
    fy_diag_cfg diag_config;
    fy_diag_cfg_default(&diag_config);
    diag_config.fp = nullptr;
    diag_config.colorize = false;
    YamlStream stream;
    stream.diag_.reset(fy_diag_create(&diag_config));
    fy_diag_set_collect_errors(stream.diag_.get(), true);
    fy_parse_cfg config{};
    // Duplicate keys are left to the reader, which names them.
    config.flags = static_cast<fy_parse_cfg_flags>(FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DEFAULT_VERSION_1_1 |
                                                   FYPCF_ALLOW_DUPLICATE_KEYS);
    config.diag = stream.diag_.get();
    stream.parser_.reset(fy_parser_create(&config));
    if (!stream.parser_ || fy_parser_set_string(stream.parser_.get(), text.data(), text.size()) != 0) {
      return Fail(Code::kInternal, "{}: set up the YAML parser", file);
    }
    return stream;
  }

  // Null: there is no other, or it cannot be read (then Error tells).
  using Loaded = std::unique_ptr<fy_document, FreeDocument>;
  Loaded Next() { return {fy_parse_load_document(parser_.get()), FreeDocument{parser_.get()}}; }
  bool HasError() { return fy_parser_get_stream_error(parser_.get()); }
  std::string Error(const std::string& file) { return CollectErrors(diag_.get(), file); }

 private:
  YamlStream() = default;
  std::unique_ptr<fy_diag, FreeDiag> diag_;
  std::unique_ptr<fy_parser, FreeParser> parser_;
};

Result<Document> ReadLoaded(fy_document* document, const std::string& file) {
  YamlReader reader(file);
  ASSIGN_OR_RETURN(nlohmann::json root, reader.Read(fy_document_root(document), "", 0));
  return Document(std::move(root), file, reader.TakePositions());
}

}  // namespace

Result<Document> ParseYaml(std::string_view text, const std::string& file, bool* extra_documents) {
  if (extra_documents != nullptr) *extra_documents = false;
  ASSIGN_OR_RETURN(YamlStream stream, YamlStream::Open(text, file));
  if (Trim(text).empty()) return Document(nullptr, file, {});
  const YamlStream::Loaded document = stream.Next();
  if (!document) {
    if (stream.HasError()) return Fail(Code::kInvalidArgument, "{}", stream.Error(file));
    return Document(nullptr, file, {});
  }
  ASSIGN_OR_RETURN(Document read, ReadLoaded(document.get(), file));
  if (extra_documents != nullptr) *extra_documents = stream.Next() != nullptr;
  return read;
}

Result<std::vector<Document>> ParseYamlDocuments(std::string_view text, const std::string& file) {
  std::vector<Document> documents;
  ASSIGN_OR_RETURN(YamlStream stream, YamlStream::Open(text, file));
  if (Trim(text).empty()) return documents;
  while (const YamlStream::Loaded document = stream.Next()) {
    if (documents.size() >= kMaxDocuments) {
      return Fail(Code::kResourceExhausted, "{}: more than {} documents", file, kMaxDocuments);
    }
    ASSIGN_OR_RETURN(Document read, ReadLoaded(document.get(), file));
    documents.push_back(std::move(read));
  }
  if (stream.HasError()) return Fail(Code::kInvalidArgument, "{}", stream.Error(file));
  return documents;
}

}  // namespace portcullis::base
