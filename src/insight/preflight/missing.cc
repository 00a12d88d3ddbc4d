#include "insight/preflight/missing.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include "base/strings.h"
#include "base/try.h"
#include "engine/algebra/lint.h"
#include "engine/algebra/operations.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis::insight {
namespace {

using seccomp::Arg;
using seccomp::CompareOp;

bool Names(const seccomp::ResolvedRule& rule, std::string_view name) {
  return std::ranges::find(rule.names, name) != rule.names.end();
}

std::string ArgText(const Arg& arg) {
  std::string text = fmt::format("{{index: {}, value: 0x{:x}, ", arg.index, arg.value);
  if (arg.op == CompareOp::kMaskedEqual) text += fmt::format("valueTwo: 0x{:x}, ", arg.value_two);
  return text + fmt::format("op: {}}}", seccomp::CompareOpName(arg.op));
}

std::string EntryLines(const Addition& addition, const std::string& indent) {
  std::string text;
  for (size_t i = 0; i < addition.delta.allow.size(); ++i) {
    text += indent + "- " + EntryText(addition.delta.allow[i]);
    std::string comment = addition.comments[i];
    // Names of programs come from the programs.
    std::ranges::replace_if(comment, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
    text += comment.empty() ? "\n" : "  # " + comment + "\n";
  }
  return text;
}

// Behind the last line of the block under `allow:`, indented as its entries are; a list of its own where there is none.
// Whether that came out as meant is for the reader of the result to see.
std::string WithEntries(const std::string& text, const Addition& addition) {
  std::string before;
  std::string indent = "  ";
  std::string pending;  // empty lines and comments that may belong to what follows the list
  bool in_list = false;
  bool found = false;
  bool added = false;
  for (const std::string& line : base::Split(text.substr(0, text.find_last_not_of(" \t\r\n") + 1), '\n')) {
    const std::string_view bare = base::Trim(line);
    const bool is_content = !bare.empty() && !bare.starts_with('#');
    const bool is_key = is_content && line[0] != ' ' && line[0] != '-';
    if (in_list && is_key && !added) {
      before += EntryLines(addition, indent);
      added = true;
      in_list = false;
    }
    if (in_list && bare.starts_with("- ")) {
      if (!found) indent = line.substr(0, line.find('-'));
      found = true;
    }
    pending += line + "\n";
    if (is_content) before += std::exchange(pending, "");
    if (line.starts_with("allow:")) in_list = true;
  }
  if (!added) before += (in_list ? "" : "allow:\n") + EntryLines(addition, indent);
  return before + pending;
}

}  // namespace

std::map<uint32_t, uint64_t> TestedBits(const seccomp::ResolvedProfile& profile, std::string_view name) {
  std::map<uint32_t, uint64_t> bits;
  for (const seccomp::ResolvedRule& rule : profile.syscalls) {
    if (!Names(rule, name)) continue;
    for (const Arg& test : rule.args) {
      bits[test.index] |= test.op == CompareOp::kMaskedEqual ? test.value : UINT64_MAX;
    }
  }
  return bits;
}

std::optional<seccomp::Rule> RuleFor(const Enforced& base, const Call& call) {
  const auto arch = syscalls::ArchFromAudit(call.audit_arch, call.number);
  if (!arch) return std::nullopt;
  const auto& listed = base.profile.architectures;
  if (*arch != base.host && std::ranges::find(listed, *arch) == listed.end()) return std::nullopt;
  const auto name = syscalls::NameOf(*arch, call.number);
  if (!name) return std::nullopt;
  seccomp::Rule rule;
  rule.names = {std::string(*name)};
  rule.action = seccomp::Action::kAllow;
  const uint64_t width = syscalls::InfoOf(*arch).bits == 32 ? UINT32_MAX : UINT64_MAX;
  for (const auto& [index, bits] : TestedBits(base.profile, *name)) {
    const auto seen = std::ranges::find(call.arguments, static_cast<int>(index), &CallArgument::index);
    if (seen == call.arguments.end()) {
      rule.args.clear();  // not known: the whole call
      break;
    }
    const uint64_t value = seen->value & width;
    rule.args.push_back(bits == UINT64_MAX ? Arg{index, value, 0, CompareOp::kEqual}
                                           : Arg{index, bits, value & bits, CompareOp::kMaskedEqual});
  }
  return rule;
}

Addition AdditionFor(const Enforced& base, std::span<const Needed> needed) {
  // Calls by the tests of their rules: those without tests go into one entry each, for a comment of its own.
  std::map<std::pair<std::string, std::vector<Arg>>, std::set<std::string>> rules;
  std::set<std::string> whole;
  std::set<std::string> impossible;
  for (const Needed& one : needed) {
    const auto rule = RuleFor(base, one.call);
    if (!rule) {
      const auto arch = syscalls::ArchFromAudit(one.call.audit_arch, one.call.number);
      impossible.insert(fmt::format("call {} of {}", one.call.number,
                                    arch ? std::string(syscalls::InfoOf(*arch).scmp_name)
                                         : fmt::format("architecture {:x}", one.call.audit_arch)));
      continue;
    }
    auto& callers = rules[{rule->names[0], rule->args}];
    if (!one.caller.empty()) callers.insert(one.caller);
    if (!rule->args.empty()) continue;
    whole.insert(rule->names[0]);
    if (!TestedBits(base.profile, rule->names[0]).empty())
      callers.insert("with any arguments, since they were not seen");
  }
  Addition addition{.delta = {}, .comments = {}, .impossible = {impossible.begin(), impossible.end()}};
  for (const auto& [key, callers] : rules) {
    const auto& [name, args] = key;
    if (!args.empty() && whole.contains(name)) continue;
    seccomp::Rule rule;
    rule.names = {name};
    rule.action = seccomp::Action::kAllow;
    rule.args = args;
    addition.delta.allow.push_back(std::move(rule));
    addition.comments.push_back(base::Join(std::vector<std::string>(callers.begin(), callers.end()), ", "));
  }
  return addition;
}

std::string EntryText(const seccomp::Rule& rule) {
  if (rule.args.empty() && rule.names.size() == 1) return rule.names[0];
  std::vector<std::string> args;
  args.reserve(rule.args.size());
  for (const Arg& arg : rule.args) args.push_back(ArgText(arg));
  const std::string names = "{names: [" + base::Join(rule.names, ", ") + "]";
  return names + (args.empty() ? "" : ", args: [" + base::Join(args, ", ") + "]") + "}";
}

std::string DeltaText(const Addition& addition, const std::string& base) {
  return "base: " + base + "\nallow:\n" + EntryLines(addition, "  ");
}

Result<std::string> AddToDeltaText(const std::string& text, const Addition& addition, const std::string& file) {
  ASSIGN_OR_RETURN(algebra::Delta wanted, algebra::ParseDelta(text, file));
  wanted.allow.insert(wanted.allow.end(), addition.delta.allow.begin(), addition.delta.allow.end());
  const std::string longer = WithEntries(text, addition);
  const auto got = algebra::ParseDelta(longer, file);
  if (got && got->base == wanted.base && got->allow == wanted.allow && got->deny == wanted.deny) return longer;
  return Fail(Code::kFailedPrecondition, "{}: its allow list is not one of lines; add these entries to it:\n{}", file,
              EntryLines(addition, "  "));
}

Result<bool> DeniesOnPurpose(const algebra::Delta& delta, const Enforced& base, const Call& call) {
  if (delta.deny.empty()) return false;
  seccomp::ResolvedProfile all = base.profile;
  all.default_action = seccomp::Action::kAllow;
  all.default_errno_ret.reset();
  all.syscalls.clear();
  ASSIGN_OR_RETURN(all, algebra::Apply(all, {.base = "", .allow = {}, .deny = delta.deny}, base.host));
  const Enforced denying{all, filter::Describe(all, {.native = base.host}), base.host};
  const auto answers = Possible(denying, call);
  return answers && !std::ranges::all_of(*answers, LetsThrough);
}

std::set<std::string> RuntimeCalls() {
  std::set<std::string> calls{// What every program does before its first own instruction and at its end.
                              "exit_group", "exit", "rt_sigreturn", "restart_syscall", "brk", "arch_prctl", "futex",
                              "set_tid_address", "set_robust_list", "rseq",
                              // What crun 1.28 and runc 1.3.6 call too and can do without, from a filter that logs all.
                              "close_range", "openat2", "epoll_ctl", "getpid", "tgkill", "faccessat2", "fchown",
                              "pselect6"};
  for (const std::string_view name : algebra::CallsOfOciRuntimes()) calls.emplace(name);
  return calls;
}

Result<seccomp::ResolvedProfile> OnlySeen(const seccomp::ResolvedProfile& profile, const std::set<std::string>& seen,
                                          syscalls::Arch host) {
  seccomp::ResolvedProfile allowed{.default_action = seccomp::Action::kErrno,
                                   .default_errno_ret = EPERM,
                                   .architectures = profile.architectures,
                                   .flags = profile.flags,
                                   .listener_path = "",
                                   .listener_metadata = "",
                                   .syscalls = {}};
  allowed.syscalls.push_back(
      {.names = {seen.begin(), seen.end()}, .action = seccomp::Action::kAllow, .errno_ret = std::nullopt, .args = {}});
  return algebra::Intersect(profile, allowed, host);
}

}  // namespace portcullis::insight
