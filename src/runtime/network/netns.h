// Network namespaces that live without a process: a file in `dir` (/run/portcullis/netns) with the namespace
// bind-mounted on it.
//
//   NetnsStore netns("/run/portcullis/netns");
//   ASSIGN_OR_RETURN(std::string path, netns.Create("pod-ab12"));   // "/run/portcullis/netns/pod-ab12", lo is up
//
// They survive the daemon and are gone after a reboot (the plain file may remain; Exists() then says false).
// Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace portcullis::runtime {

// A live network namespace is mounted at the path.
bool IsNetworkNamespace(const std::string& path);

class NetnsStore {
 public:
  explicit NetnsStore(std::string dir) : dir_(std::move(dir)) {}

  // kAlreadyExists when the name is taken by a live namespace.
  Result<std::string> Create(const std::string& name);
  // Unmounts and unlinks; absent is fine.
  Result<void> Delete(const std::string& name);
  bool Exists(const std::string& name) const;     // a namespace is mounted there
  Result<std::vector<std::string>> List() const;  // names of all files, live or not
  std::string PathOf(const std::string& name) const;

 private:
  std::string dir_;
};

}  // namespace portcullis::runtime
