#include "runtime/container/apparmor.h"

#include <algorithm>

#include "base/files.h"
#include "base/strings.h"

namespace portcullis::runtime {

Result<void> CheckAppArmorProfile(const std::string& name, const std::string& list) {
  const auto text = base::ReadFile(list);
  if (!text) {
    return Fail(Code::kFailedPrecondition, "AppArmor profile {}: this host has no AppArmor ({})", base::Quote(name),
                text.error().message);
  }
  const std::vector<std::string> lines = base::Split(*text, '\n');
  const bool loaded = std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
    // A name may hold spaces and parentheses itself: the mode is what follows the last " (".
    return !line.empty() && line.substr(0, line.rfind(" (")) == name;
  });
  if (loaded) return {};
  return Fail(Code::kFailedPrecondition, "AppArmor profile {} is not loaded on this host", base::Quote(name));
}

}  // namespace portcullis::runtime
