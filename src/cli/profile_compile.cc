// portcullis profile compile, eval, prove.
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/strings.h"
#include "base/try.h"
#include "cli/profile/call.h"
#include "cli/profile_verbs.h"
#include "engine/bpf/program.h"
#include "engine/filter/compile.h"
#include "engine/filter/disassemble.h"
#include "engine/filter/prove.h"
#include "engine/filter/statistics.h"
#include "engine/seccomp/evaluate.h"
#include "engine/syscalls/syscalls.h"
#include "host/libseccomp/libseccomp_filter.h"

namespace portcullis::cli {
namespace {

// A profile resolved and ready to be compiled.
struct Input {
  Operand operand;
  seccomp::ResolvedProfile profile;
  filter::Options options;
};

Result<Input> ReadInput(const std::vector<std::string>& operands, const ResolveWords& words, bool as_written) {
  Input input;
  ASSIGN_OR_RETURN(input.operand, ReadOnlyOperand(operands));
  ASSIGN_OR_RETURN(const seccomp::ResolveContext context, ToContext(words, input.operand));
  ASSIGN_OR_RETURN(input.profile, ResolveOperand(input.operand, context));
  input.options = {.native = context.host, .newer = NewerOf(as_written)};
  return input;
}

constexpr unsigned kLibseccompSeconds = 10;
constexpr const char* kByHelp =
    "whose filter: portcullis, crun or runc (libseccomp's as installed here, with what each OCI runtime adds)";

// The filter that `by` makes of the profile.
Result<filter::Filter> CompileBy(const std::string& by, const Input& input) {
  if (by == "portcullis") return filter::Compile(input.profile, input.options);
  if (by != "crun" && by != "runc") {
    return Fail(Code::kInvalidArgument, "--by: want portcullis, crun or runc, not {}", base::Quote(by));
  }
  if (input.options.native != syscalls::NativeArch()) {
    return Fail(Code::kInvalidArgument, "--by {}: libseccomp compiles for this machine only, not for another --arch",
                by);
  }
  ASSIGN_OR_RETURN(bpf::Program program, host::BuildInChild(input.profile, host::Shape::kLinear, kLibseccompSeconds));
  if (by == "runc") {
    ASSIGN_OR_RETURN(program, host::PrependRuncStub(input.profile, std::move(program)));
  }
  return filter::Filter{.program = std::move(program), .flags = filter::FlagsOf(input.profile)};
}

void PrintStatistics(const filter::Filter& filter, const filter::Options& options, double milliseconds) {
  const filter::Statistics statistics = filter::Measure(filter.program, options.native);
  std::printf("instructions        %zu of at most %zu\n", statistics.instructions, bpf::kMaxInstructions);
  std::printf("longest path        %zu\n", statistics.longest_path);
  std::printf("average path        %.1f over the %zu calls of %s\n", statistics.average_path, statistics.known_calls,
              std::string(syscalls::InfoOf(options.native).scmp_name).c_str());
  std::printf("served by bitmap    %zu calls (kernel 5.11 and later)\n", statistics.served_by_bitmap);
  std::printf("arguments tested    %zu calls\n", statistics.argument_tested);
  std::printf("flags               %#x\n", filter.flags);
  std::printf("compiled in         %.3f ms\n", milliseconds);
}

// The rule that decided, in words: its place in the resolved profile.
std::string Decider(const seccomp::ResolvedProfile& profile, const seccomp::Decision& decision, bool newer) {
  if (decision.foreign_arch) return "its architecture is not one of the profile's";
  if (decision.rule) {
    const seccomp::ResolvedRule& rule = profile.syscalls[*decision.rule];
    return fmt::format("rule /syscalls/{} of the resolved profile ({} name{}, {} argument test{})", *decision.rule,
                       rule.names.size(), rule.names.size() == 1 ? "" : "s", rule.args.size(),
                       rule.args.size() == 1 ? "" : "s");
  }
  return newer ? "newer than everything that the profile names" : "the default action";
}

std::string CallText(const bpf::Data& call) {
  const auto arch = syscalls::ArchFromAudit(call.arch, call.nr);
  const auto name = arch ? syscalls::NameOf(*arch, call.nr) : std::nullopt;
  return fmt::format(
      "{} {} ({}), arguments {:#x} {:#x} {:#x} {:#x} {:#x} {:#x}",
      arch ? std::string(syscalls::InfoOf(*arch).scmp_name) : fmt::format("architecture {:#x}", call.arch), call.nr,
      name ? std::string(*name) : "no name", call.args[0], call.args[1], call.args[2], call.args[3], call.args[4],
      call.args[5]);
}

}  // namespace

int ProfileCompileMain(const std::vector<std::string>& args) {
  std::vector<std::string> operands;
  ResolveWords words;
  std::string format = "stats";
  bool as_written = false;
  std::string by = "portcullis";
  CommandLine line("portcullis profile compile", "Compiles a profile to the filter that the kernel runs.");
  AddResolveFlags(line, &words);
  line.Text("--format", &format, "stats, disassembly, c, raw (struct sock_filter[]) or base64 (crun's annotation)");
  AddAsWrittenFlag(line, &as_written);
  line.Text("--by", &by, kByHelp);
  line.Positional("profile", &operands, "file, - or library name", true);
  if (const auto exit_code = line.Parse(args)) return *exit_code == 0 ? 0 : kProfileError;
  const auto input = ReadInput(operands, words, as_written);
  if (!input) return ReportProfileError(input.error());
  const auto start = std::chrono::steady_clock::now();
  const auto filter = CompileBy(by, *input);
  const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
  if (!filter) return ReportProfileError(filter.error());
  if (format == "stats") {
    PrintStatistics(*filter, input->options, spent.count());
  } else if (format == "disassembly") {
    std::fputs(filter::Disassemble(filter->program).c_str(), stdout);
  } else if (format == "c") {
    std::fputs(filter::ToCArray(filter->program, "filter").c_str(), stdout);
  } else if (format == "raw") {
    const std::string bytes = bpf::ToBytes(filter->program);
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
  } else if (format == "base64") {
    std::puts(base::ToBase64(bpf::ToBytes(filter->program)).c_str());
  } else {
    return ReportProfileError({.code = Code::kInvalidArgument,
                               .message = fmt::format("--format: unknown format \"{}\" (stats, disassembly, c, raw, "
                                                      "base64)",
                                                      format)});
  }
  return 0;
}

int ProfileEvalMain(const std::vector<std::string>& args) {
  std::vector<std::string> operands;
  ResolveWords words;
  std::string abi;
  bool as_written = false;
  std::string by = "portcullis";
  bool as_json = false;
  CommandLine line("portcullis profile eval", "Tells what one system call gets, and which rule decides.");
  AddResolveFlags(line, &words);
  line.Text("--abi", &abi, "architecture of the call (x86, x32, ...); that of the host unless given");
  AddAsWrittenFlag(line, &as_written);
  line.Text("--by", &by, kByHelp);
  line.Bool("--json", &as_json, "print JSON");
  line.Positional("profile call arguments", &operands, "eval containerd clone CLONE_NEWUSER", true);
  if (const auto exit_code = line.Parse(args)) return *exit_code == 0 ? 0 : kProfileError;
  if (operands.size() < 2) {
    return ReportProfileError({.code = Code::kInvalidArgument, .message = "want a profile and a system call"});
  }
  const auto input = ReadInput({operands[0]}, words, as_written);
  if (!input) return ReportProfileError(input.error());
  syscalls::Arch arch = input->options.native;
  if (!abi.empty()) {
    ResolveWords of_call;
    of_call.arch = abi;
    const auto context = ToContext(of_call, input->operand);
    if (!context) return ReportProfileError(context.error());
    arch = context->host;
  }
  const auto call = ParseCall(std::span(operands).subspan(1), arch);
  if (!call) return ReportProfileError(call.error());
  const filter::Behaviour behaviour = filter::Describe(input->profile, input->options);
  const uint32_t answer = filter::Answer(behaviour, syscalls::InfoOf(arch).audit_arch, call->number, call->args);
  const seccomp::Decision decision =
      seccomp::Evaluate(input->profile, arch, call->number, call->args, input->options.native);
  const bool newer = answer != filter::ToReturnValue(decision.action, decision.data);
  const std::string why = Decider(input->profile, decision, newer);
  std::optional<uint32_t> enforced;  // by another's filter, when one is asked for
  if (by != "portcullis") {
    const auto made = CompileBy(by, *input);
    if (!made) return ReportProfileError(made.error());
    const bpf::Data data{.arch = syscalls::InfoOf(arch).audit_arch, .nr = call->number, .args = call->args};
    enforced = bpf::Run(made->program, data).value;
  }
  if (as_json) {
    nlohmann::json json = {{"call", call->name},
                           {"number", call->number},
                           {"args", call->args},
                           {"answer", bpf::ReturnText(answer)},
                           {"decidedBy", why}};
    if (decision.rule) json["rule"] = *decision.rule;
    if (enforced) json["enforced"] = bpf::ReturnText(*enforced);
    PrintJson(json);
  } else {
    std::printf("%s: %s\ndecided by: %s\n", call->name.empty() ? operands[1].c_str() : call->name.c_str(),
                bpf::ReturnText(answer).c_str(), why.c_str());
    if (enforced) {
      std::printf("enforced by %s with libseccomp %s: %s%s\n", by.c_str(), host::LibseccompVersion().c_str(),
                  bpf::ReturnText(*enforced).c_str(), *enforced == answer ? "" : ", which is not what is written");
    }
  }
  return 0;
}

int ProfileProveMain(const std::vector<std::string>& args) {
  std::vector<std::string> operands;
  ResolveWords words;
  bool as_written = false;
  std::string by = "portcullis";
  CommandLine line("portcullis profile prove",
                   "Proves that the compiled filter answers every possible call as the profile says.");
  AddResolveFlags(line, &words);
  AddAsWrittenFlag(line, &as_written);
  line.Text("--by", &by, kByHelp);
  line.Positional("profile", &operands, "file, - or library name", true);
  if (const auto exit_code = line.Parse(args)) return *exit_code == 0 ? 0 : kProfileError;
  const auto input = ReadInput(operands, words, as_written);
  if (!input) return ReportProfileError(input.error());
  const auto filter = CompileBy(by, *input);
  if (!filter) return ReportProfileError(filter.error());
  const auto verdict = filter::Prove(filter->program, filter::Describe(input->profile, input->options));
  if (!verdict) return ReportProfileError(verdict.error());
  if (verdict->equal) {
    std::printf(
        "proven: %zu instructions answer as %s says, for every architecture, number and argument (%zu classes)\n",
        filter->program.size(), input->operand.name.c_str(), verdict->classes);
    return 0;
  }
  const filter::Counterexample& example = *verdict->counterexample;
  std::printf("not equal: %s\n  filter:  %s\n  profile: %s\n", CallText(example.call).c_str(),
              bpf::ReturnText(example.from_program).c_str(), bpf::ReturnText(example.from_profile).c_str());
  return 1;
}

}  // namespace portcullis::cli
