// Several sources of pods, joined into one desired state.
//
//   SourceSet sources({"file", "http"});       // in order of precedence
//   sources.Take("http", update);
//   const SourceUpdate all = sources.Joined();  // all.known once every source knows its pods
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "node/source/manifest_store.h"

namespace portcullis::node {

class SourceSet {
 public:
  explicit SourceSet(const std::vector<std::string>& names) {
    for (const std::string& name : names) sources_.emplace_back(name, SourceUpdate{.known = false});
  }

  void Take(const std::string& name, SourceUpdate update);
  // Of two pods with the same namespace and name, or UID, the first source's is used and the other is a problem.
  SourceUpdate Joined() const;

 private:
  std::vector<std::pair<std::string, SourceUpdate>> sources_;
};

}  // namespace portcullis::node
