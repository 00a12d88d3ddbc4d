#include "base/diagnostic.h"

#include <fmt/core.h>

#include <algorithm>

namespace portcullis {

std::string FormatDiagnostic(const Diagnostic& diagnostic) {
  std::string out = diagnostic.file;
  if (diagnostic.line > 0)
    out += fmt::format("{}{}:{}", out.empty() ? "line " : ":", diagnostic.line, diagnostic.column);
  if (!out.empty()) out += ": ";
  out += diagnostic.severity == Severity::kError ? "error: " : "warning: ";
  if (!diagnostic.field.empty()) out += diagnostic.field + ": ";
  out += diagnostic.message;
  if (!diagnostic.hint.empty()) out += " (" + diagnostic.hint + ")";
  return out;
}

bool HasErrors(const Diagnostics& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& d) { return d.severity == Severity::kError; });
}

}  // namespace portcullis
