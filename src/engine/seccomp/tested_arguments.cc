#include "engine/seccomp/tested_arguments.h"

#include "engine/seccomp/library_tables.h"

namespace portcullis::seccomp {

std::map<std::string, uint8_t> TestedArguments() {
  std::map<std::string, uint8_t> tested;
  for (const CompactRuntime& runtime : CompactRuntimes()) {
    for (const CompactRule& rule : runtime.rules) {
      uint8_t mask = 0;
      for (const Arg& arg : rule.args) mask = static_cast<uint8_t>(mask | 1U << arg.index);
      if (mask == 0) continue;
      for (const CompactName& name : rule.names) {
        uint8_t& known = tested[std::string(name.name)];
        known = static_cast<uint8_t>(known | mask);
      }
    }
  }
  return tested;
}

}  // namespace portcullis::seccomp
