#include "subject.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace portcullis::insight {

Subject::Subject(const char* name, const std::function<int()>& run) {
  const char* wanted = ::getenv("PORTCULLIS_SUBJECT");
  if (wanted != nullptr && std::strcmp(wanted, name) == 0) ::_exit(run());
}

std::vector<std::string> SubjectEnvironment(const std::string& name, const std::vector<std::string>& more) {
  std::vector<std::string> out{"PORTCULLIS_SUBJECT=" + name, "PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

std::string SubjectPath() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).string();
}

void FilterOneCall(unsigned number, unsigned action, unsigned flags) {
  sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, action),
                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  sock_fprog program{4, code};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) != 0) ::_exit(99);
}

}  // namespace portcullis::insight
