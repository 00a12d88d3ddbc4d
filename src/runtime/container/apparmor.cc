#include "runtime/container/apparmor.h"

#include <algorithm>

#include "base/files.h"
#include "base/log.h"
#include "base/spawn.h"
#include "base/strings.h"
#include "base/try.h"
#include "runtime/container/apparmor_default.h"

namespace portcullis::runtime {
namespace {

constexpr std::string_view kLocalhost = "localhost/";

// "" or what went wrong.
std::string Load(const std::string& parser) {
  if (parser.empty()) return "apparmor_parser is not installed (Debian: apt-get install apparmor)";
  base::CommandOptions command;
  command.spawn.argv = {parser, "--replace", "--skip-cache"};
  command.input = DefaultAppArmorText();
  const auto result = base::RunCommand(command);
  if (!result) return result.error().message;
  if (result->exit_code == 0) return "";
  return fmt::format("{} ended with {}: {}", parser, result->exit_code, base::Trim(result->err));
}

}  // namespace

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

AppArmor AppArmor::Start(const std::string& parser, AppArmorFiles files) {
  AppArmor self(std::move(files));
  const auto enabled = base::ReadFile(self.files_.enabled, 16);
  self.enabled_ = enabled && base::Trim(*enabled) == "Y";
  if (!self.enabled_) {
    self.problem_ = "AppArmor is off on this host";
    return self;
  }
  const std::string failed = Load(parser);
  if (failed.empty()) {
    base::LogInfo("AppArmor profile loaded", {{"profile", kDefaultAppArmorProfile}});
    return self;
  }
  if (CheckAppArmorProfile(kDefaultAppArmorProfile, self.files_.profiles)) {
    base::LogWarning("AppArmor profile could not be loaded anew: the one that is loaded is used",
                     {{"profile", kDefaultAppArmorProfile}, {"err", failed}});
    return self;
  }
  self.problem_ = fmt::format("the profile {} could not be loaded: {}", kDefaultAppArmorProfile, failed);
  base::LogWarning("AppArmor is on, but containers run without a profile unless their pod names one",
                   {{"err", self.problem_}});
  return self;
}

Result<std::string> AppArmor::ProfileFor(const std::string& wanted, std::vector<std::string>& warnings) const {
  if (wanted == "unconfined") return std::string();
  if (wanted.starts_with(kLocalhost) && wanted.size() > kLocalhost.size()) {
    std::string name = wanted.substr(kLocalhost.size());
    TRY(CheckAppArmorProfile(name, files_.profiles));
    return name;
  }
  if (!wanted.empty() && wanted != "runtime/default") {
    return Fail(Code::kInvalidArgument, "invalid AppArmor profile {}", base::Quote(wanted));
  }
  if (problem_.empty()) return std::string(kDefaultAppArmorProfile);
  if (enabled_ || !wanted.empty()) {
    warnings.push_back("AppArmor: the container runs without a profile: " + problem_);
  }
  return std::string();
}

}  // namespace portcullis::runtime
