#include "helper/pause_options.h"

#include <sched.h>
#include <string.h>

namespace portcullis::helper {
namespace {

struct NamedNamespace {
  const char* name;
  int flag;
};

constexpr NamedNamespace kNamespaces[] = {{"pid", CLONE_NEWPID},
                                          {"ipc", CLONE_NEWIPC},
                                          {"uts", CLONE_NEWUTS},
                                          {"mount", CLONE_NEWNS},
                                          {"cgroup", CLONE_NEWCGROUP}};

// Decimal, all of it, and no more than 32 bits.
bool ReadNumber(const char* text, uint32_t& out) {
  uint64_t value = 0;
  if (*text == '\0') return false;
  for (; *text != '\0'; ++text) {
    if (*text < '0' || *text > '9') return false;
    value = value * 10 + static_cast<uint64_t>(*text - '0');
    if (value > UINT32_MAX) return false;
  }
  out = static_cast<uint32_t>(value);
  return true;
}

bool AddNamespace(const char* name, PauseOptions& options) {
  for (const NamedNamespace& known : kNamespaces) {
    if (strcmp(known.name, name) != 0) continue;
    options.namespaces |= known.flag;
    return true;
  }
  return false;
}

// "net.ipv4.x=1"
bool AddSysctl(char* text, PauseOptions& options) {
  char* equals = strchr(text, '=');
  if (equals == nullptr || equals == text || options.sysctl_count == kMaxPauseSysctls) return false;
  *equals = '\0';
  options.sysctls[options.sysctl_count++] = {text, equals + 1};
  return true;
}

bool AddGroup(const char* text, PauseOptions& options) {
  if (options.group_count == kMaxPauseGroups) return false;
  if (!ReadNumber(text, options.groups[options.group_count])) return false;
  ++options.group_count;
  return true;
}

bool Set(const char* key, char* value, PauseOptions& options) {
  const auto is = [key](const char* name) { return strcmp(key, name) == 0; };
  if (is("unshare")) return AddNamespace(value, options);
  if (is("sysctl")) return AddSysctl(value, options);
  if (is("group")) return AddGroup(value, options);
  if (is("uid")) return ReadNumber(value, options.uid);
  if (is("gid")) return ReadNumber(value, options.gid);
  if (is("filter")) return options.has_filter = ReadNumber(value, options.filter_flags);
  if (*value == '\0') return false;
  if (is("network")) return (options.network = value) != nullptr;
  if (is("root")) return (options.root = value) != nullptr;
  if (is("hostname")) return (options.hostname = value) != nullptr;
  if (is("oom-score-adj")) return (options.oom_score_adj = value) != nullptr;
  if (is("device-cgroup")) return (options.device_cgroup = value) != nullptr;
  return false;
}

}  // namespace

const char* ReadPauseOptions(char* request, size_t size, PauseOptions& options) {
  if (size == 0 || request[size - 1] != '\0') return "read the request: it does not end with a NUL";
  for (char* entry = request; entry < request + size;) {
    char* next = entry + strlen(entry) + 1;
    char* equals = strchr(entry, '=');
    if (equals == nullptr) return "read the request: an entry is no key=value";
    *equals = '\0';
    if (!Set(entry, equals + 1, options)) return "read the request: an entry is unknown or malformed";
    entry = next;
  }
  if (options.root == nullptr || (options.namespaces & CLONE_NEWNS) == 0) return "read the request: it gives no root";
  return nullptr;
}

}  // namespace portcullis::helper
