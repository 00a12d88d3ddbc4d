#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/clock.h"
#include "base/document.h"
#include "base/log.h"
#include "base/try.h"
#include "runtime/streaming/session.h"
#include "runtime/streaming/status.h"

namespace portcullis::runtime {
namespace {

using std::chrono::milliseconds;

constexpr size_t kMaxInput = 256u << 10;  // waits for the other end; beyond, the client is not read
constexpr size_t kMaxResize = 4096;       // of one message
// Where streams are fixed beforehand, a client with a terminal has this long to tell its size before the start.
constexpr milliseconds kFirstSize{100};

// Sizes, one JSON object after the other: {"Width":133,"Height":41}.
class ResizeReader {
 public:
  // The last whole one; what makes no sense is skipped.
  std::optional<TerminalSize> Read(std::string_view data) {
    text_ += data;
    std::optional<TerminalSize> size;
    for (size_t end; (end = text_.find('}')) != std::string::npos; text_.erase(0, end + 1)) {
      const auto json = base::ParseJson(std::string_view(text_).substr(0, end + 1), "terminal size");
      if (!json || !json->is_object()) continue;
      const auto number = [&](const char* name) -> uint16_t {
        const auto found = json->find(name);
        if (found == json->end() || !found->is_number_unsigned()) return 0;
        return static_cast<uint16_t>(std::min<uint64_t>(found->get<uint64_t>(), UINT16_MAX));
      };
      const TerminalSize read{.columns = number("Width"), .rows = number("Height")};
      if (read.columns > 0 && read.rows > 0) size = read;
    }
    if (text_.size() > kMaxResize) text_.clear();
    return size;
  }

 private:
  std::string text_;
};

class StdioSession : public http::StreamEvents {
 public:
  StdioSession(http::Wire& wire, const StdioRequest& request, const SessionLimits& limits, int stop_fd)
      : wire_(wire), request_(request), limits_(limits), stop_fd_(stop_fd) {
    for (const auto& [name, wanted] : {std::pair{"error", true},
                                       {"stdin", request.input},
                                       {"stdout", request.output},
                                       {"stderr", request.error},
                                       {"resize", request.tty}}) {
      if (wanted) ids_[name] = 0;
    }
  }

  // Until the client has opened all its streams.
  Result<void> AwaitStreams() {
    const auto deadline = base::Now() + limits_.creation;
    TRY(wire_.Begin(*this));
    while (std::any_of(ids_.begin(), ids_.end(), [](const auto& item) { return item.second == 0; })) {
      const auto left = std::chrono::ceil<milliseconds>(deadline - base::Now());
      if (left.count() <= 0) return Fail(Code::kDeadlineExceeded, "timed out waiting for client to create streams");
      TRY(Round(left, input_.size() < kMaxInput, [](http::PollSet&) {}));
    }
    const auto size_deadline = base::Now() + kFirstSize;
    while (request_.tty && wire_.streams().IsFixed() && !size_ && input_.size() < kMaxInput) {
      const auto left = std::chrono::ceil<milliseconds>(size_deadline - base::Now());
      if (left.count() <= 0) break;
      TRY(Round(left, true, [](http::PollSet&) {}));
    }
    return {};
  }

  // Between the client and the other end. An error that is not the other end's: the client is gone, or has to go.
  Result<Result<ExecOutcome>> Relay() {
    auto started = request_.start(size_);
    if (!started) return Result<ExecOutcome>(Failure(std::move(started).error()));
    peer_ = *std::move(started);
    if (size_) peer_->Resize(*size_);
    const OutputSink sink = [this](OutputStream stream, std::string_view data) {
      const auto found = ids_.find(stream == OutputStream::kStdout ? "stdout" : "stderr");
      if (found != ids_.end()) wire_.streams().Send(found->second, data);
    };
    while (true) {
      if (input_.empty() && input_ended_ && !input_end_told_) {
        input_end_told_ = true;
        peer_->EndInput();
      }
      const auto idle_left = limits_.idle - wire_.Idle();
      if (idle_left.count() <= 0) return Fail(Code::kDeadlineExceeded, "idle for too long");
      std::optional<Result<bool>> over;
      TRY(Round(
          std::min(idle_left, peer_->Patience().value_or(idle_left)), input_.size() < kMaxInput,
          [&](http::PollSet& set) { peer_->Watch(set, !wire_.IsFull(), !input_.empty()); },
          [&](const http::PollSet& set) { over = peer_->Serve(set, input_, sink); }));
      if (!*over) return Result<ExecOutcome>(Failure(std::move(*over).error()));
      if (!**over) continue;
      const auto exit_code = peer_->Finish();
      if (!exit_code) return Result<ExecOutcome>(Failure(exit_code.error()));
      return Result<ExecOutcome>(ExecOutcome{.exit_code = *exit_code, .command = request_.command});
    }
  }

