// YAML and JSON as users write them, read strictly into one JSON tree that remembers where everything stood.
//
//   ASSIGN_OR_RETURN(Document doc, ParseYaml(text, "pod.yaml"));
//   doc.Where("/spec/containers/0/image")   -> line 7, column 14
//
// Duplicate keys, cyclic aliases, nesting deeper than 64, invalid UTF-8 and numbers that do not fit are errors that
// name file:line:column. ParseYaml also reads JSON (JSON is YAML), with YAML 1.1 booleans (yes/no/on/off/y/n) as
// sigs.k8s.io/yaml has them.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/result.h"

namespace portcullis::base {

struct Position {
  int line = 0;  // from 1; 0 when unknown
  int column = 0;
};

class Document {
 public:
  Document();
  Document(nlohmann::json root, std::string file, std::map<std::string, Position> positions);
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();

  const nlohmann::json& root() const;
  const std::string& file() const { return file_; }
  // Position of the value at an RFC 6901 pointer ("" = root); of its nearest known parent otherwise.
  Position Where(const std::string& json_pointer) const;
  // The value at a pointer, which must be there, as a document of its own; positions are those in the whole file.
  Document Part(const std::string& json_pointer) const;

 private:
  std::unique_ptr<nlohmann::json> root_;
  std::string file_;
  std::map<std::string, Position> positions_;
};

inline constexpr int kMaxDepth = 64;

// First document of a YAML stream (as the kubelet reads manifests); `extra_documents`, when given, says if more
// followed. Empty text gives a null root.
Result<Document> ParseYaml(std::string_view text, const std::string& file, bool* extra_documents = nullptr);

// Every document of a YAML stream, in order; positions are those in the whole text. Empty ones (between two `---`) have
// a null root.
inline constexpr size_t kMaxDocuments = 10'000;
Result<std::vector<Document>> ParseYamlDocuments(std::string_view text, const std::string& file);

// Strict JSON: one value, duplicate keys and depth over kMaxDepth are errors. Positions are not kept.
Result<nlohmann::json> ParseJson(std::string_view text, const std::string& name_for_errors);

}  // namespace portcullis::base
