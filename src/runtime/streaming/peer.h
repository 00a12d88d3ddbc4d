// What a client is connected with: a command (exec) or a container's first process (attach), as three streams.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/stream/poll_set.h"
#include "runtime/container/exec_process.h"
#include "runtime/container/oci_runtime.h"

namespace portcullis::runtime {

enum class OutputStream { kStdout, kStderr };
using OutputSink = std::function<void(OutputStream stream, std::string_view data)>;

class StdioPeer {
 public:
  virtual ~StdioPeer() = default;

  // One round of poll: output is asked for when the client has room, and the input's descriptor when there is some.
  virtual void Watch(http::PollSet& set, bool want_output, bool have_input) = 0;
  // Moves what is ready; what was taken is removed from the front of `input`. True: it is over, ask Finish.
  virtual Result<bool> Serve(const http::PollSet& set, std::string& input, const OutputSink& sink) = 0;
  // How long poll may wait at most; absent: for ever.
  virtual std::optional<std::chrono::milliseconds> Patience() const { return std::nullopt; }

  virtual void EndInput() = 0;  // after all of it was taken
  virtual void Resize(TerminalSize size) = 0;
  virtual Result<int> Finish() = 0;  // exit code
};

Result<std::unique_ptr<StdioPeer>> MakeExecPeer(std::unique_ptr<ExecProcess> process,
                                                std::chrono::milliseconds start_deadline);
Result<std::unique_ptr<StdioPeer>> MakeAttachPeer(const OciRuntime& runtime, const ContainerHandle& handle);

}  // namespace portcullis::runtime