  void Conclude(const std::string& status) {
    http::Streams& streams = wire_.streams();
    if (ids_["error"] != 0 && !status.empty()) streams.Send(ids_["error"], status);
    for (const auto& [name, id] : ids_) {
      if (id != 0) streams.End(id);
    }
    streams.Close();
    wire_.Farewell(limits_.farewell);
  }

 private:
  void OnOpen(http::StreamId id, const http::StreamHeaders& headers) override {
    const auto type = headers.find("streamtype");
    const auto found = type == headers.end() ? ids_.end() : ids_.find(type->second);
    if (found == ids_.end() || found->second != 0) return wire_.streams().Reset(id);
    found->second = id;
  }
  void OnData(http::StreamId id, std::string_view data) override {
    if (Is(id, "stdin")) input_ += data;
    if (!Is(id, "resize")) return;
    const auto size = resize_.Read(data);
    if (!size) return;
    size_ = size;
    if (peer_) peer_->Resize(*size_);
  }
  void OnEnd(http::StreamId id) override { input_ended_ = input_ended_ || Is(id, "stdin"); }
  void OnReset(http::StreamId id) override { OnEnd(id); }
  void OnClose() override { left_ = true; }

  bool Is(http::StreamId id, const std::string& name) const {
    const auto found = ids_.find(name);
    return found != ids_.end() && found->second == id;
  }

  // One round of poll over the wire, the stop and what `watch` adds.
  template <class Watch>
  Result<void> Round(milliseconds timeout, bool receive, Watch watch) {
    return Round(timeout, receive, watch, [](const http::PollSet&) {});
  }
  template <class Watch, class Serve>
  Result<void> Round(milliseconds timeout, bool receive, Watch watch, Serve serve) {
    http::PollSet set;
    const size_t stop = set.Add(stop_fd_, POLLIN);
    wire_.Watch(set, receive);
    watch(set);
    TRY(set.Wait(timeout));
    if (set.Ready(stop) != 0) return Fail(Code::kCancelled, "the server stops");
    serve(set);
    TRY(wire_.Serve(set, *this));
    if (left_) return Fail(Code::kUnavailable, "the client has left");
    return {};
  }

  http::Wire& wire_;
  const StdioRequest& request_;
  const SessionLimits& limits_;
  const int stop_fd_;
  std::map<std::string, http::StreamId> ids_;  // 0: not opened yet
  std::string input_;
  bool input_ended_ = false;
  bool input_end_told_ = false;
  bool left_ = false;
  ResizeReader resize_;
  std::optional<TerminalSize> size_;
  std::unique_ptr<StdioPeer> peer_;
};

}  // namespace

void RunStdioSession(http::Wire& wire, const StdioRequest& request, bool json_status, const SessionLimits& limits,
                     int stop_fd) {
  StdioSession session(wire, request, limits, stop_fd);
  if (const auto ready = session.AwaitStreams(); !ready) {
    base::LogDebug("a streaming session did not begin", {{"error", ready.error().message}});
    return;
  }
  const auto outcome = session.Relay();
  if (!outcome) {
    base::LogDebug("a streaming session was cut short", {{"error", outcome.error().message}});
    return;
  }
  session.Conclude(StatusText(*outcome, request.attempted, json_status));
}

}  // namespace portcullis::runtime
