// Exit codes that no process gave itself.
#pragma once

namespace portcullis::runtime {

inline constexpr int kKilledExitCode = 137;     // 128 + SIGKILL
inline constexpr int kUnknownExitCode = 255;    // containerd's, when nobody saw the exit
inline constexpr int kCannotRunExitCode = 128;  // containerd's, which Kubernetes shows as StartError

}  // namespace portcullis::runtime
