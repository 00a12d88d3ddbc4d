// Where the runtime keeps what, below its two folders.
#pragma once

#include <string>

#include "base/result.h"

namespace portcullis::runtime {

struct Paths {
  std::string state;  // survives a reboot
  std::string run;    // does not

  std::string Database() const { return state + "/state.db"; }
  std::string Bundles() const { return state + "/bundles"; }
  std::string Bundle(const std::string& id) const { return Bundles() + "/" + id; }
  std::string SpecFile(const std::string& id) const { return Bundle(id) + "/config.json"; }
  // resolv.conf, hosts and hostname of a sandbox.
  std::string SandboxFiles() const { return state + "/sandboxes"; }
  std::string SandboxFiles(const std::string& id) const { return SandboxFiles() + "/" + id; }
  // The mount point of a pod's /dev/shm.
  std::string Shm() const { return run + "/shm"; }
  std::string Shm(const std::string& id) const { return Shm() + "/" + id; }
  // Root file systems are mounted in here: closed to the host's users, who could otherwise run a container's
  // set-user-ID files.
  std::string Snapshots() const { return run + "/snapshots"; }
  std::string Netns() const { return run + "/netns"; }
  std::string PauseRoot() const { return run + "/pause-root"; }  // the root of every pause process: empty
  // Kept over a reboot: it tells how to give back addresses, whose leases other programs keep on disk.
  std::string CniCache() const { return state + "/cni"; }
  std::string Filters() const { return state + "/filters"; }  // compiled seccomp filters, by content
};

// Makes the folders. The two roots can be passed through by containers' users (0711), what lies in them is root's
// (0700).
Result<void> MakeFolders(const Paths& paths);

}  // namespace portcullis::runtime
