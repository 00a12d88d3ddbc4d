// What makes a process a confined pause process, step by step. Each gives null, or what could not be done, with the
// reason in errno.
#pragma once

#include "helper/pause_options.h"

namespace portcullis::helper {

// For the process that makes it, in this order.
const char* EnterNamespaces(const PauseOptions& options);  // and sets what belongs to them: hostname, sysctls
const char* ForbidDevices(const char* cgroup);
const char* ChangeRoot(const char* root);

// For the pause process itself, in this order; `SealItself` is the last, for then its filter is on.
const char* DropDescriptors();
const char* DropRights(const PauseOptions& options);
const char* SealItself(const PauseOptions& options, const void* filter, unsigned short instructions);

}  // namespace portcullis::helper
