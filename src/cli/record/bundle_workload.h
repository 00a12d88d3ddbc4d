// Whose container an OCI bundle is, from the annotations that CRI runtimes put into its config.json.
//
// Source: containerd's internal/cri/annotations ("io.kubernetes.cri.*"), which our runtime writes as well.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "insight/evidence/evidence.h"

namespace portcullis::cli {

struct BundleWorkload {
  insight::Workload workload;  // without the container's id
  bool is_sandbox = false;     // the pause container
};

// `text` is config.json; `name` is for errors.
Result<BundleWorkload> WorkloadOfBundle(std::string_view text, const std::string& name);

}  // namespace portcullis::cli
