// exec.
#include <ostream>

#include "base/strings.h"
#include "base/try.h"
#include "cli/crictl/select.h"
#include "cli/crictl/verbs.h"

namespace portcullis::cli {

Result<int> Exec(Session& session, const ExecOptions& options) {
  if (options.command.empty()) {
    return Fail(Code::kInvalidArgument, "no command given, expected: exec CONTAINER-ID COMMAND [ARG...]");
  }
  if (options.stdin_open || options.tty) {
    return Fail(
        Code::kUnimplemented,
        "interactive exec (-i, -t) needs the streaming protocol, which a later version brings; to run one command "
        "use: crictl exec -s CONTAINER-ID COMMAND [ARG...]");
  }
  ASSIGN_OR_RETURN(const std::string id, ResolveContainer(session, options.id));
  if (!options.sync) session.err << "crictl: note: running the command as with --sync, its output comes at its end\n";
  auto result =
      session.runtime.ExecSync({.container_id = id, .cmd = options.command, .timeout = options.timeout_seconds});
  if (!result)
    return Wrap(std::move(result).error(), "execute {} in container {}", base::Quote(options.command[0]),
                base::Quote(id));
  session.out << result->stdout;
  session.err << result->stderr;
  return result->exit_code;
}

}  // namespace portcullis::cli
