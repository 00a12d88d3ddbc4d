#include "insight/evidence/trace_file.h"

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/document.h"
#include "base/strings.h"
#include "base/try.h"
#include "engine/syscalls/syscalls.h"
#include "insight/evidence/compressed_file.h"

namespace portcullis::insight {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxLineBytes = 64u << 10;
constexpr int kMaxArguments = 6;

// Bytes that are no UTF-8 cannot stand in JSON; programs may have any name.
std::string Dump(const Json& line) { return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

void SetText(Json& line, const char* field, const std::string& text) {
  if (!text.empty()) line[field] = text;
}

Json WorkloadLine(size_t index, const Workload& workload) {
  Json line{{"workload", index}};
  SetText(line, "namespace", workload.pod_namespace);
  SetText(line, "pod", workload.pod);
  SetText(line, "podUID", workload.pod_uid);
  SetText(line, "container", workload.container);
  SetText(line, "containerID", workload.container_id);
  SetText(line, "command", workload.command);
  return line;
}

Json CallLine(const Call& call, const CallFacts& facts) {
  Json line{{"workload", call.workload}, {"number", call.number}, {"count", facts.count}};
  const auto arch = syscalls::ArchFromAudit(call.audit_arch, call.number);
  if (arch) {
    line["arch"] = syscalls::InfoOf(*arch).scmp_name;
    if (const auto name = syscalls::NameOf(*arch, call.number)) line["syscall"] = *name;
  }
  line["auditArch"] = fmt::format("{:x}", call.audit_arch);
  SetText(line, "executable", call.executable);
  SetText(line, "comm", call.comm);
  if (call.phase != Phase::kUnknown) line["phase"] = NameOf(call.phase);
  if (call.result != CallResult::kUnknown) line["result"] = NameOf(call.result);
  if (call.error != 0) line["errno"] = call.error;
  for (const CallArgument& argument : call.arguments) line["args"][std::to_string(argument.index)] = argument.value;
  if (facts.first != 0) line["first"] = base::FormatRfc3339Nano(facts.first);
  if (facts.last != 0) line["last"] = base::FormatRfc3339Nano(facts.last);
  if (facts.address != 0) line["address"] = fmt::format("0x{:x}", facts.address);
  SetText(line, "location", facts.location);
  SetText(line, "symbol", facts.symbol);
  return line;
}

Json EndLine(const Completeness& completeness) {
  Json losses = Json::array();
  for (const Loss& loss : completeness.losses) {
    losses.push_back({{"where", loss.where}, {"count", loss.count}, {"why", loss.why}});
  }
  Json end{{"losses", std::move(losses)}, {"unseen", completeness.unseen}};
  if (completeness.cut_off) end["cutOff"] = true;
  return {{"end", std::move(end)}};
}

void Write(const Evidence& evidence, const TextSink& sink) {
  sink(Dump({{"portcullisTrace", kTraceVersion}, {"source", evidence.source}}));
  for (size_t i = 0; i < evidence.workloads().size(); ++i) sink(Dump(WorkloadLine(i, evidence.workloads()[i])));
  for (const auto& [call, facts] : evidence.calls()) sink(Dump(CallLine(call, facts)));
  sink(Dump(EndLine(evidence.completeness)));
}

class TraceParser {
 public:
  explicit TraceParser(std::string name) : name_(std::move(name)) {}

  Result<void> TakeLine(std::string_view text) {
    ++line_;
    if (base::Trim(text).empty()) return {};
    if (ended_) return Wrong("", "a line after the end");
    auto parsed = base::ParseJson(text, fmt::format("{}:{}", name_, line_));
    if (!parsed && !begun_) {
      return Wrong("", "is not a trace; portcullis evidence log and strace make traces of logs and of strace's output");
    }
    if (!parsed) return Failure(std::move(parsed).error());
    const Json& line = *parsed;
    if (!line.is_object()) return Wrong("", "is not an object");
    if (!begun_) return TakeHeader(line);
    if (line.contains("end")) return TakeEnd(line.at("end"));
    if (line.contains("count")) return TakeCall(line);
    if (line.contains("workload")) return TakeWorkload(line);
    return Wrong("", "is neither a workload nor a call nor the end");
  }

  Result<Evidence> Finish() {
    if (!begun_) return Fail(Code::kInvalidArgument, "{}: is not a trace (it is empty)", name_);
    if (!ended_) out_.completeness.cut_off = true;
    return std::move(out_);
  }

 private:
  Failure Wrong(std::string_view field, std::string_view what) const {
    return Fail(Code::kInvalidArgument, "{}:{}: {}{}{}", name_, line_, field, field.empty() ? "" : ": ", what);
  }

  Result<void> TakeHeader(const Json& line) {
    const auto version = line.find("portcullisTrace");
    if (version == line.end()) return Wrong("", "is not a trace (the first line has no portcullisTrace)");
    if (!version->is_number_integer() || *version != kTraceVersion) {
      return Wrong("portcullisTrace",
                   fmt::format("version {} is not known here, only {}", version->dump(), kTraceVersion));
    }
    begun_ = true;
    return Text(line, "source", out_.source);
  }

  Result<void> TakeWorkload(const Json& line) {
    Workload workload;
    TRY(Text(line, "namespace", workload.pod_namespace));
    TRY(Text(line, "pod", workload.pod));
    TRY(Text(line, "podUID", workload.pod_uid));
    TRY(Text(line, "container", workload.container));
    TRY(Text(line, "containerID", workload.container_id));
    TRY(Text(line, "command", workload.command));
    uint64_t index = 0;
    TRY(Number(line, "workload", index, Evidence::kMaxWorkloads));
    if (index != workloads_.size()) return Wrong("workload", fmt::format("{} is out of turn", index));
    workloads_.push_back(out_.AddWorkload(workload));
    return {};
  }

  Result<void> TakeCall(const Json& line) {
    Call call;
    CallFacts facts;
    uint64_t workload = 0;
    uint64_t number = 0;
    uint64_t error = 0;
    TRY(Number(line, "workload", workload, Evidence::kMaxWorkloads));
    if (workload >= workloads_.size()) return Wrong("workload", fmt::format("there is no workload {}", workload));
    call.workload = workloads_[workload];
    TRY(Number(line, "number", number, UINT32_MAX));
    TRY(Number(line, "count", facts.count, INT64_MAX));
    TRY(Number(line, "errno", error, 4095));
    call.number = static_cast<uint32_t>(number);
    call.error = static_cast<int>(error);
    TRY(Text(line, "executable", call.executable));
    TRY(Text(line, "comm", call.comm));
    std::string word;
    TRY(Text(line, "auditArch", word));
    uint64_t arch = 0;
    if (!ParseHex(word, arch) || arch > UINT32_MAX) return Wrong("auditArch", base::Quote(word) + " is no number");
    call.audit_arch = static_cast<uint32_t>(arch);
    TRY(Name(line, "phase", PhaseOf, call.phase));
    TRY(Name(line, "result", ResultOf, call.result));
    if (const auto args = line.find("args"); args != line.end()) {
      if (!args->is_object()) return Wrong("args", "is not an object");
      for (const auto& [key, value] : args->items()) {
        const auto index = base::ParseUint(key);
        if (!index || *index >= kMaxArguments || !value.is_number_unsigned()) {
          return Wrong("args", base::Quote(key) + ": want an index from 0 to 5 and an unsigned number");
        }
        call.arguments.push_back({static_cast<int>(*index), value.get<uint64_t>()});
      }
    }
    TRY(Time(line, "first", facts.first));
    TRY(Time(line, "last", facts.last));
    word.clear();
    TRY(Text(line, "address", word));
    if (!word.empty() && (!word.starts_with("0x") || !ParseHex(word.substr(2), facts.address))) {
      return Wrong("address", base::Quote(word) + " is no address");
    }
    TRY(Text(line, "location", facts.location));
    TRY(Text(line, "symbol", facts.symbol));
    out_.Add(std::move(call), facts);
    return {};
  }

  Result<void> TakeEnd(const Json& end) {
    if (!end.is_object()) return Wrong("end", "is not an object");
    if (const auto losses = end.find("losses"); losses != end.end()) {
      if (!losses->is_array()) return Wrong("end.losses", "is not a list");
      for (const Json& entry : *losses) {
        Loss loss;
        if (!entry.is_object()) return Wrong("end.losses", "holds what is not an object");
        TRY(Text(entry, "where", loss.where));
        TRY(Text(entry, "why", loss.why));
        TRY(Number(entry, "count", loss.count, INT64_MAX));
        out_.completeness.losses.push_back(std::move(loss));
      }
    }
    if (const auto unseen = end.find("unseen"); unseen != end.end()) {
      if (!unseen->is_array()) return Wrong("end.unseen", "is not a list");
      for (const Json& word : *unseen) {
        if (!word.is_string()) return Wrong("end.unseen", "holds what is not a string");
        out_.completeness.unseen.insert(word.get<std::string>());
      }
    }
    if (const auto cut = end.find("cutOff"); cut != end.end()) {
      if (!cut->is_boolean()) return Wrong("end.cutOff", "must be true or false");
      out_.completeness.cut_off = cut->get<bool>();
    }
    ended_ = true;
    return {};
  }

  Result<void> Text(const Json& line, const char* field, std::string& out) const {
    const auto it = line.find(field);
    if (it == line.end()) return {};
    if (!it->is_string()) return Wrong(field, "must be a string");
    out = it->get<std::string>();
    return {};
  }

  Result<void> Number(const Json& line, const char* field, uint64_t& out, uint64_t max) const {
    const auto it = line.find(field);
    if (it == line.end()) return {};
    if (!it->is_number_unsigned() || it->get<uint64_t>() > max) {
      return Wrong(field, fmt::format("want a number from 0 to {}", max));
    }
    out = it->get<uint64_t>();
    return {};
  }

  template <class T>
  Result<void> Name(const Json& line, const char* field, std::optional<T> (*find)(std::string_view), T& out) const {
    std::string word;
    TRY(Text(line, field, word));
    if (word.empty()) return {};
    const auto value = find(word);
    if (!value) return Wrong(field, base::Quote(word) + " is not known");
    out = *value;
    return {};
  }

  Result<void> Time(const Json& line, const char* field, int64_t& out) const {
    std::string word;
    TRY(Text(line, field, word));
    if (word.empty()) return {};
    const auto time = base::ParseRfc3339(word);
    if (!time) return Wrong(field, base::Quote(word) + " is no time of RFC 3339");
    out = *time;
    return {};
  }

  static bool ParseHex(std::string_view text, uint64_t& out) {
    if (text.empty() || text.size() > 16) return false;
    out = 0;
    for (const char c : text) {
      const size_t digit = std::string_view("0123456789abcdef").find(c);
      if (digit == std::string_view::npos) return false;
      out = out << 4 | digit;
    }
    return true;
  }

  std::string name_;
  uint64_t line_ = 0;
  bool begun_ = false;
  bool ended_ = false;
  std::vector<size_t> workloads_;  // the file's index -> ours
  Evidence out_;
};

// Cuts pieces of any size into lines of a bounded length.
class LineFeeder {
 public:
  explicit LineFeeder(TraceParser& parser, std::string name) : parser_(parser), name_(std::move(name)) {}

  Result<void> Feed(std::string_view piece) {
    for (size_t end = piece.find('\n'); end != std::string_view::npos; end = piece.find('\n')) {
      begun_ += piece.substr(0, end);
      piece.remove_prefix(end + 1);
      TRY(Check());
      TRY(parser_.TakeLine(begun_));
      begun_.clear();
    }
    begun_ += piece;
    return Check();
  }

 private:
  Result<void> Check() const {
    if (begun_.size() <= kMaxLineBytes) return {};
    return Fail(Code::kResourceExhausted, "{}: a line is longer than {} bytes", name_, kMaxLineBytes);
  }

  TraceParser& parser_;
  std::string name_;
  std::string begun_;
};

}  // namespace

std::string FormatTrace(const Evidence& evidence) {
  std::string out;
  Write(evidence, [&out](std::string_view line) { out += line; });
  return out;
}

Result<Evidence> ParseTrace(std::string_view text, const std::string& name) {
  TraceParser parser(name);
  LineFeeder feeder(parser, name);
  TRY(feeder.Feed(text));
  return parser.Finish();
}

Result<void> WriteTrace(const Evidence& evidence, const std::string& path) {
  auto written = WriteCompressed(path, [&evidence](const TextSink& sink) { Write(evidence, sink); });
  if (!written) return Wrap(std::move(written).error(), "trace");
  return {};
}

Result<Evidence> ReadTrace(const std::string& path, const std::function<void(uint64_t)>& progress) {
  TraceParser parser(path);
  LineFeeder feeder(parser, path);
  TRY(ReadCompressed(path, [&feeder](std::string_view piece) { return feeder.Feed(piece); }, progress));
  return parser.Finish();
}

}  // namespace portcullis::insight
