// This test program again, as the workload of a test: started with PORTCULLIS_SUBJECT=NAME it does what NAME says
// instead of running tests.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace portcullis::insight {

// At namespace scope of a test file: const Subject burst("burst", [] { …; return 0; });
struct Subject {
  Subject(const char* name, const std::function<int()>& run);
};

// The environment that makes it so, beside the caller's own.
std::vector<std::string> SubjectEnvironment(const std::string& name, const std::vector<std::string>& more = {});
std::string SubjectPath();

// Installs a filter that answers one call with `action` (SECCOMP_RET_*) and allows all others.
void FilterOneCall(unsigned number, unsigned action, unsigned flags = 0);

}  // namespace portcullis::insight
