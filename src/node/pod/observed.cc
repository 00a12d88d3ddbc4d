#include "node/pod/observed.h"

namespace portcullis::node {

const ObservedContainer* ObservedPod::Newest(const std::string& container, const std::string& sandbox_id) const {
  for (const ObservedContainer& candidate : containers) {
    if (candidate.name == container && (sandbox_id.empty() || candidate.sandbox_id == sandbox_id)) return &candidate;
  }
  return nullptr;
}

const ObservedSandbox* ObservedPod::ReadySandbox() const {
  for (const ObservedSandbox& sandbox : sandboxes) {
    if (sandbox.ready) return &sandbox;
  }
  return nullptr;
}

}  // namespace portcullis::node
