#include "insight/moments/moment.h"

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/document.h"
#include "base/strings.h"
#include "base/try.h"

namespace portcullis::insight {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::pair<std::string_view, MomentKind>, 3> kNames = {{
    {"created", MomentKind::kCreated},
    {"stopping", MomentKind::kStopping},
    {"exit", MomentKind::kExit},
}};

Result<std::string> Text(const Json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || !found->is_string() || found->get_ref<const std::string&>().empty()) {
    return Fail(Code::kInvalidArgument, "moment: {}: want a string", field);
  }
  return found->get<std::string>();
}

Result<int> Number(const Json& object, const char* field, int most) {
  const auto found = object.find(field);
  if (found == object.end() || !found->is_number_integer() || *found < 0 || *found > most) {
    return Fail(Code::kInvalidArgument, "moment: {}: want a number from 0 to {}", field, most);
  }
  return found->get<int>();
}

}  // namespace

std::string FormatMoment(const Moment& moment) {
  Json object{{"id", moment.id}};
  for (const auto& [name, kind] : kNames) {
    if (kind == moment.kind) object["moment"] = name;
  }
  switch (moment.kind) {
    case MomentKind::kCreated:
      object["bundle"] = moment.bundle;
      object["pid"] = moment.pid;
      object["cgroup"] = moment.cgroup;
      break;
    case MomentKind::kStopping:
      object["signal"] = moment.signal;
      break;
    case MomentKind::kExit:
      object["exitCode"] = moment.exit_code;
      break;
  }
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Moment> ParseMoment(std::string_view text) {
  if (text.size() > kMaxMomentBytes)
    return Fail(Code::kInvalidArgument, "moment: longer than {} bytes", kMaxMomentBytes);
  ASSIGN_OR_RETURN(const Json object, base::ParseJson(text, "moment"));
  if (!object.is_object()) return Fail(Code::kInvalidArgument, "moment: is not an object");
  ASSIGN_OR_RETURN(const std::string name, Text(object, "moment"));
  std::optional<MomentKind> kind;
  for (const auto& [known, value] : kNames) {
    if (known == name) kind = value;
  }
  if (!kind) return Fail(Code::kInvalidArgument, "moment: {} is not known", base::Quote(name));
  Moment moment{.kind = *kind};
  ASSIGN_OR_RETURN(moment.id, Text(object, "id"));
  switch (moment.kind) {
    case MomentKind::kCreated: {
      ASSIGN_OR_RETURN(moment.bundle, Text(object, "bundle"));
      ASSIGN_OR_RETURN(moment.cgroup, Text(object, "cgroup"));
      ASSIGN_OR_RETURN(moment.pid, Number(object, "pid", 1 << 30));
      break;
    }
    case MomentKind::kStopping: {
      ASSIGN_OR_RETURN(moment.signal, Number(object, "signal", 64));
      break;
    }
    case MomentKind::kExit: {
      ASSIGN_OR_RETURN(moment.exit_code, Number(object, "exitCode", 255));
      break;
    }
  }
  return moment;
}

}  // namespace portcullis::insight
