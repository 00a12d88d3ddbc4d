// exec and attach.
#include <ostream>

#include "base/strings.h"
#include "base/try.h"
#include "cli/crictl/for_each.h"
#include "cli/crictl/select.h"
#include "cli/crictl/stdio_client.h"
#include "cli/crictl/stream_client.h"
#include "cli/crictl/verbs.h"

namespace portcullis::cli {
namespace {

Result<int> ExecSync(Session& session, const std::string& id, const ExecOptions& options) {
  auto result =
      session.runtime.ExecSync({.container_id = id, .cmd = options.command, .timeout = options.timeout_seconds});
  if (!result)
    return Wrap(std::move(result).error(), "execute {} in container {}", base::Quote(options.command[0]),
                base::Quote(id));
  session.out << result->stdout;
  session.err << result->stderr;
  return result->exit_code;
}

Result<int> ExecIn(Session& session, const std::string& id, const ExecOptions& options) {
  if (options.sync) return ExecSync(session, id, options);
  auto answer = session.runtime.Exec({.container_id = id,
                                      .cmd = options.command,
                                      .tty = options.tty,
                                      .stdin = options.stdin_open,
                                      .stdout = true,
                                      .stderr = !options.tty});
  if (!answer) return Wrap(std::move(answer).error(), "execing command in container");
  const auto done =
      RunStdio({.url = answer->url, .stream = options.stream, .input = options.stdin_open, .tty = options.tty});
  if (!done) return Wrap(done.error(), "execing command in container");
  return 0;
}

// One after the other in all, whatever happens in one. The exit code is the first that is not 0.
Result<int> ExecInEach(Session& session, const std::vector<cri::Container>& containers, const ExecOptions& options) {
  int code = 0;
  TRY(ForEach(containers, [&](const cri::Container& container) -> Result<void> {
    if (!options.quiet) session.out << container.id << ":\n" << std::flush;
    ASSIGN_OR_RETURN(const int one, ExecIn(session, container.id, options));
    if (code == 0) code = one;
    return {};
  }));
  return code;
}

Result<int> ExecWhere(Session& session, const ExecOptions& options) {
  if (!options.id.empty()) {
    ASSIGN_OR_RETURN(const std::string id, ResolveContainer(session, options.id));
    return ExecIn(session, id, options);
  }
  ASSIGN_OR_RETURN(const auto containers, SelectContainers(session, options.filter));
  if (containers.empty()) return Fail(Code::kNotFound, "no container fits the filter; `crictl ps -a` lists all");
  return ExecInEach(session, containers, options);
}

}  // namespace

Result<int> Exec(Session& session, const ExecOptions& options) {
  if (options.command.empty()) {
    return Fail(Code::kInvalidArgument, "no command given, expected: exec CONTAINER-ID COMMAND [ARG...]");
  }
  TRY(CheckStreamOptions(options.stream));
  auto code = ExecWhere(session, options);
  if (!options.ignore_errors) return code;
  if (!code) session.err << "crictl: ignored: " << code.error().message << '\n';
  return 0;
}

Result<void> Attach(Session& session, const AttachOptions& options) {
  TRY(CheckStreamOptions(options.stream));
  ASSIGN_OR_RETURN(const std::string id, ResolveContainer(session, options.id));
  auto answer = session.runtime.Attach(
      {.container_id = id, .stdin = options.stdin_open, .tty = options.tty, .stdout = true, .stderr = !options.tty});
  if (!answer) return Wrap(std::move(answer).error(), "attaching running container failed");
  const auto done =
      RunStdio({.url = answer->url, .stream = options.stream, .input = options.stdin_open, .tty = options.tty});
  if (!done) return Wrap(done.error(), "attaching running container failed");
  return {};
}

}  // namespace portcullis::cli
