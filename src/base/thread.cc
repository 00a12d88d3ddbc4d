#include "base/thread.h"

namespace portcullis::base {

Result<std::thread> StartThread(std::string_view what, std::function<void()> work) {
  try {
    return std::thread(std::move(work));
  } catch (const std::system_error& error) {
    const int sys_errno = error.code().value();
    return Failure(Error{.code = Code::kResourceExhausted,
                         .message = fmt::format("{}: no thread for it: {}", what, ErrnoText(sys_errno)),
                         .sys_errno = sys_errno});
  }
}

}  // namespace portcullis::base
