#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/strings.h"

namespace portcullis::base {
namespace {

LogFormat g_format = LogFormat::kText;  // set before threads start

spdlog::level::level_enum SpdLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

spdlog::logger& Logger() {
  static spdlog::logger* const logger = [] {
    auto* created = new spdlog::logger("portcullis", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    created->set_pattern("%v");
    created->set_level(spdlog::level::info);
    created->flush_on(spdlog::level::debug);
    return created;  // lives as long as the process: threads may log until the very end
  }();
  return *logger;
}

}  // namespace

void SetLogLevel(LogLevel level) { Logger().set_level(SpdLevel(level)); }
void SetLogFormat(LogFormat format) { g_format = format; }

void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  spdlog::logger& logger = Logger();
  if (!logger.should_log(SpdLevel(level))) return;
  const std::string time = FormatRfc3339Nano(NowUnixNanos());
  std::string line;
  if (g_format == LogFormat::kJson) {
    nlohmann::ordered_json json{{"ts", time}, {"level", LevelName(level)}, {"msg", event}};
    for (const LogField& field : fields) json[std::string(field.key)] = field.value;
    line = json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  } else {
    line = fmt::format("{} {:<7} {}", time, LevelName(level), event);
    for (const LogField& field : fields) line += fmt::format(" {}={}", field.key, Quote(field.value));
  }
  logger.log(SpdLevel(level), line);
}

}  // namespace portcullis::base
