// Structured log lines on standard error: one event, then key=value pairs.
//
//   LogInfo("container started", {{"pod", pod}, {"container", id}});
//   => 2026-11-23T22:00:00.123456789Z info    container started pod="default/web" container="ab12"
//
// An error is either returned or logged, never both.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace portcullis::base {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kText, kJson };

struct LogField {
  std::string_view key;
  std::string value;
};

// Process-wide; call before threads start. Default: kInfo, kText.
void SetLogLevel(LogLevel level);
void SetLogFormat(LogFormat format);

void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

inline void LogDebug(std::string_view event, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kDebug, event, fields);
}
inline void LogInfo(std::string_view event, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kInfo, event, fields);
}
inline void LogWarning(std::string_view event, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kWarning, event, fields);
}
inline void LogError(std::string_view event, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kError, event, fields);
}

}  // namespace portcullis::base
