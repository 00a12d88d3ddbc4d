// JSON to Profile, collecting every problem with its JSON pointer. Private to this room: use profile_json.h and
// resolved.h.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "engine/seccomp/profile.h"
#include "engine/seccomp/profile_json.h"

namespace portcullis::seccomp {

// Which keys exist: OCI's alone, or Docker's too.
enum class Dialect { kOci, kAny };

class ProfileReader {
 public:
  ProfileReader(std::string name, ParseMode mode, Dialect dialect)
      : name_(std::move(name)), mode_(mode), dialect_(dialect) {}

  // A Profile in any case; worthless when HasErrors(diagnostics()).
  Profile Read(const nlohmann::json& root);
  const Diagnostics& diagnostics() const { return diagnostics_; }

 private:
  using Handler = std::function<void(const nlohmann::json& value, const std::string& pointer)>;
  struct Field {
    std::string_view key;
    Handler read;
  };

  void Report(Severity severity, const std::string& pointer, std::string message, std::string hint = "");
  void WrongType(const std::string& pointer, std::string_view expected, const nlohmann::json& value);

  // Calls the handler of every key of `value` that is known and not null; false when `value` is no object.
  bool ReadObject(const nlohmann::json& value, const std::string& pointer, std::span<const Field> fields,
                  const Handler& extension = nullptr);
  void ReadArray(const nlohmann::json& value, const std::string& pointer, const Handler& element);
  const Field* MatchKey(const std::string& key, const std::string& pointer, const nlohmann::json& object,
                        std::span<const Field> fields);

  std::optional<std::string> String(const nlohmann::json& value, const std::string& pointer);
  std::optional<uint64_t> Number(const nlohmann::json& value, const std::string& pointer, uint64_t maximum);
  // A word of a fixed vocabulary; anything else is an error that names the nearest word.
  template <class T, class Table>
  std::optional<T> Word(const nlohmann::json& value, const std::string& pointer, std::string_view what,
                        const Table& table);
  std::optional<Arch> Architecture(const nlohmann::json& value, const std::string& pointer);

  Handler Into(std::string& target);
  Handler Into(std::vector<std::string>& target);
  Handler Into(std::optional<uint32_t>& target);
  Handler Into(std::vector<Arch>& target);

  void ReadArchMap(const nlohmann::json& value, const std::string& pointer, std::vector<ArchMapEntry>& arch_map);
  void ReadConditions(const nlohmann::json& value, const std::string& pointer, Conditions& conditions);
  void ReadArg(const nlohmann::json& value, const std::string& pointer, std::vector<Arg>& args);
  void ReadRule(const nlohmann::json& value, const std::string& pointer, std::vector<Rule>& rules);

  std::string name_;
  ParseMode mode_;
  Dialect dialect_;
  Diagnostics diagnostics_;
};

}  // namespace portcullis::seccomp
