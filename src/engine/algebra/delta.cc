#include "engine/algebra/delta.h"

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <set>

#include "base/document.h"
#include "base/strings.h"
#include "base/try.h"
#include "engine/filter/prove.h"
#include "engine/seccomp/check.h"
#include "engine/seccomp/profile_json.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis::algebra {
namespace {

using nlohmann::json;
using seccomp::Action;
using seccomp::Profile;
using seccomp::Rule;
using syscalls::Arch;

// A default action that no rule of a delta has: "the delta says nothing about this call".
constexpr uint32_t kSilentMessage = 0xfffe;

uint32_t AddedOrBase(uint32_t base, uint32_t added) {
  const bool silent = added == filter::ToReturnValue(Action::kTrace, kSilentMessage);
  return silent ? base : added;
}

Result<void> CheckNames(const std::vector<Rule>& rules, const std::string& file, const char* list) {
  for (size_t i = 0; i < rules.size(); ++i) {
    if (rules[i].names.empty()) return Fail(Code::kInvalidArgument, "{}: /{}/{} names no system call", file, list, i);
    for (const std::string& name : rules[i].names) {
      if (syscalls::IsKnownName(name)) continue;
      const auto nearest = base::Nearest(name, syscalls::AllNames());
      return Fail(Code::kInvalidArgument, "{}: /{}/{}: unknown system call {}{}", file, list, i, base::Quote(name),
                  nearest ? fmt::format(" (did you mean {}?)", *nearest) : "");
    }
  }
  return {};
}

// One list, read by the profile reader as the rules of a profile: the same fields, the same errors.
Result<std::vector<Rule>> ReadList(const json& root, const char* list, Action action, const std::string& file) {
  if (!root.contains(list)) return std::vector<Rule>{};
  const json& entries = root[list];
  if (!entries.is_array()) return Fail(Code::kInvalidArgument, "{}: /{}: want a list", file, list);
  json rules = json::array();
  for (size_t i = 0; i < entries.size(); ++i) {
    json rule = entries[i].is_string() ? json{{"names", json::array({entries[i]})}} : entries[i];
    if (!rule.is_object()) {
      return Fail(Code::kInvalidArgument, "{}: /{}/{}: want the name of a system call, or names and args", file, list,
                  i);
    }
    for (const char* key : {"action", "includes", "excludes"}) {
      if (rule.contains(key)) return Fail(Code::kInvalidArgument, "{}: /{}/{}/{}: not in a delta", file, list, i, key);
    }
    rule["action"] = seccomp::ActionName(action);
    rules.push_back(std::move(rule));
  }
  const json profile = {{"defaultAction", "SCMP_ACT_ALLOW"}, {"syscalls", std::move(rules)}};
  ASSIGN_OR_RETURN(Profile parsed,
                   seccomp::ParseProfile(profile.dump(), fmt::format("{}, {} (as /syscalls)", file, list),
                                         seccomp::ParseMode::kStrict));
  TRY(CheckNames(parsed.syscalls, file, list));
  TRY(seccomp::CheckUsable(parsed, fmt::format("{}, {} (as /syscalls)", file, list)));
  for (Rule& rule : parsed.syscalls) {
    if (!rule.errno_name.empty()) {
      rule.errno_ret = seccomp::ErrnoFromName(rule.errno_name);
      if (!rule.errno_ret) {
        return Fail(Code::kInvalidArgument, "{}: /{}: unknown errno {}", file, list, base::Quote(rule.errno_name));
      }
      rule.errno_name.clear();
    }
  }
  return std::move(parsed.syscalls);
}

ResolvedProfile ToAddition(const std::vector<Rule>& rules, const ResolvedProfile& base) {
  ResolvedProfile addition{.default_action = Action::kTrace,
                           .default_errno_ret = kSilentMessage,
                           .architectures = base.architectures,
                           .flags = base.flags,
                           .listener_path = "",
                           .listener_metadata = "",
                           .syscalls = {}};
  for (const Rule& rule : rules) {
    addition.syscalls.push_back(
        {.names = rule.names, .action = rule.action, .errno_ret = rule.errno_ret, .args = rule.args});
  }
  return addition;
}

Result<ResolvedProfile> AddRules(const ResolvedProfile& base, const std::vector<Rule>& rules, filter::Arch native) {
  return Combine(base, ToAddition(rules, base), AddedOrBase,
                 {.architectures = Keep::kOfBoth, .flags = Keep::kOfBoth, .native = native});
}

// Puts a list in front: rules about all of a call replace the base's own, those on arguments are asked first.
void PutInFront(Profile& profile, const std::vector<Rule>& rules) {
  for (const Rule& rule : rules) {
    if (!rule.args.empty()) continue;
    for (Rule& present : profile.syscalls) {
      std::erase_if(present.names,
                    [&](const std::string& name) { return std::ranges::find(rule.names, name) != rule.names.end(); });
    }
  }
  std::erase_if(profile.syscalls, [](const Rule& rule) { return rule.names.empty(); });
  profile.syscalls.insert(profile.syscalls.begin(), rules.begin(), rules.end());
}

// Every container that makes a difference to the conditions of a profile.
std::vector<seccomp::ResolveContext> ContextsOf(const Profile& profile, seccomp::Flavour flavour) {
  std::set<std::string> caps;
  std::set<Arch> hosts{syscalls::NativeArch()};
  std::set<seccomp::KernelVersion> kernels{{3, 0}, {255, 0}};
  for (const Rule& rule : profile.syscalls) {
    for (const seccomp::Conditions* conditions : {&rule.includes, &rule.excludes}) {
      caps.insert(conditions->caps.begin(), conditions->caps.end());
      if (conditions->min_kernel) kernels.insert(*conditions->min_kernel);
      for (const std::string& name : conditions->arches) {
        if (const auto arch = syscalls::ArchFromDockerName(name)) hosts.insert(*arch);
      }
    }
  }
  for (const seccomp::ArchMapEntry& entry : profile.arch_map) hosts.insert(entry.architecture);
  std::vector<std::vector<std::string>> sets{{}, {caps.begin(), caps.end()}};
  for (const std::string& cap : caps) sets.push_back({cap});
  std::vector<seccomp::ResolveContext> contexts;
  for (const auto& set : sets) {
    for (const Arch host : hosts) {
      if (!syscalls::HasTable(host)) continue;
      // Architecture and kernel conditions are rare: they are varied with one set of capabilities.
      if (&set != &sets[0] && host != syscalls::NativeArch()) continue;
      for (const seccomp::KernelVersion kernel : kernels) {
        contexts.push_back({.bounding = set, .host = host, .kernel = kernel, .flavour = flavour});
      }
    }
  }
  return contexts;
}

std::string Describe(const seccomp::ResolveContext& context) {
  return fmt::format("capabilities {}, {}, kernel {}",
                     context.bounding->empty() ? "none" : base::Join(*context.bounding, ","),
                     syscalls::InfoOf(context.host).scmp_name, seccomp::ToString(*context.kernel));
}

}  // namespace

