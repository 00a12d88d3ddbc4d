#include <unistd.h>

#include <algorithm>

#include "base/clock.h"
#include "base/log.h"
#include "base/try.h"
#include "runtime/streaming/peer.h"

namespace portcullis::runtime {
namespace {

using std::chrono::milliseconds;

constexpr size_t kReadSize = 32u << 10;
constexpr milliseconds kStartPoll{5};  // how often a starting exec is asked whether it runs
// How long the rest of the output may take once the OCI runtime has ended: processes in the background may hold it
// open.
constexpr milliseconds kDrainLimit = std::chrono::seconds(10);

class ExecPeer : public StdioPeer {
 public:
  ExecPeer(std::unique_ptr<ExecProcess> process, milliseconds start_deadline)
      : process_(std::move(process)), start_limit_(start_deadline), start_deadline_(base::Now() + start_deadline) {}

  void Watch(http::PollSet& set, bool want_output, bool have_input) override {
    const bool readable = process_->HasStarted() && want_output;
    exit_index_ = set.Add(exited_ ? -1 : process_->pidfd(), POLLIN);
    input_index_ = set.Add(have_input ? process_->input() : -1, POLLOUT);
    output_index_ = set.Add(readable ? process_->output() : -1, POLLIN);
    error_index_ = set.Add(readable ? process_->error() : -1, POLLIN);
  }

  Result<bool> Serve(const http::PollSet& set, std::string& input, const OutputSink& sink) override {
    if (set.Ready(exit_index_) != 0 && !exited_) {
      exited_ = true;
      drain_until_ = base::Now() + kDrainLimit;
      if (!process_->HasStarted()) return true;  // Finish says why
    }
    if (!process_->HasStarted() && base::Now() >= start_deadline_) {
      return Fail(Code::kDeadlineExceeded, "the OCI runtime did not run the command within {} ms",
                  start_limit_.count());
    }
    if (set.Ready(input_index_) != 0) Write(input);
    bool moved = false;
    if (set.Ready(output_index_) != 0) moved |= Read(process_->output(), OutputStream::kStdout, sink);
    if (set.Ready(error_index_) != 0) moved |= Read(process_->error(), OutputStream::kStderr, sink);
    if (moved && exited_) drain_until_ = base::Now() + kDrainLimit;
    if (!exited_) return false;
    return (process_->output() < 0 && process_->error() < 0) || base::Now() >= drain_until_;
  }

  std::optional<milliseconds> Patience() const override {
    if (!process_->HasStarted()) return kStartPoll;
    if (exited_) return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(drain_until_ - base::Now()));
    return std::nullopt;
  }

  void EndInput() override { process_->CloseInput(); }

  void Resize(TerminalSize size) override {
    if (const auto done = process_->Resize(size); !done) base::LogDebug(done.error().message);
  }

  Result<int> Finish() override { return process_->Finish(); }

 private:
  void Write(std::string& input) {
    const ssize_t n = ::write(process_->input(), input.data(), input.size());
    if (n > 0) input.erase(0, static_cast<size_t>(n));
    if (n < 0 && errno != EAGAIN && errno != EINTR) {  // the command reads no more
      input.clear();
      process_->CloseInput();
    }
  }

  bool Read(int fd, OutputStream stream, const OutputSink& sink) {
    std::string buffer(kReadSize, '\0');
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n > 0) {
      sink(stream, std::string_view(buffer).substr(0, static_cast<size_t>(n)));
      return true;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    // A terminal whose other side is closed says EIO.
    if (stream == OutputStream::kStdout) {
      process_->CloseOutput();
    } else {
      process_->CloseError();
    }
    return false;
  }

  const std::unique_ptr<ExecProcess> process_;
  const milliseconds start_limit_;
  const std::chrono::steady_clock::time_point start_deadline_;
  std::chrono::steady_clock::time_point drain_until_;
  bool exited_ = false;
  size_t exit_index_ = 0;
  size_t input_index_ = 0;
  size_t output_index_ = 0;
  size_t error_index_ = 0;
};

}  // namespace

Result<std::unique_ptr<StdioPeer>> MakeExecPeer(std::unique_ptr<ExecProcess> process, milliseconds start_deadline) {
  return std::unique_ptr<StdioPeer>(std::make_unique<ExecPeer>(std::move(process), start_deadline));
}

}  // namespace portcullis::runtime
