// Result<T>: a value, or an Error that says what was attempted on which object.
//
//   Result<std::string> ReadFile(const std::string& path);
//
//   Result<void> Load(const std::string& path) {
//     ASSIGN_OR_RETURN(std::string text, ReadFile(path));     // base/try.h, in .cc files only
//     if (text.empty()) return Fail(Code::kInvalidArgument, "profile {} is empty", path);
//     return {};
//   }
//
// Codes are numerically gRPC's canonical codes (grpc/doc/statuscodes.md), so the CRI adapter is a cast.
// Error text: lower case, no full stop, says what was attempted and on which object.
#pragma once

#include <fmt/core.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace portcullis {

enum class Code : int {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// gRPC's own spelling of a code: "NotFound", "InvalidArgument", ...
std::string_view CodeName(Code code);

struct Error {
  Code code = Code::kUnknown;
  std::string message;
  int sys_errno = 0;  // errno of the failing system call, or 0
};

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using Base = tl::expected<T, Error>;
  using Base::Base;
  Result(Base base) : Base(std::move(base)) {}  // NOLINT(google-explicit-constructor): same type, marked nodiscard
};

using Failure = tl::unexpected<Error>;

// return Fail(Code::kNotFound, "container {} does not exist", id);
template <class... Args>
[[nodiscard]] Failure Fail(Code code, fmt::format_string<Args...> format, Args&&... args) {
  return Failure(Error{code, fmt::format(format, std::forward<Args>(args)...), 0});
}

// The canonical code that describes an errno best (ENOENT: kNotFound, EACCES: kPermissionDenied, ...).
Code CodeOfErrno(int sys_errno);

// "strerror" text of an errno, thread-safe, in lower case ("no such file or directory").
std::string ErrnoText(int sys_errno);

// return FailErrno(errno, "open {}", path);    // message: "open /x: no such file or directory"
template <class... Args>
[[nodiscard]] Failure FailErrno(int sys_errno, fmt::format_string<Args...> format, Args&&... args) {
  return Failure(Error{CodeOfErrno(sys_errno),
                       fmt::format(format, std::forward<Args>(args)...) + ": " + ErrnoText(sys_errno), sys_errno});
}

// Adds context in front: "create sandbox ab12: open /x: no such file or directory".
template <class... Args>
[[nodiscard]] Failure Wrap(Error error, fmt::format_string<Args...> format, Args&&... args) {
  error.message = fmt::format(format, std::forward<Args>(args)...) + ": " + error.message;
  return Failure(std::move(error));
}

}  // namespace portcullis