Result<Delta> ParseDelta(std::string_view text, const std::string& file) {
  ASSIGN_OR_RETURN(const base::Document document, base::ParseYaml(text, file));
  const json& root = document.root();
  if (!root.is_object()) return Fail(Code::kInvalidArgument, "{}: want an object with base, allow and deny", file);
  for (const auto& [key, value] : root.items()) {
    if (key != "base" && key != "allow" && key != "deny") {
      return Fail(Code::kInvalidArgument, "{}:{}: unknown key {} (want base, allow, deny)", file,
                  document.Where("/" + key).line, base::Quote(key));
    }
  }
  Delta delta;
  if (root.contains("base")) {
    if (!root["base"].is_string() || root["base"].get_ref<const std::string&>().empty()) {
      return Fail(Code::kInvalidArgument, "{}: /base: want the name of a profile", file);
    }
    delta.base = root["base"].get_ref<const std::string&>();
  }
  ASSIGN_OR_RETURN(delta.allow, ReadList(root, "allow", Action::kAllow, file));
  ASSIGN_OR_RETURN(delta.deny, ReadList(root, "deny", Action::kErrno, file));
  if (delta.allow.empty() && delta.deny.empty()) {
    return Fail(Code::kInvalidArgument, "{}: neither allows nor denies anything", file);
  }
  return delta;
}

Result<ResolvedProfile> Apply(const ResolvedProfile& base, const Delta& delta, filter::Arch native) {
  ASSIGN_OR_RETURN(const ResolvedProfile allowed, AddRules(base, delta.allow, native));
  return AddRules(allowed, delta.deny, native);
}

Result<std::vector<std::string>> Superfluous(const ResolvedProfile& base, const Delta& delta, filter::Arch native) {
  std::vector<std::string> found;
  const filter::Options options{.native = native, .newer = filter::NewerSyscalls::kAsWritten};
  const filter::Behaviour before = filter::Describe(base, options);
  const auto collect = [&](const std::vector<Rule>& rules, const char* list) -> Result<void> {
    for (size_t i = 0; i < rules.size(); ++i) {
      ASSIGN_OR_RETURN(const ResolvedProfile changed, AddRules(base, {rules[i]}, native));
      ASSIGN_OR_RETURN(const filter::Verdict verdict, filter::Compare(before, filter::Describe(changed, options)));
      if (verdict.equal) found.push_back(fmt::format("{} /{} ({})", list, i, base::Join(rules[i].names, ", ")));
    }
    return {};
  };
  TRY(collect(delta.allow, "allow"));
  TRY(collect(delta.deny, "deny"));
  return found;
}

Result<Profile> ApplyToProfile(const Profile& base, const Delta& delta, seccomp::Flavour flavour) {
  Profile profile = base;
  PutInFront(profile, delta.allow);
  PutInFront(profile, delta.deny);
  for (const seccomp::ResolveContext& context : ContextsOf(base, flavour)) {
    ASSIGN_OR_RETURN(const ResolvedProfile resolved_base, seccomp::Resolve(base, context));
    ASSIGN_OR_RETURN(const ResolvedProfile wanted, Apply(resolved_base, delta, context.host));
    ASSIGN_OR_RETURN(const ResolvedProfile got, seccomp::Resolve(profile, context));
    const filter::Options options{.native = context.host, .newer = filter::NewerSyscalls::kAsWritten};
    ASSIGN_OR_RETURN(const filter::Verdict verdict,
                     filter::Compare(filter::Describe(wanted, options), filter::Describe(got, options)));
    if (verdict.equal) continue;
    const bpf::Data& call = verdict.counterexample->call;
    const auto arch = syscalls::ArchFromAudit(call.arch, call.nr);
    const auto name = arch ? syscalls::NameOf(*arch, call.nr) : std::nullopt;
    return Fail(
        Code::kInvalidArgument,
        "the conditional form cannot say this delta exactly: {} with {} comes out differently; use the resolved "
        "form for one kind of container",
        name ? std::string(*name) : std::to_string(call.nr), Describe(context));
  }
  return profile;
}

}  // namespace portcullis::algebra
