#include "spec/oci/capabilities.h"

#include <algorithm>
#include <cctype>

#include "base/try.h"
#include "engine/seccomp/capabilities.h"

namespace portcullis::oci {
namespace {

bool Contains(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// "net_admin" -> "CAP_NET_ADMIN"; "all" -> "ALL".
std::string FullName(const std::string& name) {
  std::string upper = name;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (upper == "ALL" || upper.starts_with("CAP_")) return upper;
  return "CAP_" + upper;
}

Result<std::vector<std::string>> FullNames(const std::vector<std::string>& names, std::string_view purpose) {
  const auto known = seccomp::CapabilityNames();
  std::vector<std::string> out;
  for (const std::string& name : names) {
    std::string full = FullName(name);
    if (full != "ALL" && std::ranges::find(known, full) == known.end()) {
      return Fail(Code::kInvalidArgument, "unknown capability \"{}\" to {}", full, purpose);
    }
    out.push_back(std::move(full));
  }
  return out;
}

}  // namespace

Result<CapabilitySet> ComputeCapabilities(const CapabilityRequest& request) {
  CapabilitySet set;
  if (request.privileged) {
    set.bounding = request.daemon;
    return set;
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> add, FullNames(request.add, "add"));
  ASSIGN_OR_RETURN(const std::vector<std::string> drop, FullNames(request.drop, "drop"));
  ASSIGN_OR_RETURN(const std::vector<std::string> ambient, FullNames(request.ambient, "add as ambient"));

  std::vector<std::string> wanted = seccomp::DockerDefaultCapabilities();
  if (Contains(add, "ALL")) wanted = request.daemon;
  if (Contains(drop, "ALL")) wanted.clear();
  std::vector<std::string> named = add;
  named.insert(named.end(), ambient.begin(), ambient.end());
  for (const std::string& name : named) {
    if (name != "ALL" && !Contains(wanted, name)) wanted.push_back(name);
  }
  std::erase_if(wanted, [&](const std::string& name) { return Contains(drop, name); });

  for (const std::string& name : wanted) {
    if (!Contains(request.daemon, name)) {
      if (Contains(named, name)) {
        set.notes.push_back(fmt::format("capability {} is not given: the runtime itself does not have it", name));
      }
      continue;
    }
    set.bounding.push_back(name);
    if (Contains(ambient, name) || (Contains(ambient, "ALL"))) set.ambient.push_back(name);
  }
  return set;
}

}  // namespace portcullis::oci
