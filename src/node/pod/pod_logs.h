// The pod's log folder and the links by which log collectors find its files.
#pragma once

#include <string>

#include "node/pod/settings.h"

namespace portcullis::node {

// The highest N of <log dir>/<container>/N.log (or N.log.*) plus one: the count of a container that the runtime has
// forgotten. 0: none.
int NextLogNumber(const std::string& log_dir, const std::string& container);

// <links dir>/<pod>_<namespace>_<container>-<container id>.log -> log file. Failures are logged only: no pod depends on
// it.
void LinkContainerLog(const PodSettings& settings, const std::string& pod_name, const std::string& namespace_,
                      const std::string& container, const std::string& container_id, const std::string& log_path);
void UnlinkContainerLog(const PodSettings& settings, const std::string& pod_name, const std::string& namespace_,
                        const std::string& container, const std::string& container_id);
// All links that point below `log_dir`.
void UnlinkPodLogs(const PodSettings& settings, const std::string& log_dir);

}  // namespace portcullis::node
