#include "node/source/source_set.h"

#include <map>

#include "base/strings.h"

namespace portcullis::node {

void SourceSet::Take(const std::string& name, SourceUpdate update) {
  for (auto& [known, held] : sources_) {
    if (known == name) held = std::move(update);
  }
}

SourceUpdate SourceSet::Joined() const {
  SourceUpdate out;
  std::map<std::string, std::string> owners;  // "name <full name>" or "uid <uid>": the file
  for (const auto& [name, held] : sources_) {
    out.known = out.known && held.known;
    out.problems.insert(out.problems.end(), held.problems.begin(), held.problems.end());
    for (const SourcePod& item : held.pods) {
      const k8s::ObjectMeta& meta = item.pod->metadata;
      const auto same_name = owners.find("name " + item.pod->FullName());
      const auto same_uid = owners.find("uid " + meta.uid);
      if (same_name == owners.end() && same_uid == owners.end()) {
        owners["name " + item.pod->FullName()] = item.file;
        owners["uid " + meta.uid] = item.file;
        out.pods.push_back(item);
        continue;
      }
      const bool by_name = same_name != owners.end();
      out.problems.push_back(
          {.file = item.file,
           .error = fmt::format("pod {}/{} is ignored: {} has a pod with the same {}", meta.namespace_, meta.name,
                                by_name ? same_name->second : same_uid->second, by_name ? "name" : "uid")});
    }
  }
  return out;
}

}  // namespace portcullis::node
