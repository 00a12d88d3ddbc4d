#include "base/log.h"
#include "base/try.h"
#include "runtime/container/attach_socket.h"
#include "runtime/streaming/peer.h"

namespace portcullis::runtime {
namespace {

class AttachPeer : public StdioPeer {
 public:
  AttachPeer(const OciRuntime& runtime, ContainerHandle handle, AttachSocket socket)
      : runtime_(runtime), handle_(std::move(handle)), socket_(std::move(socket)) {}

  void Watch(http::PollSet& set, bool want_output, bool have_input) override {
    index_ = set.Add(socket_.fd(), static_cast<short>((want_output ? POLLIN : 0) | (have_input ? POLLOUT : 0)));
  }

  Result<bool> Serve(const http::PollSet& set, std::string& input, const OutputSink& sink) override {
    if ((set.Ready(index_) & POLLOUT) != 0 && !input.empty()) {
      const auto sent = socket_.Send(input);
      // A container that reads no more is no error: its output goes on.
      input.erase(0, sent ? *sent : input.size());
    }
    if ((set.Ready(index_) & (POLLIN | POLLHUP | POLLERR)) == 0) return false;
    const auto packet = socket_.Receive();
    if (!packet) return true;
    if (*packet) sink((*packet)->is_error ? OutputStream::kStderr : OutputStream::kStdout, (*packet)->data);
    return false;
  }

  void EndInput() override { socket_.EndInput(); }

  void Resize(TerminalSize size) override {
    if (const auto done = runtime_.ResizeTerminal(handle_, size); !done) base::LogDebug(done.error().message);
  }

  Result<int> Finish() override { return 0; }

 private:
  const OciRuntime& runtime_;
  const ContainerHandle handle_;
  AttachSocket socket_;
  size_t index_ = 0;
};

}  // namespace

Result<std::unique_ptr<StdioPeer>> MakeAttachPeer(const OciRuntime& runtime, const ContainerHandle& handle) {
  ASSIGN_OR_RETURN(AttachSocket socket, AttachSocket::Connect(runtime.AttachSocket(handle.id)));
  return std::unique_ptr<StdioPeer>(std::make_unique<AttachPeer>(runtime, handle, std::move(socket)));
}

}  // namespace portcullis::runtime
