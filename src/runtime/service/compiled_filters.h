// Filters that are compiled here and handed to crun ready-made, so that a container start pays for the attach alone and
// the kernel runs exactly what was proven to be the profile (crun's annotation run.oci.seccomp_bpf_data, base64 of
// struct sock_filter[]; it takes the place of linux.seccomp, which stays in the bundle for people and for `exec`).
//
//   CompiledFilters filters("/var/lib/portcullis/filters");
//   ASSIGN_OR_RETURN(std::string data, filters.Get(profile));
//   spec.annotations[kFilterAnnotation] = data;
//
// A filter is kept on disk under the SHA-256 of all that it depends on: the whole profile, errnos too, the architecture
// and the compiler's version. Whatever is read back is proven equal to the profile again before its first use.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "engine/seccomp/resolved.h"

namespace portcullis::runtime {

inline constexpr const char* kFilterAnnotation = "run.oci.seccomp_bpf_data";

class CompiledFilters {
 public:
  explicit CompiledFilters(std::string folder) : folder_(std::move(folder)) {}

  // The annotation's value. Errors: the filter would be too long or cannot be proven; or the profile asks a listener,
  // which only the OCI runtime's own way serves (kFailedPrecondition). A cache that cannot be written is no error.
  Result<std::string> Get(const seccomp::ResolvedProfile& profile);

  // The program as a sealed memory file, to be mapped by whoever installs it: all share its pages.
  Result<base::UniqueFd> File(const seccomp::ResolvedProfile& profile);

 private:
  struct Ready {
    std::string bytes;
    base::UniqueFd file;  // made when it is asked for
  };
  Result<Ready*> Prepare(const seccomp::ResolvedProfile& profile);  // with `mutex_` held
  Result<std::string> Proven(const seccomp::ResolvedProfile& profile, const std::string& key) const;

  const std::string folder_;
  std::mutex mutex_;
  std::map<std::string, Ready> ready_;  // by key: proven in this process
};

}  // namespace portcullis::runtime
