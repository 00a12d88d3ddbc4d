// What is wrong with a document that a user wrote: where, which field, which value, and what would be right.
#pragma once

#include <string>
#include <vector>

namespace portcullis {

enum class Severity { kWarning, kError };

struct Diagnostic {
  Severity severity = Severity::kError;
  std::string file;  // as the user named it; "" when unknown
  int line = 0;      // from 1; 0 when unknown
  int column = 0;
  std::string field;    // "spec.containers[0].image", or a JSON pointer for profiles
  std::string message;  // without the field
  std::string hint;     // e.g. did you mean "seccompDefault"?
};

using Diagnostics = std::vector<Diagnostic>;

// "pod.yaml:3:5: error: spec.x: unknown field (did you mean \"y\"?)"
std::string FormatDiagnostic(const Diagnostic& diagnostic);
bool HasErrors(const Diagnostics& diagnostics);

}  // namespace portcullis
