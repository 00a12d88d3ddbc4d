// The generated table behind feature_gates.h: every stage of every gate, sorted by name, then by the minor version it
// begins with.
#pragma once

#include <span>
#include <string_view>

#include "spec/k8s/feature_gates.h"

namespace portcullis::k8s {

struct GateTableRow {
  std::string_view name;
  int from_minor;  // of Kubernetes 1.x
  GateSpec spec;
};

std::span<const GateTableRow> GateTable();

}  // namespace portcullis::k8s
