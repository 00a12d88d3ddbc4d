#include "engine/seccomp/profile_reader.h"

#include <nlohmann/json.hpp>

#include "base/json_pointer.h"
#include "base/strings.h"
#include "engine/seccomp/names.h"

namespace portcullis::seccomp {
namespace {

using nlohmann::json;

// A hostile file can hold a problem in every other byte.
constexpr size_t kMaxDiagnostics = 64;

template <class Table>
std::string Suggest(std::string_view text, const Table& table) {
  std::vector<std::string_view> words;
  for (const auto& entry : table) words.push_back(entry.first);
  const auto nearest = base::Nearest(text, words);
  return nearest ? fmt::format("did you mean \"{}\"?", *nearest) : "";
}

std::string_view TypeName(const json& value) {
  return value.is_number_float() ? "a fraction" : value.is_number_integer() ? "a number" : value.type_name();
}

}  // namespace

void ProfileReader::Report(Severity severity, const std::string& pointer, std::string message, std::string hint) {
  // The bound counts warnings only: the first error must be kept.
  if (diagnostics_.size() >= kMaxDiagnostics && (severity == Severity::kWarning || HasErrors(diagnostics_))) return;
  diagnostics_.push_back(
      {.severity = severity, .file = name_, .field = pointer, .message = std::move(message), .hint = std::move(hint)});
}

void ProfileReader::WrongType(const std::string& pointer, std::string_view expected, const json& value) {
  Report(Severity::kError, pointer, fmt::format("expected {}, found {}", expected, TypeName(value)));
}

const ProfileReader::Field* ProfileReader::MatchKey(const std::string& key, const std::string& pointer,
                                                    const json& object, std::span<const Field> fields) {
  for (const Field& field : fields) {
    if (field.key == key) return &field;
  }
  for (const Field& field : fields) {
    if (base::ToLower(field.key) != base::ToLower(key)) continue;
    const std::string hint = fmt::format("did you mean \"{}\"?", field.key);
    if (mode_ == ParseMode::kStrict) {
      Report(Severity::kError, pointer, "unknown key", hint);
      return nullptr;
    }
    if (object.contains(field.key)) {
      Report(Severity::kError, pointer, fmt::format("says the same as \"{}\", which is there too", field.key));
      return nullptr;
    }
    Report(Severity::kWarning, pointer, fmt::format("read as \"{}\"", field.key), hint);
    return &field;
  }
  std::vector<std::string_view> known;
  for (const Field& field : fields) known.push_back(field.key);
  const auto nearest = base::Nearest(key, known);
  const std::string hint = nearest ? fmt::format("did you mean \"{}\"?", *nearest) : "";
  if (mode_ == ParseMode::kStrict) {
    Report(Severity::kError, pointer, "unknown key", hint);
  } else {
    Report(Severity::kWarning, pointer, "unknown key, ignored", hint);
  }
  return nullptr;
}

bool ProfileReader::ReadObject(const json& value, const std::string& pointer, std::span<const Field> fields,
                               const Handler& extension) {
  if (!value.is_object()) {
    WrongType(pointer, "an object", value);
    return false;
  }
  for (const auto& [key, member] : value.items()) {
    const std::string child = base::ChildPointer(pointer, key);
    if (extension && key.starts_with("x-")) {
      extension(member, key);
      continue;
    }
    const Field* field = MatchKey(key, child, value, fields);
    if (field != nullptr && !member.is_null()) field->read(member, child);
  }
  return true;
}

void ProfileReader::ReadArray(const json& value, const std::string& pointer, const Handler& element) {
  if (!value.is_array()) return WrongType(pointer, "a list", value);
  size_t index = 0;
  for (const json& member : value) element(member, fmt::format("{}/{}", pointer, index++));
}

std::optional<std::string> ProfileReader::String(const json& value, const std::string& pointer) {
  if (!value.is_string()) {
    WrongType(pointer, "a string", value);
    return std::nullopt;
  }
  return value.get<std::string>();
}

std::optional<uint64_t> ProfileReader::Number(const json& value, const std::string& pointer, uint64_t maximum) {
  if (!value.is_number_unsigned()) {
    WrongType(pointer, "a whole number, 0 or more", value);
    return std::nullopt;
  }
  const auto number = value.get<uint64_t>();
  if (number > maximum) {
    Report(Severity::kError, pointer, fmt::format("{} is more than {}", number, maximum));
    return std::nullopt;
  }
  return number;
}

template <class T, class Table>
std::optional<T> ProfileReader::Word(const json& value, const std::string& pointer, std::string_view what,
                                     const Table& table) {
  const auto text = String(value, pointer);
  if (!text) return std::nullopt;
  const auto word = ValueIn(table, *text);
  if (!word)
    Report(Severity::kError, pointer, fmt::format("unknown {} {}", what, base::Quote(*text)), Suggest(*text, table));
  return word;
}

std::optional<Arch> ProfileReader::Architecture(const json& value, const std::string& pointer) {
  const auto text = String(value, pointer);
  if (!text) return std::nullopt;
  const auto arch = syscalls::ArchFromScmpName(*text);
  if (!arch) {
    std::vector<std::string_view> names;
    for (const syscalls::ArchInfo& info : syscalls::AllArchs()) names.push_back(info.scmp_name);
    const auto nearest = base::Nearest(text->starts_with("SCMP_ARCH_") ? *text : "SCMP_ARCH_" + *text, names);
    Report(Severity::kError, pointer, fmt::format("unknown architecture {}", base::Quote(*text)),
           nearest ? fmt::format("did you mean \"{}\"?", *nearest) : "");
  }
  return arch;
}

ProfileReader::Handler ProfileReader::Into(std::string& target) {
  return [this, &target](const json& value, const std::string& pointer) {
    if (auto text = String(value, pointer)) target = std::move(*text);
  };
}

ProfileReader::Handler ProfileReader::Into(std::vector<std::string>& target) {
  return [this, &target](const json& value, const std::string& pointer) {
    ReadArray(value, pointer, [this, &target](const json& member, const std::string& at) {
      if (auto text = String(member, at)) target.push_back(std::move(*text));
    });
  };
}

ProfileReader::Handler ProfileReader::Into(std::optional<uint32_t>& target) {
  return [this, &target](const json& value, const std::string& pointer) {
    if (const auto number = Number(value, pointer, UINT32_MAX)) target = static_cast<uint32_t>(*number);
  };
}

ProfileReader::Handler ProfileReader::Into(std::vector<Arch>& target) {
  return [this, &target](const json& value, const std::string& pointer) {
    ReadArray(value, pointer, [this, &target](const json& member, const std::string& at) {
      if (const auto arch = Architecture(member, at)) target.push_back(*arch);
    });
  };
}

void ProfileReader::ReadArchMap(const json& value, const std::string& pointer, std::vector<ArchMapEntry>& arch_map) {
  ReadArray(value, pointer, [&](const json& member, const std::string& at) {
    ArchMapEntry entry;
    bool named = false;
    const Field fields[] = {
        {"architecture",
         [&](const json& name, const std::string& where) {
           named = true;
           if (const auto arch = Architecture(name, where)) entry.architecture = *arch;
         }},
        {"subArchitectures", Into(entry.sub_architectures)},
    };
    if (!ReadObject(member, at, fields)) return;
    if (!named) Report(Severity::kError, base::ChildPointer(at, "architecture"), "required, but missing");
    arch_map.push_back(std::move(entry));
  });
}

void ProfileReader::ReadConditions(const json& value, const std::string& pointer, Conditions& conditions) {
  const Field fields[] = {
      {"arches", Into(conditions.arches)},
      {"caps", Into(conditions.caps)},
      {"minKernel",
       [&](const json& member, const std::string& at) {
         const auto text = String(member, at);
         if (!text || text->empty()) return;
         if (auto version = ParseMinKernel(*text)) {
           conditions.min_kernel = *version;
         } else {
           Report(Severity::kError, at, version.error().message);
         }
       }},
  };
  ReadObject(value, pointer, fields);
}

void ProfileReader::ReadArg(const json& value, const std::string& pointer, std::vector<Arg>& args) {
  Arg arg;
  bool has_index = false;
  bool has_value = false;
  bool has_op = false;
  const auto number = [this](auto& target, uint64_t maximum, bool* seen) {
    return [this, &target, maximum, seen](const json& member, const std::string& at) {
      if (seen != nullptr) *seen = true;
      if (const auto read = Number(member, at, maximum))
        target = static_cast<std::remove_cvref_t<decltype(target)>>(*read);
    };
  };
  const Field fields[] = {
      {"index", number(arg.index, UINT32_MAX, &has_index)},
      {"value", number(arg.value, UINT64_MAX, &has_value)},
      {"valueTwo", number(arg.value_two, UINT64_MAX, nullptr)},
      {"op",
       [&](const json& member, const std::string& at) {
         has_op = true;
         if (const auto op = Word<CompareOp>(member, at, "operator", kCompareOpNames)) arg.op = *op;
       }},
  };
  if (!ReadObject(value, pointer, fields)) return;
  // Go programs read a missing number as 0, so the lenient mode does; a missing operator is an error everywhere.
  const Severity missing = mode_ == ParseMode::kStrict ? Severity::kError : Severity::kWarning;
  if (!has_index) Report(missing, base::ChildPointer(pointer, "index"), "required, but missing");
  if (!has_value) Report(missing, base::ChildPointer(pointer, "value"), "required, but missing");
  if (!has_op) Report(Severity::kError, base::ChildPointer(pointer, "op"), "required, but missing");
  args.push_back(arg);
}

void ProfileReader::ReadRule(const json& value, const std::string& pointer, std::vector<Rule>& rules) {
  Rule rule;
  std::string single;
  bool has_action = false;
  std::vector<Field> fields = {
      {"names", Into(rule.names)},
      {"action",
       [&](const json& member, const std::string& at) {
         has_action = true;
         if (const auto action = Word<Action>(member, at, "action", kActionNames)) rule.action = *action;
       }},
      {"errnoRet", Into(rule.errno_ret)},
      {"args",
       [&](const json& member, const std::string& at) {
         ReadArray(member, at, [&](const json& arg, const std::string& where) { ReadArg(arg, where, rule.args); });
       }},
  };
  if (dialect_ == Dialect::kAny) {
    fields.push_back({"name", Into(single)});
    fields.push_back({"errno", Into(rule.errno_name)});
    fields.push_back({"comment", Into(rule.comment)});
    fields.push_back(
        {"includes", [&](const json& member, const std::string& at) { ReadConditions(member, at, rule.includes); }});
    fields.push_back(
        {"excludes", [&](const json& member, const std::string& at) { ReadConditions(member, at, rule.excludes); }});
  }
  if (!ReadObject(value, pointer, fields)) return;
  if (!has_action) Report(Severity::kError, base::ChildPointer(pointer, "action"), "required, but missing");
  if (!single.empty()) {
    if (!rule.names.empty()) {
      Report(Severity::kError, base::ChildPointer(pointer, "name"),
             "'name' and 'names' were specified in the seccomp profile, use either 'name' or 'names'");
    }
    rule.names = {std::move(single)};
    rule.singular_name = true;
  }
  rules.push_back(std::move(rule));
}

Profile ProfileReader::Read(const json& root) {
  Profile profile;
  bool has_default = false;
  std::vector<Field> fields = {
      {"defaultAction",
       [&](const json& value, const std::string& at) {
         has_default = true;
         if (const auto action = Word<Action>(value, at, "action", kActionNames)) profile.default_action = *action;
       }},
      {"defaultErrnoRet", Into(profile.default_errno_ret)},
      {"architectures", Into(profile.architectures)},
      {"flags",
       [&](const json& value, const std::string& at) {
         ReadArray(value, at, [&](const json& member, const std::string& where) {
           if (const auto flag = Word<FilterFlag>(member, where, "flag", kFilterFlagNames))
             profile.flags.push_back(*flag);
         });
       }},
      {"listenerPath", Into(profile.listener_path)},
      {"listenerMetadata", Into(profile.listener_metadata)},
      {"syscalls",
       [&](const json& value, const std::string& at) {
         ReadArray(value, at,
                   [&](const json& rule, const std::string& where) { ReadRule(rule, where, profile.syscalls); });
       }},
  };
  Handler extension;
  if (dialect_ == Dialect::kAny) {
    fields.push_back({"defaultErrno", Into(profile.default_errno_name)});
    fields.push_back(
        {"archMap", [&](const json& value, const std::string& at) { ReadArchMap(value, at, profile.arch_map); }});
    extension = [&](const json& value, const std::string& key) { profile.extensions[key] = value.dump(); };
  }
  if (!ReadObject(root, "", fields, extension)) return profile;
  if (!has_default) {
    Report(Severity::kError, "/defaultAction",
           root.empty() ? "required, but missing: the profile is empty" : "required, but missing");
  }
  return profile;
}

}  // namespace portcullis::seccomp
