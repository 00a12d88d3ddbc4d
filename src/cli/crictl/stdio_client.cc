#include "cli/crictl/stdio_client.h"

#include <signal.h>
#include <unistd.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/document.h"
#include "base/strings.h"
#include "base/try.h"
#include "cli/crictl/stream_client.h"
#include "cli/crictl/terminal.h"

namespace portcullis::cli {
namespace {

constexpr size_t kReadSize = 32u << 10;
constexpr size_t kMaxStatus = 1u << 20;

class StdioClient : public http::StreamEvents {
 public:
  StdioClient(const StdioOptions& options, ClientConnection connection)
      : options_(options), connection_(std::move(connection)), wire_(*connection_.wire) {}

  Result<void> Run() {
    ASSIGN_OR_RETURN(SignalPipe signals, SignalPipe::Open());
    std::optional<RawTerminal> raw;
    if (options_.tty) {
      ASSIGN_OR_RETURN(RawTerminal entered, RawTerminal::Enter(options_.input_fd));
      raw.emplace(std::move(entered));
    }
    Open("error");
    if (options_.input) Open("stdin");
    Open("stdout");
    if (!options_.tty) Open("stderr");
    if (options_.tty) {
      Open("resize");
      SendSize();
    }
    TRY(wire_.Begin(*this));
    while (!IsOver()) {
      http::PollSet set;
      const size_t signal = set.Add(signals.fd(), POLLIN);
      const bool reading = options_.input && !input_ended_ && !wire_.IsFull();
      const size_t input = set.Add(reading ? options_.input_fd : -1, POLLIN);
      wire_.Watch(set, true);
      TRY(set.Wait({}));
      if (set.Ready(signal) != 0) TRY(OnSignal(signals.Take()));
      if (set.Ready(input) != 0) ReadInput();
      if (auto served = wire_.Serve(set, *this); !served) {
        if (IsOver()) break;
        return Wrap(std::move(served).error(), "the connection ended before the command");
      }
      if (output_error_ != 0) return FailErrno(output_error_, "write the output");
    }
    wire_.streams().Close();
    wire_.Farewell(std::chrono::milliseconds(200));
    return OutcomeOf(status_);
  }

 private:
  void Open(const std::string& name) { ids_[name] = connection_.open({{"streamtype", name}}); }

  bool Is(http::StreamId id, const char* name) const {
    const auto found = ids_.find(name);
    return found != ids_.end() && found->second == id;
  }
  bool HasEnded(const char* name) const { return !ids_.contains(name) || ended_.contains(name); }
  // A peer that closes the connection at once ends its streams by that.
  bool IsOver() const { return HasEnded("error") && ((HasEnded("stdout") && HasEnded("stderr")) || left_); }

  void OnOpen(http::StreamId id, const http::StreamHeaders&) override { wire_.streams().Reset(id); }
  void OnData(http::StreamId id, std::string_view data) override {
    if (Is(id, "stdout")) Write(options_.output_fd, data);
    if (Is(id, "stderr")) Write(options_.error_fd, data);
    if (Is(id, "error") && status_.size() + data.size() <= kMaxStatus) status_ += data;
  }
  void OnEnd(http::StreamId id) override {
    for (const auto& [name, mine] : ids_) {
      if (mine == id) ended_.insert(name);
    }
    if (Is(id, "stdin")) input_ended_ = true;
  }
  void OnReset(http::StreamId id) override { OnEnd(id); }
  void OnClose() override { left_ = true; }

  void Write(int fd, std::string_view data) {
    while (!data.empty()) {
      const ssize_t n = ::write(fd, data.data(), data.size());
      if (n > 0) {
        data.remove_prefix(static_cast<size_t>(n));
      } else if (errno == EAGAIN) {
        pollfd wait{fd, POLLOUT, 0};
        ::poll(&wait, 1, -1);
      } else if (errno != EINTR) {
        output_error_ = errno;
        return;
      }
    }
  }

  void ReadInput() {
    std::string buffer(kReadSize, '\0');
    const ssize_t n = ::read(options_.input_fd, buffer.data(), buffer.size());
    if (n > 0) return wire_.streams().Send(ids_["stdin"], std::string_view(buffer).substr(0, static_cast<size_t>(n)));
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    input_ended_ = true;
    wire_.streams().End(ids_["stdin"]);
  }

  Result<void> OnSignal(int number) {
    if (number == SIGWINCH) {
      if (options_.tty) SendSize();
      return {};
    }
    return Fail(Code::kCancelled, "ended by signal {}", number);
  }

  void SendSize() {
    const auto size = WindowSizeOf(options_.input_fd);
    if (!size || size->columns == 0 || size->rows == 0) return;
    wire_.streams().Send(ids_["resize"], fmt::format("{{\"Width\":{},\"Height\":{}}}\n", size->columns, size->rows));
  }

  const StdioOptions& options_;
  ClientConnection connection_;
  http::Wire& wire_;
  std::map<std::string, http::StreamId> ids_;
  std::set<std::string> ended_;
  std::string status_;
  bool input_ended_ = false;
  bool left_ = false;
  int output_error_ = 0;
};

}  // namespace

Result<void> OutcomeOf(const std::string& status) {
  if (status.empty()) return {};
  const auto json = base::ParseJson(status, "status");
  const auto text = [](const nlohmann::json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (!json || !json->is_object()) return Fail(Code::kUnknown, "{}", status);  // clients of before v4 get plain text
  if (text(*json, "status") == "Success") return {};
  if (text(*json, "reason") == "NonZeroExitCode") {
    const auto causes = json->value("/details/causes"_json_pointer, nlohmann::json::array());
    for (const auto& cause : causes) {
      if (cause.is_object() && text(cause, "reason") == "ExitCode")
        return Fail(Code::kUnknown, "command terminated with exit code {}", text(cause, "message"));
    }
  }
  const std::string message = text(*json, "message");
  return Fail(Code::kUnknown, "{}", message.empty() ? status : message);
}

Result<void> RunStdio(const StdioOptions& options) {
  if (options.tty && !options.input) {
    return Fail(Code::kInvalidArgument, "tty=true must be specified with interactive=true");
  }
  if (options.tty && ::isatty(options.input_fd) == 0) return Fail(Code::kInvalidArgument, "input is not a terminal");
  ASSIGN_OR_RETURN(ClientConnection connection, OpenStdio(options.url, options.stream));
  return StdioClient(options, std::move(connection)).Run();
}

}  // namespace portcullis::cli
